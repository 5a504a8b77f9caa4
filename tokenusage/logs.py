"""The log directory: the names of day files, what is there, and in which order.

A day is a UTC day. Its records stand in ``token_usage_YYYY-MM-DD.jsonl`` and in
any spill file ``token_usage_YYYY-MM-DD.<host>-<pid>-<random>.jsonl`` beside it;
a reader takes every ``token_usage_YYYY-MM-DD*.jsonl`` as that day.
"""

import os
import re
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tokenusage.errors import LogsError

# Only ASCII digits: \d would match Arabic ones too.
_DAY_FILE = re.compile(r"token_usage_([0-9]{4}-[0-9]{2}-[0-9]{2}).*\.jsonl\Z", re.DOTALL)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True, order=True)
class DayFile:
    """A log file of one UTC day; sorts by name, which is the order of reading."""

    name: str
    path: Path
    day: date
    size: int
    """Bytes when the directory was listed."""
    inode: int


def day_file_name(day: date) -> str:
    """Return the name of the shared file of a UTC day."""
    return f"token_usage_{day.isoformat()}.jsonl"


def parse_day(text: str) -> date | None:
    """Return the date that `text` writes as ``YYYY-MM-DD``, else None.

    Only the canonical form counts: `date.fromisoformat` alone also takes
    ``20250101`` and ``2025-W01-1``.
    """
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def day_of(name: str) -> date | None:
    """Return the UTC day that a file name stands for, None for any other name."""
    match = _DAY_FILE.match(name)
    return parse_day(match[1]) if match else None


def list_days(
    directory: Path, first: date | None = None, last: date | None = None
) -> tuple[list[DayFile], list[str]]:
    """List the day files of `directory` from `first` to `last`, both inclusive.

    Returns the files in order of name, and a sentence for each one that was
    refused because a symlink, FIFO, device or directory stands in its place.

    Raises:
        LogsError: the directory does not exist or can't be read.
    """
    files: list[DayFile] = []
    refused: list[str] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                day = day_of(entry.name)
                if day is None or (first and day < first) or (last and day > last):
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone since
                if stat.S_ISREG(status.st_mode):
                    path = directory / entry.name
                    size, inode = status.st_size, status.st_ino
                    files.append(DayFile(entry.name, path, day, size, inode))
                else:
                    refused.append(f"{entry.name} is not a regular file and was not read")
    except FileNotFoundError as error:
        raise LogsError(
            f"There is no log directory {str(directory)!r}: name the right one with --logs, "
            "or write samples to look at with `tokenusage demo`."
        ) from error
    except NotADirectoryError as error:
        raise LogsError(f"{str(directory)!r} is not a directory: name one with --logs.") from error
    except OSError as error:
        raise LogsError(
            f"The log directory {str(directory)!r} can't be read: {error.strerror}."
        ) from error
    return sorted(files), sorted(refused)
