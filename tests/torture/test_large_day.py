"""A day of ten million records becomes one Parquet file in bounded memory."""

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pytest
from support import record, run
from torture.sizes import Sizes

pytestmark = pytest.mark.slow

_ROWS: Final = 100_000
_LIMIT: Final = 1_000_000_000
"""Bytes of memory that sealing may take."""


# What wait4(2) tells of a process includes the memory of the one that it was forked from.
_PROGRAM: Final = """
import sys
from tokenusage.cli import main
try:
    main(sys.argv[1:])
finally:
    status = open("/proc/self/status").read()
    print(*status[status.index("VmHWM") :].split()[:3], file=sys.stderr)
"""


def write_large_day(logs: Path, day: date, count: int) -> int:
    """Write the log file of a day, of so many records, and return the sum of their tokens."""
    fields = record(
        f"{day}T12:00:@@.######+00:00",
        user_id="user %%%",
        query="What is the meaning of life, and who has asked for it?",
        prompt_tokens="$" * 7,
        id="0123456789ab" + "&" * 12,
    )
    line = orjson.dumps(fields).replace(b'"$$$$$$$"', b"$" * 7) + b"\n"
    template = np.frombuffer(line, np.uint8)
    tokens = 0
    with (logs / f"token_usage_{day}.jsonl").open("wb") as file:
        for start in range(0, count, _ROWS):
            numbers = np.arange(start, min(start + _ROWS, count))
            some = np.tile(template, (len(numbers), 1))
            prompt = 1_000_000 + numbers * 7919 % 1_000_003
            tokens += int(prompt.sum())
            for mark, values in (
                ("@", numbers * 60 // count),
                ("#", numbers % 1_000_000),
                ("%", numbers % 997),
                ("$", prompt),
                ("&", numbers),
            ):
                _fill_in(some, template, mark, values)
            file.write(some.tobytes())
    return tokens


def _fill_in(
    lines: npt.NDArray[np.uint8], template: npt.NDArray[np.uint8], mark: str, values: Any
) -> None:
    """Write decimal numbers over the marks of a template, a line each."""
    [places] = np.nonzero(template == ord(mark))
    for power, place in enumerate(reversed(places)):
        lines[:, place] = values // 10**power % 10 + ord("0")


def test_a_large_day_is_sealed_in_bounded_memory(
    logs: Path, sizes: Sizes, tell: Callable[[str], None]
) -> None:
    """Every record is in it, and in its sums; the log file is gone."""
    logs.mkdir(mode=0o700)
    day = datetime.now(UTC).date() - timedelta(days=2)
    tokens = write_large_day(logs, day, sizes.day_records)
    before = (logs / f"token_usage_{day}.jsonl").stat().st_size
    started = time.monotonic()
    words = ("rotate", "--seal-after", "0", "--quiet", "--logs", str(logs))
    process = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words], stderr=subprocess.PIPE, text=True, check=True
    )
    seconds = time.monotonic() - started
    sealed = logs / f"token_usage_{day}.parquet"
    assert sorted(path.suffix for path in logs.glob("token_usage_*")) == [".parquet"]
    for by in ("user", "cache"):  # from the sums, and from the records
        done = run("report", "--all", "--by", by, "--format", "json", cwd=logs.parent)
        document = orjson.loads(done.stdout)
        totals, ledger = document["totals"], document["ledger"]
        assert (totals["calls"], totals["prompt_tokens"]) == (sizes.day_records, tokens)
        assert ledger["lines"] == ledger["records"] == sizes.day_records
    peak = int(process.stderr.split()[-2]) * 1024
    assert peak < _LIMIT
    tell(
        f"large day: {sizes.day_records:,} records sealed in {seconds:.0f} s, "
        f"{peak / 1e6:,.0f} MB of memory, {sealed.stat().st_size / before:.1%} of the size, 0 lost"
    )
