"""Reading the records of many files at once, in threads that outlast the caller's imports.

Nothing here needs pandas: a command starts a scan first and imports pandas while
the threads are reading.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from tokenusage.errors import LogsError
from tokenusage.logs import DayFile, list_logs
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import extra_fields
from tokenusage.read.details import DetailsDay, DetailsMonth
from tokenusage.read.duplicates import MapTables
from tokenusage.read.forms import Piece, Plan, look, newest_day
from tokenusage.read.ledger import MAX_REJECTIONS, Account, Rejection
from tokenusage.read.lines import Lines, read_lines, schema
from tokenusage.read.parquet import NotOursError
from tokenusage.read.pool import in_order, threads
from tokenusage.read.sealed import RowGroup, read_group
from tokenusage.read.segments import (
    BUFFER_BYTES,
    LONGEST_LINE,
    Chunk,
    ListingChangedError,
    Segment,
    read_segment,
)
from tokenusage.read.shape import columns_of
from tokenusage.read.summaries import Month, SummaryDay, summary_columns

_WORTH_THREADS: Final = 8 << 20
"""Fewer bytes are read sooner than threads are started."""

Shape = Callable[[pa.Table, tuple[str, ...]], Any]
"""Turns a table of records, as `lines.schema` types it, and the names of the fields
asked for into what is wanted of them. Texts may be codes into the distinct ones."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one piece of a file gave."""

    piece: Piece
    shaped: list[Any]
    """What the scan's shape made of the records, one for each of `found`."""
    found: list[Lines]
    """Its whole lines and, where there is one, the file's last, unterminated one."""

    @property
    def size(self) -> int:
        """Bytes that were read."""
        piece = self.piece
        return piece.end - piece.start if isinstance(piece, Segment) else piece.size


class DetailsError(Exception):
    """The details of a day can't be read, unlike its records."""


