"""Rotating and forgetting beside live writers and readers; faults 7, 8, 11 and 13."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from keeping import totals, turn
from torture.accounts import calls, check, count, start, stop
from torture.keepers import PERSON
from torture.sizes import Sizes
from writing import finish

WRITERS = 3
PAUSE = 0.002
"""Seconds between the records of a writer."""
REST = 0.05
"""Seconds between two reports: the rotations are to have a processor, too."""

pytestmark = pytest.mark.slow
Tell = Callable[[str], None]


@pytest.fixture
def stop_writers(logs: Path) -> Iterator[Callable[[], None]]:
    """Writers at work; what ends them."""
    writers = [start("writer", logs, f"writer{number}", PAUSE) for number in range(WRITERS)]
    names = [logs.parent / "acknowledged" / f"writer{number}" for number in range(WRITERS)]
    end = time.monotonic() + 30
    while not all(name.exists() and name.stat().st_size for name in names):
        assert time.monotonic() < end
        time.sleep(0.01)
    yield lambda: stop(writers)
    for writer in writers:
        writer.kill()
        writer.communicate()


def test_rotations_beside_writers_and_readers_lose_nothing(
    logs: Path, sizes: Sizes, tell: Tell, stop_writers: Callable[[], None]
) -> None:
    """Whatever is acknowledged is counted at once, once and for ever, in every form of its day."""
    started = time.monotonic()
    counts = [0]
    with start("keeper", logs, sizes.rotations, 7) as keeper:
        while keeper.poll() is None:
            before = count(logs)
            counts.append(calls(logs))
            assert max(before, counts[-2]) <= counts[-1] <= count(logs) + WRITERS
            time.sleep(REST)
        done = finish(keeper)
    stop_writers()

    everything = check(logs)
    last: list[dict[str, Any]] = [{}, {"seal_after": 0}, {"keep_days": 1}]
    for wishes in last:
        turn(logs, **wishes)
        check(logs)
    tell(
        f"rotations: {sizes.rotations:,} beside {WRITERS} writers of {len(everything):,} records "
        f"({done.strip()} of days), {len(counts) - 1:,} reports meanwhile, "
        f"{time.monotonic() - started:.0f} s, 0 lost, 0 twice"
    )


def test_killed_rotations_beside_writers_lose_nothing(
    logs: Path, sizes: Sizes, tell: Tell, stop_writers: Callable[[], None]
) -> None:
    """Rotating and forgetting, killed at any moment: the next run finishes what the last began."""
    killed = finish(start("mortals", logs, sizes.killed_runs, 7), timeout=300)
    stop_writers()

    check(logs)
    turn(logs, keep_days=1, seal_after=0)
    everything = check(logs)
    assert not list(logs.glob("*.tmp"))
    tell(
        f"killed runs: {int(killed):,} rotations and forgets beside {WRITERS} writers of "
        f"{len(everything):,} records, 0 lost, 0 twice"
    )


@pytest.mark.parametrize("delete", ["", "delete"])
def test_forgetting_beside_writers_loses_nothing_of_others(
    logs: Path, sizes: Sizes, tell: Tell, stop_writers: Callable[[], None], delete: str
) -> None:
    """The person goes on logging; nobody else's figures change, nor theirs, unless they go."""
    finish(start("forgetter", logs, sizes.forgets, delete), timeout=300)
    stop_writers()

    everything = check(logs, without=PERSON if delete else None)
    left = {row["user"] for row in totals(logs)["rows"]}
    assert left >= {"writer1", "writer2"}
    assert any(user.startswith("forgotten-") for user in left) is not bool(delete)
    tell(
        f"forgets: {sizes.forgets:,} {delete and 'with --delete '}beside {WRITERS} writers of "
        f"{len(everything):,} records, 0 of others lost"
    )


def test_of_two_rotations_at_once_one_works(
    logs: Path, sizes: Sizes, tell: Tell, stop_writers: Callable[[], None]
) -> None:
    """The other one is sent away, or comes after it; nothing is lost or counted twice."""
    busy = finish(start("rivals", logs, sizes.rivals, 7), timeout=300)
    stop_writers()

    everything = check(logs)
    assert int(busy) > 0
    tell(
        f"rivals: {sizes.rivals:,} pairs of rotations, {int(busy):,} times one was sent away, "
        f"{len(everything):,} records, 0 lost, 0 twice"
    )
