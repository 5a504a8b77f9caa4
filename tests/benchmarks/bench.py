"""Whole processes beside their competitors, alternating, in one run.

Run as ``make bench``. Each figure is a median; what counts is the ratio, since
absolute times say more about the machine and the minute than about the program.
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.data import write_logs

HERE = Path(__file__).parent
SCRATCH = HERE.parent.parent / ".bench"
BY = ("--by", "user,operation,model")


@dataclass
class Entrant:
    """A command and what its runs took."""

    name: str
    command: Sequence[str]
    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run once as a process of its own; output is read and thrown away."""
        started = perf_counter()
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        self.seconds.append(perf_counter() - started)
        self.megabytes.append(usage.ru_maxrss / 1024)
        if status:
            sys.exit(f"{' '.join(self.command)} failed:\n{output.decode()}")


def python(*words: str | Path) -> list[str]:
    """Return a command of the Python that runs this."""
    return [sys.executable, *map(str, words)]


def compare(title: str, ours: Entrant, *others: Entrant, runs: int) -> None:
    """Run everyone once to warm up and `runs` times in turns, and print the medians."""
    entrants = (ours, *others)
    for turn in range(runs + 1):
        for entrant in entrants:
            entrant.run()
            if turn == 0:
                entrant.seconds.clear()
                entrant.megabytes.clear()
    print(f"\n{title}")
    for entrant in entrants:
        ratio = statistics.median(a / b for a, b in zip(ours.seconds, entrant.seconds, strict=True))
        print(
            f"  {entrant.name:<34}{statistics.median(entrant.seconds):>8.3f} s"
            f"{max(entrant.megabytes):>8.0f} MB"
            + ("" if entrant is ours else f"   ours is {ratio:.2f} ×")
        )


def tokenusage(*words: str | Path) -> Entrant:
    """Return the program with these words."""
    shown = " ".join(str(word) for word in words if not isinstance(word, Path))
    return Entrant(f"tokenusage {shown}", python("-m", "tokenusage", *words))


def report(logs: Path) -> Entrant:
    """Return the report that everyone else is measured beside."""
    entrant = tokenusage("report", "--days", "30", *BY, "--logs", logs)
    entrant.name = "tokenusage report"
    return entrant


def competitor(name: str, logs: Path) -> Entrant:
    """Return one of the scripts beside this one."""
    return Entrant(
        name, python(HERE / "competitors" / f"{name.split('.', maxsplit=1)[0]}_report.py", logs)
    )


def main() -> None:
    """Print every comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--records", type=int, default=1_000_000)
    options = parser.parse_args()
    runs = options.runs
    today = datetime.now(UTC)
    million = write_logs(SCRATCH / "million", options.records, today)
    few = write_logs(SCRATCH / "few", 10_000, today)
    compare(
        f"{options.records:,} records in 30 files, by user, operation and model",
        report(million),
        competitor("polars", million),
        competitor("duckdb", million),
        competitor("pandas.read_json", million),
        runs=runs,
    )
    compare(
        "10,000 records",
        report(few),
        Entrant("python -c 'import pandas'", python("-c", "import pandas")),
        runs=2 * runs,
    )
    compare(
        "Help",
        tokenusage("--help"),
        Entrant("python -c 'import typer'", python("-c", "import typer")),
        runs=4 * runs,
    )
    compare(
        "Import",
        Entrant("python -c 'import tokenusage'", python("-c", "import tokenusage")),
        Entrant("python -c 'import orjson'", python("-c", "import orjson")),
        runs=4 * runs,
    )
    print("\nLogging")
    sys.stdout.flush()
    subprocess.run(python(HERE / "bench_record.py"), check=True)
    subprocess.run(python("-m", "benchmarks.bench_capture"), check=True)
    subprocess.run(python("-m", "benchmarks.bench_keep", "--runs", str(runs)), check=True)
    subprocess.run(python("-m", "benchmarks.bench_views", "--runs", str(runs)), check=True)


if __name__ == "__main__":
    main()
