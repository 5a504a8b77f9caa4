"""Moving records that stand in the file of another day to where they belong.

They are put into the right file first, durably; only then does a new file without
them take the wrong one's place. Killed in between, both files hold them, and as they
have ids they count once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta, tzinfo
from io import BufferedReader
from pathlib import Path
from typing import Final

from tokenusage.files import put_in_place, temporary_path
from tokenusage.keep.hold import hold
from tokenusage.keep.judge import judge
from tokenusage.logs import DayFile
from tokenusage.read.duplicates import DAY
from tokenusage.read.lines import as_text, microseconds
from tokenusage.read.segments import LONGEST_LINE, open_regular
from tokenusage.write.appender import Appender

_EPOCH: Final = date(1970, 1, 1)
_BATCH: Final = 256 << 10
"""Bytes that are collected for a day before they are appended."""


def move_records(
    file: DayFile, appender: Appender, naive_zone: tzinfo, may_go_to: Callable[[date], bool]
) -> int:
    """Move the records of other days, byte for byte, out of a log file into their own.

    Args:
        file: a file of a closed day, as it was listed.
        appender: appends them durably (``sync``) to the files of their days.
        naive_zone: the zone of timestamps that have none.
        may_go_to: whether records may be put into the file of a day; only those that
            have an id are.

    Returns:
        How many were moved.

    Raises:
        HeldError: another process keeps the file locked.
        ListingChangedError: the file has changed since it was listed; it is as it was.
        OSError: it could not be done; each record is where it was, or in both places.
    """
    temporary = temporary_path(file.path.parent)
    try:
        moved = _part(file, appender, naive_zone, may_go_to, temporary)
        if moved:
            with hold([file]):
                put_in_place(temporary, file.path, file.path.stat())
    finally:
        temporary.unlink(missing_ok=True)
    return moved


def _part(
    file: DayFile,
    appender: Appender,
    naive_zone: tzinfo,
    may_go_to: Callable[[date], bool],
    temporary: Path,
) -> int:
    """Append what is to be moved to its days, and write the rest to a new file."""
    moved = 0
    waiting: dict[date, bytes] = defaultdict(bytes)
    with (
        open(file.path, "rb", opener=open_regular) as source,
        temporary.open("xb") as rest,
    ):
        temporary.chmod(0o600)
        for line, is_whole in _lines(source):
            stays, moves, day = _parted(line, naive_zone) if is_whole else (line, b"", None)
            if day is None or day == file.day or not may_go_to(day):
                rest.write(line)
                continue
            rest.write(stays)
            waiting[day] += moves
            moved += 1
            if len(waiting[day]) >= _BATCH:
                appender.append(day, waiting.pop(day))
        for day, lines in waiting.items():
            appender.append(day, lines)
    return moved


def _lines(source: BufferedReader) -> Iterator[tuple[bytes, bool]]:
    """Yield a file in lines, and whether each is whole: endless ones come in pieces."""
    begins = True
    while line := source.readline(LONGEST_LINE):
        ends = line.endswith(b"\n")
        yield line, begins and (ends or len(line) < LONGEST_LINE)
        begins = ends


def _parted(line: bytes, naive_zone: tzinfo) -> tuple[bytes, bytes, date | None]:
    """Return what of a line is no record, what is one, and its UTC day if it has an id.

    Each has a newline, if there is any of it.
    """
    text = line.removesuffix(b"\n")
    judged = judge(text, naive_zone)
    record = judged.record
    if record is None or as_text(record.get("id")) is None:
        return line, b"", None
    day = _EPOCH + timedelta(days=microseconds(record["timestamp"], naive_zone) // DAY)
    return judged.piece + b"\n" if judged.piece else b"", judged.line + b"\n", day
