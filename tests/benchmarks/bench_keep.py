"""Retention measured: reports of rotated and sealed days, and how fast they get there.

Run as part of ``make bench``, or alone as ``python -m benchmarks.bench_keep`` in tests/.
"""

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench import SCRATCH, Entrant, compare, competitor, report, tokenusage
from benchmarks.data import one_day, write_logs


def bytes_in(directory: Path, pattern: str) -> int:
    """Return the bytes of the files in `directory` whose names match."""
    return sum(path.stat().st_size for path in directory.glob(pattern))


def fresh(source: Path, name: str) -> Path:
    """Return a copy of a log directory, as nobody has rotated it yet."""
    target = SCRATCH / name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.ready"))
    return target


def rate(what: str, entrant: Entrant, records: int) -> None:
    """Run once, and print how many records that were a second."""
    entrant.run()
    print(
        f"  {what:<34}{records / entrant.seconds[-1]:>10,.0f} records/s"
        f"{max(entrant.megabytes):>8.0f} MB"
    )
    sys.stdout.flush()


def summarised(source: Path, records: int, runs: int) -> Path:
    """Rotate fresh copies without sealing, and print the rates; return the last copy."""
    for _ in range(runs):
        logs = fresh(source, f"{source.name}-rotated")
        rate(f"summaries of {records:,}", tokenusage("rotate", "--logs", logs), records)
    return logs


def sealed(source: Path, records: int, runs: int) -> Path:
    """Seal copies of rotated days, and print the rates and the size; return the last copy."""
    before = bytes_in(source, "*.jsonl")
    for _ in range(runs):
        logs = fresh(source, f"{source.name}-sealed")
        words = ("rotate", "--seal-after", "0", "--logs", logs)
        rate(f"sealing {records:,}, summaries again", tokenusage(*words), records)
    left = bytes_in(logs, "token_usage_*.jsonl")
    size = bytes_in(logs, "token_usage_*.parquet") / (before - left)
    print(f"  sealed size {size:.1%} of the JSONL")
    return logs


def question(name: str, logs: Path, *words: str) -> Entrant:
    """Return a report that needs the records."""
    entrant = tokenusage("report", "--days", "30", *words, "--logs", logs)
    entrant.name = f"{name}, {' '.join(words)}"
    return entrant


def main() -> None:
    """Print every comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", type=int, default=10_000_000)
    options = parser.parse_args()
    today = datetime.now(UTC)
    million = write_logs(SCRATCH / "million", 1_000_000, today)
    print("\nKeeping")
    rotated = summarised(million, 1_000_000, 3)
    compare(
        "1,000,000 records, rotated",
        report(rotated),
        competitor("polars", million),
        runs=options.runs,
    )
    shut = sealed(rotated, 1_000_000, 3)
    for words in (("--by", "session"), ("--percentiles", "--by", "model")):
        title = f"A question that needs the records: {' '.join(words)}"
        ours, other = question("sealed", shut, *words), question("JSON lines", rotated, *words)
        compare(title, ours, other, runs=options.runs)
    large = write_logs(SCRATCH / "large", options.large, today)
    large_rotated = summarised(large, options.large, 1)
    compare(
        f"{options.large:,} records, rotated",
        report(large_rotated),
        competitor("polars", large),
        runs=min(options.runs, 3),
    )
    shutil.rmtree(large_rotated)
    print(f"\nOne day of {options.large:,} records")
    day = one_day(SCRATCH / "day", options.large, today)
    sealed(summarised(day, options.large, 1), options.large, 1)


if __name__ == "__main__":
    main()
