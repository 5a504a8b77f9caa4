"""The views measured: each beside the report, or beside what it has to import.

Run as part of ``make bench``, or alone as ``python -m benchmarks.bench_views`` in tests/.
"""

import argparse
import shutil
from datetime import UTC, datetime

from benchmarks.bench import SCRATCH, Entrant, compare, python, report, tokenusage
from benchmarks.bench_keep import summarised
from benchmarks.data import write_logs


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
    for words in (("summary",), ("top", "users", "--days", "30")):
        title = f"1,000,000 records, rotated: {words[0]} beside the report"
        compare(title, tokenusage(*words, "--logs", rotated), report(rotated), runs=runs)
    tokenusage("statusline", "--logs", rotated).run()
    compare(
        "A prompt's line, 1,000,000 records",
        tokenusage("statusline", "--logs", rotated),
        Entrant("python -c pass", python("-c", "pass")),
        runs=4 * runs,
    )
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
