"""The log directory: the names of day files, what is there, and in which order.

A day is a UTC day. Its records stand in

- ``token_usage_YYYY-MM-DD.jsonl``, to which all processes append, and any spill file
  ``token_usage_YYYY-MM-DD.<host>-<pid>-<random>.jsonl`` beside it; a reader takes every
  ``token_usage_YYYY-MM-DD*.jsonl`` as that day;
- ``token_usage_YYYY-MM-DD.parquet`` where the day is sealed, with the lines that were
  no records in ``rejected_YYYY-MM-DD.jsonl``;

and the sums of the days of a month in ``summary_YYYY-MM.parquet``, beside which
``details_YYYY-MM.parquet`` holds what those leave out.
"""

import os
import re
import stat
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tokenusage.errors import LogsError

# Only ASCII digits: \d would match Arabic ones too.
_NAME = re.compile(
    r"token_usage_(?P<raw>[0-9]{4}-[0-9]{2}-[0-9]{2}).*\.jsonl"
    r"|token_usage_(?P<sealed>[0-9]{4}-[0-9]{2}-[0-9]{2})\.parquet"
    r"|summary_(?P<summary>[0-9]{4}-[0-9]{2})\.parquet"
    r"|details_(?P<details>[0-9]{4}-[0-9]{2})\.parquet",
    re.DOTALL,
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

_HIDDEN: Final = ".tokenusage"
"""How the names of locks and of unfinished files begin."""

_LISTINGS: Final = 10
"""How often a directory is listed before it is given up as never at rest."""


@dataclass(frozen=True, slots=True, order=True)
class DayFile:
    """A file of one UTC day; sorts by name, which is the order of reading."""

    name: str
    path: Path
    day: date
    """Of a summary and of details, the first day of their month."""
    size: int
    """Bytes when the directory was listed."""
    inode: int
    stamp: tuple[int, int] = (0, 0)
    """When its content and its entry were changed, in nanoseconds; the second can't be
    set back by anybody."""

    @classmethod
    def of(cls, path: Path, day: date, status: os.stat_result) -> "DayFile":
        """Return the file at `path` as it is now."""
        stamp = (status.st_mtime_ns, status.st_ctime_ns)
        return cls(path.name, path, day, status.st_size, status.st_ino, stamp)


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything in a log directory that a reader may look at, as it was at one moment."""

    directory: Path
    raw: tuple[DayFile, ...]
    """Log files, spill files among them, in order of name."""
    sealed: dict[date, DayFile]
    """The sealed file of each day that has one, in order."""
    summaries: tuple[DayFile, ...]
    """In order of month."""
    details: tuple[DayFile, ...]
    """In order of month."""
    refused: tuple[str, ...]
    """A sentence for each name where something else than a regular file stands."""

    @property
    def parquet(self) -> tuple[DayFile, ...]:
        """All files that are only ever replaced as a whole."""
        return (*self.sealed.values(), *self.summaries, *self.details)

    @property
    def in_use(self) -> bool:
        """Whether there is a record, or was one."""
        return bool(self.sealed or self.summaries or any(file.size for file in self.raw))


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
    """Return the UTC day of a log file's name, None for any other name."""
    kind, day = _kind_and_day(name)
    return day if kind == "raw" else None


def is_ours(name: str) -> bool:
    """Return whether a name is one of those that this package gives to files in a log directory."""
    day = parse_day(name.removeprefix("rejected_").removesuffix(".jsonl"))
    is_rejected = day is not None and name == rejected_name(day)
    return is_rejected or _kind_and_day(name)[1] is not None or name.startswith(_HIDDEN)


def sealed_name(day: date) -> str:
    """Return the name of the sealed file of a UTC day."""
    return f"token_usage_{day.isoformat()}.parquet"


def rejected_name(day: date) -> str:
    """Return the name of the file of a sealed day's lines that were no records."""
    return f"rejected_{day.isoformat()}.jsonl"


def summary_name(day: date) -> str:
    """Return the name of the file with the summaries of the month of a UTC day."""
    return f"summary_{day.isoformat()[:7]}.parquet"


def details_name(day: date) -> str:
    """Return the name of the file with the details of the month of a UTC day."""
    return f"details_{day.isoformat()[:7]}.parquet"


def list_logs(directory: Path) -> Listing:
    """List a log directory as it was at one moment.

    A single listing of a directory that is being changed may miss a file that was
    renamed meanwhile, so it is listed until two in a row are alike.

    Raises:
        LogsError: the directory does not exist, can't be read, or is never at rest.
    """
    listing, names = _list(directory)
    for _ in range(_LISTINGS):
        before = names
        listing, names = _list(directory)
        if names == before:
            return listing
    raise LogsError(f"The files in {str(directory)!r} change faster than they can be listed.")


def _list(directory: Path) -> tuple[Listing, set[tuple[str, int]]]:
    """List once; also return which file stands at each name."""
    kinds: dict[str, list[DayFile]] = {name: [] for name in _NAME.groupindex}
    refused: list[str] = []
    names: set[tuple[str, int]] = set()
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                kind, day = _kind_and_day(entry.name)
                if day is None:
                    continue
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # gone since
                names.add((entry.name, status.st_ino))
                if stat.S_ISREG(status.st_mode):
                    kinds[kind].append(DayFile.of(directory / entry.name, day, status))
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
    listing = Listing(
        directory=directory,
        raw=tuple(sorted(kinds["raw"])),
        sealed={file.day: file for file in sorted(kinds["sealed"])},
        summaries=tuple(sorted(kinds["summary"])),
        details=tuple(sorted(kinds["details"])),
        refused=tuple(sorted(refused)),
    )
    return listing, names


def _kind_and_day(name: str) -> tuple[str, date | None]:
    """Return what a name stands for, and its day; None for any other name."""
    match = _NAME.fullmatch(name)
    if match is None or match.lastgroup is None:
        return "", None
    text = match[match.lastgroup]
    of_month = match.lastgroup in {"summary", "details"}
    return match.lastgroup, parse_day(f"{text}-01" if of_month else text)
