"""Where a record stands, for a person who looks for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Self

from tokenusage.read.forms import Piece
from tokenusage.read.lines import read_lines
from tokenusage.read.scan import Part
from tokenusage.read.sealed import RowGroup
from tokenusage.read.segments import BUFFER_BYTES, ListingChangedError, Segment, read_segment


@dataclass(frozen=True, slots=True)
class Place:
    """A record, by the piece of a file in which it was found."""

    piece: Piece
    lines: int
    """Lines of the file before the piece."""
    rows: int
    """Records of the file before the piece."""
    row: int
    """Which record of the piece it is, from 0."""
    one_each: bool
    """Whether every line of the piece is one record."""

    @classmethod
    def first_of(cls, part: Part, lines: int, rows: int) -> Self:
        """Return the first record of a part, with so many lines and records before it."""
        found = part.found
        one_each = all(some.lines == some.table.num_rows for some in found)
        return cls(part.piece, lines, rows, 0, one_each)

    def plus(self, rows: int) -> Self:
        """Return the record so many records behind this one."""
        return replace(self, row=self.row + rows)

    def text(self, naive_zone: tzinfo) -> str:
        """Return it as ``FILE:LINE``, or as the row of a sealed file; numbers are from 1.

        Where lines are blank, torn or no records, the piece is read once more. A file
        that has changed meanwhile is named without a line.
        """
        name = self.piece.file.name
        if isinstance(self.piece, RowGroup):
            return f"{name} row {self.rows + self.row + 1}"
        if self.one_each:
            return f"{name}:{self.lines + self.row + 1}"
        try:
            places = enumerate(_records_by_line(self.piece, naive_zone), self.lines + 1)
        except (ListingChangedError, OSError):
            return name
        before = 0
        for line, records in places:
            before += records
            if before > self.row:
                return f"{name}:{line}"
        return name


def _records_by_line(segment: Segment, naive_zone: tzinfo) -> Iterator[int]:
    """Yield how many records each line of a segment is: none, or one."""
    chunk = read_segment(segment, bytearray(BUFFER_BYTES))
    lines = bytes(chunk.data).split(b"\n")[:-1]
    return (read_lines(line, (), naive_zone).table.num_rows for line in [*lines, chunk.tail])
