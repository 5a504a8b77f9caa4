"""The views measured: each beside the report, or beside what it has to import.

Run as part of ``make bench``, or alone as ``python -m benchmarks.bench_views`` in tests/.
"""

import argparse
import random
import shutil
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import Final

from benchmarks.bench import SCRATCH, Entrant, compare, python, report, tokenusage
from benchmarks.bench_keep import summarised
from benchmarks.data import line, write_logs

from tokenusage.analyse.query import Filters
from tokenusage.analyse.watcher import Watcher
from tokenusage.logs import day_file_name

A_LOOK: Final = 5_000
"""Records that come in between two looks: 1,000 a second, every 5 seconds."""


def beside_the_report(rotated: Path, runs: int) -> None:
    """Print the morning's page and rankings of rotated records beside the report of them."""
    for words in (
        ("summary",),
        ("top", "users", "--days", "30"),
        ("top", "models", "--days", "30"),
        ("top", "queries", "--days", "30"),
    ):
        title = f"1,000,000 records, rotated: {' '.join(words[:2])} beside the report"
        compare(title, tokenusage(*words, "--logs", rotated), report(rotated), runs=runs)


def a_prompt(rotated: Path, runs: int) -> None:
    """Print what a prompt waits for, once the day has been read."""
    line_of_prompt = tokenusage("statusline", "--logs", rotated)
    line_of_prompt.run()
    line_of_prompt.seconds.clear()
    compare(
        "A prompt's line, 33,000 calls today",
        line_of_prompt,
        Entrant("python -c pass", python("-c", "pass")),
        runs=4 * runs,
    )


def looks(runs: int) -> None:
    """Print the work of a look of `watch`, with an hour of 1,000 records a second before it."""
    logs = SCRATCH / "watched"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    rng = random.Random(1)
    now = datetime.now(UTC)
    path = logs / day_file_name(now.date())
    spent = []
    with (
        path.open("ab", buffering=0) as file,
        Watcher(logs, Filters(), timedelta(hours=1), naive_zone=UTC) as watcher,
    ):
        for look in range(120 + runs):
            file.write(b"".join(line(rng, now, look * A_LOOK + n) for n in range(A_LOOK)))
            started = process_time()
            watcher.look(now)
            spent.append(process_time() - started)
            now += timedelta(seconds=5)
    work = statistics.median(spent[-runs:])
    print(f"\nwatch: a look at {A_LOOK:,} new records, {work * 1000:.0f} ms of work")
    shutil.rmtree(logs)


def main() -> None:
    """Print every comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", type=int, default=10_000_000)
    options = parser.parse_args()
    runs = options.runs
    today = datetime.now(UTC)
    million = write_logs(SCRATCH / "million", 1_000_000, today)
    rotated = summarised(million, 1_000_000, 1)
    beside_the_report(rotated, runs)
    a_prompt(rotated, runs)
    looks(4 * runs)
    large = write_logs(SCRATCH / "large", options.large, today)
    compare(
        f"The last calls of {options.large:,}",
        tokenusage("calls", "--logs", large),
        Entrant("python -c 'import pandas'", python("-c", "import pandas")),
        runs=runs,
    )
    shutil.rmtree(rotated)


if __name__ == "__main__":
    main()
