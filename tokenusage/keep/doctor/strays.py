"""The lines of a log file, taken apart by the day that their records are of."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from io import BufferedReader
from pathlib import Path
from typing import Final, NamedTuple

from tokenusage.read.decode import as_text, microseconds
from tokenusage.read.duplicates import DAY
from tokenusage.read.judge import judge
from tokenusage.read.segments import LONGEST_LINE, open_regular

EPOCH: Final = date(1970, 1, 1)


class Key(NamedTuple):
    """What makes two records one."""

    day: date
    """Its UTC day."""
    id: str
    """As the reader compares it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log file; what there is of it has a newline, but for pieces of endless ones."""

    whole: bytes
    """Byte for byte, as it stands there."""
    piece: bytes = b""
    """What of it is no record."""
    record: bytes = b""
    """What of it is one, if that has an id."""
    key: Key | None = None
    """Of that record."""


def read_apart(path: Path, naive_zone: tzinfo) -> Iterator[Line]:
    """Yield the lines of a log file, in order.

    Raises:
        OSError: it can't be read, or is no regular file.
    """
    with open(path, "rb", opener=open_regular) as file:
        for line, is_whole in _lines(file):
            yield _apart(line, naive_zone) if is_whole else Line(line)


def _lines(source: BufferedReader) -> Iterator[tuple[bytes, bool]]:
    """Yield a file in lines, and whether each is whole: endless ones come in pieces."""
    begins = True
    while line := source.readline(LONGEST_LINE):
        ends = line.endswith(b"\n")
        yield line, begins and (ends or len(line) < LONGEST_LINE)
        begins = ends


def _apart(line: bytes, naive_zone: tzinfo) -> Line:
    judged = judge(line.removesuffix(b"\n"), naive_zone)
    record = judged.record
    id_ = None if record is None else as_text(record.get("id"))
    if record is None or id_ is None:
        return Line(line)
    day = EPOCH + timedelta(days=microseconds(record["timestamp"], naive_zone) // DAY)
    piece = judged.piece + b"\n" if judged.piece else b""
    return Line(line, piece, judged.line + b"\n", Key(day, id_))
