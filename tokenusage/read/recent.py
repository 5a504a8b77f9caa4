"""Reading the newest records first: files from their ends, as far as is needed.

A file holds its records in the order in which they were written, which is nearly that of
their time. So everything that ended after the newest record of the piece that was read last
counts as read: that piece is the margin within which neighbours may have changed places.
What stands further from its place than that, such as an import behind newer records, or in
another day's file, may come too late for the question that is being answered. So does the
first record of an id whose repeat was read: the repeat counts until then. To look for the ids
of a page in the rest of a day of 150 MB would take 0.2 s, half of what a page may take.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.logs import DayFile
from tokenusage.read.arrays import concat
from tokenusage.read.duplicates import DAY, start_of, without_repeats
from tokenusage.read.forms import Piece
from tokenusage.read.gather import announced, touches, within
from tokenusage.read.ledger import Account, Ledger
from tokenusage.read.pool import threads
from tokenusage.read.scan import Part, Scan, accounted
from tokenusage.read.sealed import RowGroup
from tokenusage.read.segments import SEGMENT_BYTES, Segment, lines_before

_FIRST_BYTES: Final = 512 << 10
"""A page of the newest calls is in the last few kilobytes; who wants more reads larger pieces."""

_LINE_BYTES: Final = 400
"""Of a line, as long as none was read."""


class Recent:
    """The records of a period, being read from the newest on.

    Args:
        scan: of the directory, with `ahead` set, so that it reads nothing by itself.
        start: first moment of the period, in microseconds since the epoch; None is all before.
        end: first moment after it; None is all after.
        size: bytes of the piece of lines at the end of each file; the ones before it grow.
    """

    def __init__(
        self, scan: Scan, start: int | None, end: int | None, size: int = _FIRST_BYTES
    ) -> None:
        self._scan = scan
        self._start, self._end = start, end
        # A naive time may be of the day before or after the one in its file's name.
        slack = 0 if str(scan.plan.naive_zone) == "UTC" else DAY
        self._ends = [
            _end(file, pieces, slack, size) for file, pieces in _by_file(scan.forms.pieces)
        ]

    @property
    def frontier(self) -> int | None:
        """The time after which everything was read; None is all of the period."""
        return max((end.frontier for end in self._ends if self._is_open(end)), default=None)

    @property
    def is_whole(self) -> bool:
        """Whether everything was read that lies in the directory for this period."""
        return not any(end.unread for end in self._ends)

    def read_on(self) -> list[pa.Table]:
        """Read where the newest unread records are; return what the scan's shape made of them.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed.
            LogsError: a file can't be read.
        """
        end = max(filter(self._is_open, self._ends), key=lambda end: end.frontier)
        count = threads()
        pieces, end.unread = end.unread[:count], end.unread[count:]
        parts = list(self._scan.map(self._scan.read, pieces))
        end.parts += parts
        for part in parts:
            if self._scan.advance:
                self._scan.advance(part.size)
        tables = [table for part in parts for table in part.shaped]
        newest = [pc.max(table["time"]).as_py() for table in parts[-1].shaped if len(table)]
        end.frontier = min([end.frontier, *([max(newest)] if newest else [])])
        return tables

    def gathered(self) -> tuple[pa.Table, Ledger]:
        """Return the records that were read so far, each id once, and the account of all lines.

        Raises:
            ListingChangedError: the directory has changed since it was listed.
            LogsError: a file can't be read.
        """
        forms, ends = self._scan.forms, [end for end in self._ends if end.parts]
        ledger = Ledger(files=len(ends), refused=forms.refused)
        ledger.unanswered_days = [
            day.isoformat() for day in forms.unanswered if touches(day, self._start, self._end)
        ]
        days: dict[date, list[pa.Table]] = {}
        for end in ends:
            parts = end.parts[::-1]
            ledger.bytes += sum(part.size for part in parts)
            ledger.take(_account(parts, sealed_rows=not self.is_whole))
            tables = days.setdefault(end.file.day, [])
            tables += [table for part in parts for table in part.shaped]
        if self.is_whole:
            ledger.files, ledger.bytes = forms.files, forms.size
            ledger.take(forms.account)
        self._scan.check_unchanged()
        of_days = {day: concat(tables or [self._scan.nothing()]) for day, tables in days.items()}
        of_days = of_days or {self._scan.plan.today: self._scan.nothing()}
        found = sum(map(len, of_days.values()))
        table = concat(without_repeats(of_days, self._scan.map))
        ledger.duplicates += found - len(table)
        table = within(table, self._start, self._end, ledger)
        ledger.records = len(table)
        ledger.dropped = announced(table)
        return table, ledger

    def unread(self) -> float:
        """Return about how many records of the period have not been read.

        Lines are taken to be as long as those that were read, and spread evenly over
        what is left of their day.
        """
        read = [part for end in self._ends for part in end.parts]
        lines = [part for part in read if isinstance(part.piece, Segment)]
        count = sum(len(table) for part in lines for table in part.shaped)
        length = sum(part.size for part in lines) / count if count else _LINE_BYTES
        return sum(
            sum(_rows(piece, length) for piece in end.unread) * self._share(end)
            for end in self._ends
        )

    def _is_open(self, end: "_End") -> bool:
        """Return whether something of the period may be unread there."""
        too_old = self._start is not None and end.frontier < self._start
        too_new = self._end is not None and end.floor >= self._end
        return bool(end.unread) and not too_old and not too_new

    def _share(self, end: "_End") -> float:
        """Return how much of the time that is unread there lies in the period."""
        first, last = end.floor, max(end.frontier, end.floor + 1)
        inside_first = first if self._start is None else max(first, self._start)
        inside_last = last if self._end is None else min(last, self._end)
        return max(0, inside_last - inside_first) / (last - first)


@dataclass(slots=True)
class _End:
    """A file that is read from its end."""

    file: DayFile
    floor: int
    """No record in it is older, unless it stands in the wrong file."""
    frontier: int
    """No later record in it is unread."""
    unread: list[Piece]
    """From the end of the file to its beginning."""
    parts: list[Part] = field(default_factory=list)
    """What was read, in the same order."""


def _by_file(pieces: list[Piece]) -> Iterator[tuple[DayFile, list[Piece]]]:
    for file, of_file in groupby(pieces, lambda piece: piece.file):
        yield file, list(of_file)


def _end(file: DayFile, pieces: list[Piece], slack: int, size: int) -> _End:
    """Return a file of which nothing was read; its times may be off its day by `slack`."""
    midnight = start_of(file.day)
    return _End(file, midnight - slack, midnight + DAY - 1 + slack, _cut(pieces, size))


def _cut(pieces: list[Piece], size: int) -> list[Piece]:
    """Return the pieces of a file from its end on; of lines the first has this size."""
    if isinstance(pieces[0], RowGroup):
        return pieces[::-1]
    file, first = pieces[0].file, pieces[0].start
    end = file.size
    cut: list[Piece] = []
    while end > first:
        start = max(first, end - size)
        cut.append(Segment(file, start, end))
        end, size = start, min(2 * size, SEGMENT_BYTES)
    return cut


def _rows(piece: Piece, length: float) -> float:
    """Return how many records a piece holds, if its lines are of this length."""
    return piece.rows if isinstance(piece, RowGroup) else (piece.end - piece.start) / length


def _account(parts: list[Part], *, sealed_rows: bool) -> Account:
    """Return the account of parts that lie behind each other in one file, up to its end.

    With `sealed_rows` a row of a sealed file counts as the line that it was: what else
    was in that day is known of all of them together.
    """
    account = Account()
    for part, of_part in accounted(parts):
        account.add(of_part)
        if sealed_rows and isinstance(part.piece, RowGroup):
            account.lines += sum(len(found.table) for found in part.found)
    first = parts[0].piece
    if account.rejections and isinstance(first, Segment):
        before = lines_before(first)
        account.rejections = [
            replace(rejection, line=rejection.line + before) for rejection in account.rejections
        ]
    return account
