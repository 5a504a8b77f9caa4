"""Many writers at once, killed, stopped and forked; faults 1, 2, 12 and 14."""

import shutil
import signal
import time
from array import array
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import pytest
from torture.crew import make_tracker, write
from torture.looking import (
    acknowledged,
    acknowledgements,
    await_writers,
    finish,
    look,
    missing,
    start,
)
from torture.sizes import Sizes

PROCESSES, THREADS, TASKS = 16, 8, 4
LARGE_EVERY = 20
"""One record in so many is large where writers are killed: the long writes are torn most."""

pytestmark = pytest.mark.slow
Tell = Callable[[str], None]


def test_a_crowd_loses_and_mixes_nothing(logs: Path, sizes: Sizes, tell: Tell) -> None:
    """The exact records of processes, threads and tasks arrive, each writer's in order."""
    writers = PROCESSES * (THREADS + TASKS)
    count = -(-sizes.records // writers)
    started = time.monotonic()
    crew = [
        start("crowd", logs, f"p{n}", THREADS, count, sizes.large_every) for n in range(PROCESSES)
    ]
    for process in crew:
        finish(process, timeout=900)
    seconds = time.monotonic() - started

    found = look(logs, sizes.large_every)
    everything = array("I", range(count))
    assert len(found.writers) == writers
    assert all(array("I", sorted(numbers)) == everything for numbers in found.writers.values())
    assert found.torn == 0
    tell(
        f"crowd: {writers} writers in {PROCESSES} processes, {found.records:,} records in "
        f"{found.files} files, {seconds:.0f} s, 0 lost"
    )


def test_killed_writers_lose_nothing_acknowledged(logs: Path, sizes: Sizes, tell: Tell) -> None:
    """After kill -9 at any moment every id that was returned is there, and survivors' order."""
    records = said = torn = 0
    started = time.monotonic()
    for round_ in range(sizes.kills // sizes.kills_a_round):
        finish(start("nursery", logs, sizes.kills_a_round, round_, LARGE_EVERY), timeout=120)
        found, known = look(logs, LARGE_EVERY), acknowledged(logs)
        assert missing(found, known) == 0
        # What was not acknowledged is the last record of somebody killed, and one of preload's.
        assert len(known) <= found.records <= len(known) + sizes.kills_a_round + 1
        assert found.torn <= sizes.kills_a_round
        for name, numbers in found.writers.items():
            if name.startswith("survivor"):
                assert sorted(numbers) == list(range(len(numbers)))
        records, said, torn = records + found.records, said + len(known), torn + found.torn
        shutil.rmtree(logs)
        shutil.rmtree(logs.parent / "acknowledged")
    seconds = time.monotonic() - started
    tell(
        f"kills: {sizes.kills:,}, {records:,} records, {said:,} acknowledged, {torn:,} torn lines, "
        f"{seconds:.0f} s, 0 lost"
    )


def test_forks_under_locks_hang_nobody(logs: Path, sizes: Sizes, tell: Tell) -> None:
    """Children of a process whose threads are logging log at once, beside each other."""
    started = time.monotonic()
    finish(start("forks", logs, sizes.forks, 200), timeout=60 + sizes.forks / 20)
    seconds = time.monotonic() - started

    found = look(logs, 200)
    for name, numbers in found.writers.items():
        assert name.startswith("thread") or sorted(numbers) == [0, 1]
    assert len(found.writers) == sizes.forks + 3
    assert found.torn == 0
    tell(f"forks: {sizes.forks:,}, {found.records:,} records, {seconds:.0f} s, 0 hung, 0 lost")


def test_a_process_stopped_under_the_lock_stops_nobody(
    logs: Path, sizes: Sizes, tell: Tell
) -> None:
    """Others wait 250 ms and spill; when it goes on, nothing is lost, twice or torn."""
    writers = [start("writer", logs, name, 200, 0) for name in ("stopped", "other")]
    shared = await_writers(logs, len(writers))
    held = spilled = 0
    longest = 0.0
    while held < sizes.stops:
        writers[0].send_signal(signal.SIGSTOP)
        if not _is_free(shared):
            held += 1
            with make_tracker(logs) as tracker:
                started = time.monotonic()
                assert write(tracker, f"beside{held}", 0, 200)
                longest = max(longest, time.monotonic() - started)
            spilled += 1
        writers[0].send_signal(signal.SIGCONT)
        time.sleep(0.005)
    for writer in writers:
        writer.send_signal(signal.SIGTERM)
        finish(writer, timeout=30)

    found = look(logs, 200)
    assert missing(found, acknowledged(logs)) == 0
    assert (found.records, found.torn) == (acknowledgements(logs) + spilled, 0)
    assert 0.2 < longest < 2
    tell(
        f"stops: {held} with the lock held, {found.records:,} records, longest wait "
        f"{longest:.2f} s, 0 lost"
    )


def _is_free(path: Path) -> bool:
    """Say whether a lock can be had; whoever is not stopped holds it for microseconds."""
    with path.open("rb") as file:
        for _ in range(20):
            try:
                flock(file, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                time.sleep(0.001)
            else:
                return True
    return False
