"""What a record costs beside the standard library's `logging.FileHandler`.

Run as ``python tests/benchmarks/bench_record.py``. Both write the same JSON to the
same kind of file, in turns; printed are medians and ratios. First one writer, then
16 processes into one file, where a FileHandler takes no lock and ours does.
"""

import argparse
import json
import logging
import multiprocessing
import statistics
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from pathlib import Path
from time import perf_counter
from typing import Any

from tokenusage.price.pricer import Pricer
from tokenusage.write.tracker import Tracker

FIELDS: dict[str, Any] = {
    "user_id": 123,
    "operation_type": "rag_answer",
    "query": "What is the meaning of life?",
    "model_name": "gpt-4o-mini",
    "prompt_tokens": 1250,
    "completion_tokens": 150,
    "response_time": 2.34,
}
Work = Callable[[], object]


def with_tracker(logs: Path) -> Work:
    """Return what records one call: validation, price, lock and write included."""
    tracker = Tracker(logs, pricer=Pricer())
    return lambda: tracker.record(**FIELDS)


def with_file_handler(logs: Path) -> Work:
    """Return what writes the same JSON through the standard library, without a lock."""
    logs.mkdir(exist_ok=True)
    with Tracker(logs.parent / "sample", pricer=Pricer()) as tracker:
        record = tracker.record(**FIELDS)
    logger = logging.getLogger(f"bench.{logs.name}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = logging.FileHandler(logs / "handler.jsonl")
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    return lambda: logger.info(json.dumps(record))


def seconds(work: Work, calls: int) -> float:
    """Return the time of `calls` calls of `work`."""
    started = perf_counter()
    for _ in range(calls):
        work()
    return perf_counter() - started


def one_writer(directory: Path, calls: int, rounds: int) -> dict[str, list[float]]:
    """Time both ways in turns; microseconds a record."""
    ways = {
        "FileHandler": with_file_handler(directory / "handler"),
        "record()": with_tracker(directory / "tracker"),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, work in ways.items():
            times[name].append(seconds(work, calls) / calls * 1e6)
    return times


def _writer(make: Callable[[Path], Work], logs: Path, calls: int, start: Barrier) -> None:
    work = make(logs)
    work()
    start.wait()
    for _ in range(calls - 1):
        work()
    start.wait()


def together(make: Callable[[Path], Work], logs: Path, calls: int, processes: int) -> float:
    """Return microseconds a record of `processes` that write `calls` each at once."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(processes + 1)
    writers = [
        context.Process(target=_writer, args=(make, logs, calls, start)) for _ in range(processes)
    ]
    for writer in writers:
        writer.start()
    start.wait()
    started = perf_counter()
    start.wait()
    elapsed = perf_counter() - started
    for writer in writers:
        writer.join()
    return elapsed / (processes * calls) * 1e6


def many_writers(
    directory: Path, calls: int, rounds: int, processes: int
) -> tuple[dict[str, list[float]], int]:
    """Time both ways in turns, and count the lines that ours has lost."""
    ways = {"FileHandler": with_file_handler, "record()": with_tracker}
    times: dict[str, list[float]] = {name: [] for name in ways}
    found = 0
    for turn in range(rounds):
        for name, make in ways.items():
            logs = directory / f"{name[:4]}{turn}"
            times[name].append(together(make, logs, calls, processes))
            if make is with_tracker:
                found += sum(path.read_bytes().count(b"\n") for path in logs.iterdir())
    return times, rounds * processes * calls - found


def show(title: str, times: dict[str, list[float]]) -> None:
    """Print medians, and the median of the ratios of neighbouring rounds."""
    ours, theirs = times["record()"], times["FileHandler"]
    ratio = statistics.median(our / their for our, their in zip(ours, theirs, strict=True))
    medians = f"{statistics.median(theirs):>12.2f}{statistics.median(ours):>12.2f}"
    print(f"{title:<24}{medians}{ratio:>10.2f}{1 / ratio:>10.2f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, help="in each of the rounds")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--processes", type=int, default=16)
    options = parser.parse_args()
    print(
        f"{'microseconds a record':<24}{'FileHandler':>12}{'record()':>12}{'time':>10}{'speed':>10}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        # Short turns: what else the machine does then disturbs both alike.
        one = one_writer(Path(scratch), options.calls // 20, options.rounds * 20)
    show("one writer", one)
    with tempfile.TemporaryDirectory() as scratch:
        calls = options.calls // options.processes
        many, lost = many_writers(Path(scratch), calls, options.rounds, options.processes)
    show(f"{options.processes} processes, one file", many)
    print(f"lines lost by record(): {lost}")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
