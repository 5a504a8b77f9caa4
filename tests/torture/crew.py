"""Processes that log, to be started, stopped, forked and killed.

``python -m torture.crew WORK ...``; what they know to be logged they say in
``acknowledged/NAME`` beside the log directory, an id a line, after `record` has
returned it and before they go on.
"""

import asyncio
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from writing import LinearPricer

from tokenusage.record import Record
from tokenusage.write.tracker import Tracker

NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""The time of every record, so that no midnight comes between."""

ACKNOWLEDGEMENT: Final = 25
"""Bytes of an id and its newline."""

_CHARACTERS: Final = "aé\u2028😀\\"
_LARGEST: Final = 261_000
"""Bytes of a query that leave room for the other fields in a line of 256 KiB."""

_TASKS: Final = 4
_VICTIMS: Final = 4
_SURVIVORS: Final = 2


def query_of(number: int, large_every: int) -> str:
    """Return the query of a writer's record: short, or of any size once in `large_every`."""
    character = _CHARACTERS[number % len(_CHARACTERS)]
    large = number % large_every == large_every - 1
    # JSON writes a backslash as two bytes.
    width = max(2, len(character.encode()))
    return character * ((number * 7919 % _LARGEST if large else number % 100) // width)


def make_tracker(logs: Path) -> Tracker:
    """Return a tracker at `NOON` that keeps long queries."""
    return Tracker(logs, pricer=LinearPricer(), clock=lambda: NOON, query_chars=_LARGEST)


def write(tracker: Tracker, writer: str, number: int, large_every: int) -> Record | None:
    """Record the call with this number of a writer."""
    return tracker.record(
        model_name="m",
        operation_type="x",
        query=query_of(number, large_every),
        tags={"writer": writer, "n": number},
    )


def crowd(logs: Path, name: str, threads: int, count: int, large_every: int) -> None:
    """Write `count` records in each of some threads, and in each of four tasks of one more."""
    tracker = make_tracker(logs)

    def thread(writer: str) -> None:
        for number in range(count):
            assert write(tracker, writer, number, large_every)

    async def task(writer: str) -> None:
        for number in range(count):
            assert write(tracker, writer, number, large_every)
            await asyncio.sleep(0)

    async def tasks() -> None:
        await asyncio.gather(*(task(f"{name}-task{n}") for n in range(_TASKS)))

    workers = [threading.Thread(target=thread, args=(f"{name}-{n}",)) for n in range(threads)]
    for worker in workers:
        worker.start()
    asyncio.run(tasks())
    for worker in workers:
        worker.join()


def writer(tracker: Tracker, name: str, large_every: int, pause: float = 0) -> None:
    """Write until SIGTERM comes, and acknowledge each record."""
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    acknowledged = tracker.logs.parent / "acknowledged"
    acknowledged.mkdir(exist_ok=True)
    with (acknowledged / name).open("ab", buffering=0) as said:
        number = 0
        while running:
            record = write(tracker, name, number, large_every)
            assert record
            said.write(record["id"].encode() + b"\n")
            number += 1
            time.sleep(pause)


def nursery(logs: Path, kills: int, seed: int, large_every: int) -> None:
    """Kill forked writers at random moments, some milliseconds apart, beside survivors."""
    chance = random.Random(seed)
    tracker = make_tracker(logs)  # before the forks, as gunicorn's preload does
    write(tracker, "preload", 0, large_every)

    def start(name: str) -> int:
        return fork(lambda: writer(tracker, name, large_every))

    survivors = [start(f"survivor{n}") for n in range(_SURVIVORS)]
    victims = [start(f"victim{n}") for n in range(_VICTIMS)]
    for number in range(kills):
        time.sleep(chance.uniform(0, 0.01))
        victim = victims.pop(chance.randrange(_VICTIMS))
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)
        victims.append(start(f"victim{_VICTIMS + number}"))
    for child in survivors + victims:
        os.kill(child, signal.SIGTERM)
        assert os.waitpid(child, 0)[1] == 0


def forks(logs: Path, count: int, large_every: int) -> None:
    """Fork while threads log and hold the locks; every child logs at once, in little time."""
    tracker = make_tracker(logs)
    stop = threading.Event()

    def thread(name: str) -> None:
        number = 0
        while not stop.is_set():
            assert write(tracker, name, number, large_every)
            number += 1

    def child(name: str) -> None:
        started = time.monotonic()
        assert write(tracker, name, 0, large_every)
        assert write(tracker, name, 1, large_every)
        assert time.monotonic() - started < 5

    threads = [threading.Thread(target=thread, args=(f"thread{n}",)) for n in range(3)]
    for one in threads:
        one.start()
    try:
        for first in range(0, count, 5):
            numbers = range(first, first + 5)
            children = [fork(lambda n=n: child(f"child{n}")) for n in numbers]  # type: ignore[misc]
            assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 5
    finally:
        stop.set()
        for one in threads:
            one.join()


def fork(work: Callable[[], None]) -> int:
    """Do `work` in a child and return its process id; the child ends with 0 if all was well."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def main(work: str, directory: str, *arguments: str) -> None:
    """Do what the command line says."""
    logs = Path(directory)
    if work == "crowd":
        crowd(logs, arguments[0], *map(int, arguments[1:]))
    elif work == "writer":
        writer(make_tracker(logs), arguments[0], int(arguments[1]), float(arguments[2]))
    elif work == "nursery":
        nursery(logs, *map(int, arguments))
    elif work == "forks":
        forks(logs, *map(int, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
