"""CSV: lines to rows of cells, with the bytes that each row stands in."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from tokenusage.ingest.lines import Line


@dataclass(frozen=True, slots=True)
class CellRow:
    """A row of a CSV file, or the line that is none."""

    line: int
    """Number of its first line, from 1."""
    raw: bytes
    """The bytes that it stands in, with the newline at its end."""
    cells: list[str]
    """Empty for a blank line."""
    fault: str = ""
    """Why it can't be read, where it can't."""


def read_cells(lines: Iterator[Line], delimiter: str) -> Iterator[CellRow]:
    """Yield the rows of a CSV file as RFC 4180 has them; quoted cells may hold newlines.

    A line that can't be the start of a row is given as a fault, and reading
    goes on with the next line: a quote that is never closed costs one row.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            first = feed.keep_only_first()
            yield CellRow(first.number, first.raw, [], first.fault or f"is not CSV: {error}")
            continue
        first = feed.taken[0]
        fault = next((line.fault for line in feed.taken if line.fault), "")
        yield CellRow(first.number, b"".join(line.raw for line in feed.taken), cells, fault)


class _Feed:
    """Text lines for a csv.reader; remembers which ones it took, and takes them back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()
        self.taken: list[Line] = []

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        text = ""
        try:
            text = line.raw.decode()
        except UnicodeDecodeError:
            line = Line(line.number, line.raw, line.end, "is not UTF-8")
        self.taken.append(line)
        # A line with a fault is fed as a blank one, and the fault is found in `taken`.
        return text

    def keep_only_first(self) -> Line:
        """Take back all lines but the first of those taken, and return that one."""
        first, *others = self.taken
        self._returned.extendleft(reversed(others))
        return first