class Scan:
    """A directory being read; a context manager that ends its threads.

    Args:
        logs: the log directory.
        plan: what is to be read.
        shape: what becomes of the records, in the threads; `columns_of` if None.
        ahead: how many parts are read before the first one is taken; all if None.

    Raises:
        LogsError: the directory can't be read.
    """

    def __init__(
        self, logs: Path, plan: Plan, shape: Shape | None = None, *, ahead: int | None = None
    ) -> None:
        self.logs = logs
        self.plan = plan
        self.advance: Callable[[int], None] | None = None
        """Told how many bytes were read since it was last told."""
        self.in_flight = False
        """Whether a last line was left out because it may still be being written."""
        self._shape = shape or columns_of
        self._ahead = ahead
        self._extra = extra_fields(plan.fields)
        self._clean = CleanReader(self._extra, plan.naive_zone)
        self._own = threading.local()
        self._listing, self.forms = look(logs, plan)
        self.newest_day = newest_day(self._listing)
        self._pool: ThreadPoolExecutor | None = None
        self.map: MapTables = map
        if threads() > 1 and (self.forms.size > _WORTH_THREADS or self.forms.months):
            self._pool = ThreadPoolExecutor(threads())
            self.map = self._pool.map
        columns = summary_columns(plan.fields)
        self._months = [self._started(_read_month, *month, columns) for month in self.forms.months]
        self._details = [self._started(_read_details, *month) for month in self.forms.details]
        self._parts = self._read_all()

    def again(self, plan: Plan | None = None) -> "Scan":
        """Return a new scan of the same directory, listed anew."""
        scan = Scan(self.logs, plan or self.plan, self._shape, ahead=self._ahead)
        scan.advance = self.advance
        return scan

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def parts(self) -> Iterator[Part]:
        """Yield the parts in the order of `Forms.pieces`, each once.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed.
            LogsError: a file can't be read.
        """
        for part in self._parts:
            if self.advance:
                self.advance(part.size)
            yield part

    def summary(self) -> pa.Table | None:
        """Return the rows of all summaries that are read instead of records, if any; once.

        Their columns are `summary_columns`.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed.
            LogsError: a file can't be read.
        """
        tables = [rows() for rows in self._months]
        self._months = []  # they would keep the rows in memory
        return pa.concat_tables(tables) if tables else None

    def details(self) -> pa.Table | None:
        """Return the details of all days that are read by their sums, if any; once.

        Their columns are those of `details.SCHEMA`; a final day has none.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed.
            DetailsError: a file is damaged; the records tell the same.
        """
        tables = [rows() for rows in self._details]
        self._details = []
        return pa.concat_tables(tables) if tables else None

    def check_unchanged(self) -> None:
        """Make sure that everything was read of one state of the directory.

        A log file that was taken in meanwhile may have a successor with its name, and even
        its inode number; but what took it in is new.

        Raises:
            ListingChangedError: a sealed file, a summary or its details are new or others.
            LogsError: the directory can't be read.
        """
        if list_logs(self.logs).parquet != self._listing.parquet:
            raise ListingChangedError(str(self.logs))

    def nothing(self) -> Any:
        """Return what the shape makes of no records."""
        return self._shape(schema(self._extra).empty_table(), self.plan.fields)

    def read(self, piece: Piece) -> Part:
        """Read one piece of a file, in any thread.

        Raises:
            ListingChangedError: the file is gone, or another, since it was listed.
            LogsError: it can't be read.
        """
        found = self.find(piece)
        return Part(piece, [self._shape(lines.table, self.plan.fields) for lines in found], found)

    def find(self, piece: Piece) -> list[Lines]:
        """Find the records in one piece of a file, in any thread; raises as `read` does."""
        return self._find_rows(piece) if isinstance(piece, RowGroup) else self._find_lines(piece)

    def _read_all(self) -> Iterable[Part]:
        if self._pool is None:
            return map(self.read, self.forms.pieces)
        if self._ahead is None:
            return self._pool.map(self.read, self.forms.pieces)
        return in_order(self._pool, self.read, self.forms.pieces, self._ahead)

    def _started(self, work: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
        """Start `work` in a thread, where there are some; return what gives its result."""
        if self._pool is None:
            return partial(work, *arguments)
        return self._pool.submit(work, *arguments).result

    def _find_lines(self, segment: Segment) -> list[Lines]:
        # Each thread reads into a buffer of its own.
        if not hasattr(self._own, "buffer"):
            self._own.buffer = bytearray(BUFFER_BYTES)
        try:
            chunk = read_segment(segment, self._own.buffer)
        except OSError as error:
            raise LogsError(f"{segment.file.path} can't be read: {error.strerror}.") from error
        return self._lines(chunk, segment.file.day)

    def _find_rows(self, group: RowGroup) -> list[Lines]:
        try:
            return [read_group(group, self._extra, self._clean, self.plan.naive_zone)]
        except NotOursError as error:
            # Their lines are not accounted for, as if the file had never had them.
            self.forms.account.lines -= group.rows
            self.forms.miss(error)
            return []

    def _lines(self, chunk: Chunk, day: date) -> list[Lines]:
        extra, zone = self._extra, self.plan.naive_zone
        found = [self._clean.read(chunk.data) or read_lines(bytes(chunk.data), extra, zone)]
        if chunk.too_long:
            none = schema(extra).empty_table()
            reason = f"is longer than {LONGEST_LINE >> 20} MiB"
            found.append(Lines(none, 1, rejections=[(1, reason)]))
        elif chunk.tail:
            last = read_lines(chunk.tail, extra, zone)
            in_flight = chunk.growing or day >= self.plan.today - timedelta(days=1)
            if last.table.num_rows or not in_flight:
                found.append(last)
            else:
                self.in_flight = True
        return found


def accounted(parts: Iterable[Part]) -> Iterator[tuple[Part, Account]]:
    """Yield each part, in the order in which a scan gives them, with the account of its lines.

    Rows of sealed files are no lines: `Forms.account` tells of those that they were.
    """
    for file, of_file in groupby(parts, lambda part: part.piece.file):
        line = 0
        for part in of_file:
            account = Account()
            for found in part.found:
                account.lines += found.lines + found.salvaged
                account.blank += found.blank
                account.rejected += len(found.rejections)
                account.rejections += [
                    Rejection(file.name, line + number, reason)
                    for number, reason in found.rejections[:MAX_REJECTIONS]
                ]
                line += found.lines
            yield part, account


def _read_month(file: DayFile, days: list[SummaryDay], columns: list[str]) -> pa.Table:
    try:
        with Month(file) as month:
            return month.read([day.day for day in days], columns)
    except NotOursError as error:
        raise LogsError(f"{error}.") from error


def _read_details(file: DayFile, days: list[DetailsDay]) -> pa.Table:
    try:
        with DetailsMonth(file) as month:
            return month.read([day.day for day in days])
    except NotOursError as error:
        raise DetailsError from error
