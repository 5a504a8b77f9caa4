"""What the tests of the doctor share: a clock, tidy directories, and what is found in them."""

import os
import tempfile
from datetime import UTC, date
from pathlib import Path
from typing import Any

from keeping import NOW, TODAY, ago
from support import record, write_day

from tokenusage.keep.doctor.examine import examine
from tokenusage.keep.doctor.finding import Diagnosis, Finding, Setup
from tokenusage.keep.doctor.mend import Mended, mend
from tokenusage.price.table import PriceTable

DAY, OTHER = ago(5), ago(6)
STRAY = record(f"{OTHER}T12:00:00+00:00", id="stray", extra={"kept": "as it is"})
"""A record of `OTHER` that stands in the file of `DAY`."""


def setup(logs: Path, **changes: Any) -> Setup:
    """Return a directory, held against the default configuration at `NOW`."""
    defaults: dict[str, Any] = {
        "now": NOW,
        "naive_zone": UTC,
        "file_mode": 0o600,
        "directory_mode": 0o700,
        "prices": PriceTable(),
    }
    return Setup(logs=logs, **(defaults | changes))


def lines(day: date, count: int = 3) -> list[dict[str, Any]]:
    """Return records of a day that have nothing wrong with them."""
    return [
        record(f"{day}T01:00:00.{number:06d}+00:00", id=f"{day}-{number}")
        for number in range(count)
    ]


def fill(logs: Path, *days: date) -> Path:
    """Write some records into the file of each day, and return the directory."""
    for day in days:
        write_day(logs, str(day), lines(day))
    return logs


def tidy(logs: Path) -> Path:
    """Give a directory and its files the permissions that the logger gives them."""
    logs.chmod(0o700)
    for path in logs.iterdir():
        if path.is_file() and not path.is_symlink():
            path.chmod(0o600)
    return logs


def look(logs: Path, **changes: Any) -> Diagnosis:
    """Look at a directory."""
    return examine(setup(logs, **changes))


def found(logs: Path, **changes: Any) -> dict[str, Finding]:
    """Look at a directory, and return what was found, by check."""
    return {finding.check: finding for finding in look(logs, **changes).findings}


def fix(logs: Path, **changes: Any) -> Mended:
    """Look at a directory and mend what was found."""
    return mend(setup(logs, **changes), look(logs, **changes))


def everything(logs: Path) -> dict[str, tuple[bytes, int, int]]:
    """Return the content, time of change and mode of all that stands in a directory."""
    return {
        path.name: (
            path.read_bytes() if path.is_file() else b"",
            path.lstat().st_mtime_ns,
            path.lstat().st_mode,
        )
        for path in (logs, *logs.iterdir())
    }


def _may_do_everything() -> bool:
    """Return whether permissions mean nothing to this process, as to root's."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o500)
        return os.access(directory, os.W_OK)


MAY_DO_EVERYTHING = _may_do_everything()


def with_stray(logs: Path) -> Path:
    """Write `STRAY` into the wrong day's file, and nothing else that is wrong."""
    write_day(logs, str(DAY), [lines(DAY)[0], b'  {"odd":1} ', STRAY, *lines(DAY)[1:]])
    write_day(logs, str(TODAY), lines(TODAY))
    return tidy(logs)


def path_of(logs: Path, day: object) -> Path:
    """Return where the log file of a day stands."""
    return logs / f"token_usage_{day}.jsonl"
