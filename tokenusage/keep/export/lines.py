"""Giving back what was logged as JSON lines, byte for byte.

A day comes out in the order in which it is read: what is sealed first, then its log
files by name. Nothing is left out but what is no record, and nothing is counted once
that stands there twice.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import compress, groupby
from pathlib import Path
from typing import Final

import pyarrow as pa

from tokenusage.analyse.filters import Mask
from tokenusage.errors import LogsError, ReplacedError
from tokenusage.keep.export.choice import Choice
from tokenusage.keep.seal.decode import to_text
from tokenusage.logs import DayFile, Listing, list_logs
from tokenusage.read.arrays import from_numpy
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import extra_fields
from tokenusage.read.forms import Forms, Piece, Plan, look
from tokenusage.read.gather import touches
from tokenusage.read.judge import judge
from tokenusage.read.lines import read_lines
from tokenusage.read.parquet import NotOursError, ParquetFile
from tokenusage.read.pool import in_order, threads
from tokenusage.read.reader import Reader
from tokenusage.read.sealed import FORMAT, SCHEMA, RowGroup, open_sealed, read_group
from tokenusage.read.segments import Chunk, ListingChangedError, Segment
from tokenusage.read.shape import columns_of

_ROWS: Final = 16_384
"""Rows of a sealed day that are turned into lines at a time."""

Watch = Callable[[int], AbstractContextManager[Callable[[int], None] | None]]
"""Given how many bytes there are to read, gives what is told of those that were read."""


@dataclass(slots=True)
class Exported:
    """What came out, and what could not."""

    records: int = 0
    rejected: int = 0
    """Lines, or torn parts of lines, that are no records."""
    outside: int = 0
    """Records of other times than the period, in the files that were opened."""
    filtered: int = 0
    """Records of the period that the filters leave out."""
    summary_only: set[date] = field(default_factory=set)
    """Days of which records were removed, so that only sums are left of those."""
    refused: list[str] = field(default_factory=list)
    """A sentence for each file that is not read at all."""


def export_lines(
    logs: Path,
    plan: Plan,
    choice: Choice,
    write: Callable[[bytes | memoryview], object],
    watch: Watch = lambda _total: nullcontext(),
) -> Exported:
    r"""Write the lines of all records that are chosen, each with its "\n".

    Args:
        logs: the log directory.
        plan: which days, and the fields that are filtered by; no summaries.
        choice: which of their records.
        write: is given the lines, some thousand at a time.
        watch: told of the progress.

    Raises:
        LogsError: a file can't be read.
        ReplacedError: one was replaced while its day was written.
        WrongUseError: a filter compares a number with something that is none.
    """
    pool = ThreadPoolExecutor(threads())
    try:
        listing, forms = look(logs, plan)
        with watch(forms.size) as advance:
            return _Export(logs, plan, choice, pool, write, advance=advance).run(listing, forms)
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Lines:
    """The records of one piece of a file."""

    text: bytes | memoryview
    records: int
    rejected: int = 0
    outside: int = 0
    filtered: int = 0
    size: int = 0
    """Bytes of the file that they come from."""


@dataclass(frozen=True, slots=True)
class _Picked:
    """Which of some records come out, and why the others don't."""

    mask: Mask | None = None
    """None where all do."""
    records: int = 0
    outside: int = 0
    filtered: int = 0

    def of(self, text: bytes) -> bytes:
        r"""Return their lines among those of all, each with its "\n"."""
        if self.mask is None or self.mask.all():
            return text
        return b"".join(line + b"\n" for line in compress(text.split(b"\n"), self.mask))


class _Export:
    """One export."""

    def __init__(
        self,
        logs: Path,
        plan: Plan,
        choice: Choice,
        pool: ThreadPoolExecutor,
        write: Callable[[bytes | memoryview], object],
        *,
        advance: Callable[[int], None] | None,
    ) -> None:
        self._logs = logs
        self._plan = plan
        self._choice = choice
        self._pool = pool
        self._write = write
        self._advance = advance
        self._reader = Reader(pool)
        self._extra = extra_fields(plan.fields)
        self._clean = CleanReader(self._extra, plan.naive_zone)
        self._done = Exported()
        self._in_day = False
        """Whether something of the present day has been written."""

    def run(self, listing: Listing, forms: Forms) -> Exported:
        """Write everything, listing again what a rotation replaces meanwhile."""
        self._done.refused = forms.refused
        while True:
            self._done.summary_only |= {
                day
                for day in forms.unanswered
                if touches(day, self._choice.start, self._choice.end)
            }
            try:
                self._days(listing, forms)
            except ListingChangedError as error:
                if self._in_day:
                    raise ReplacedError(
                        f"The files of {self._plan.first} were replaced while they were being "
                        "exported: export them again."
                    ) from error
                listing, forms = look(self._logs, self._plan)
            else:
                return self._done

    def _days(self, listing: Listing, forms: Forms) -> None:
        sealed = {day for day in listing.sealed if self._plan.covers(day)}
        pieces = {
            day: list(of_day) for day, of_day in groupby(forms.pieces, lambda piece: piece.file.day)
        }
        for day in sorted({*pieces, *sealed.difference(forms.unanswered)}):
            self._plan = replace(self._plan, first=day)
            self._in_day = False
            rejected = _rejected(listing.sealed[day]) if day in sealed else 0
            for lines in self._read(pieces.get(day, [])):
                self._write(lines.text)
                self._in_day = self._in_day or bool(lines.text)
                self._done.records += lines.records
                self._done.outside += lines.outside
                self._done.filtered += lines.filtered
                rejected += lines.rejected
                if self._advance:
                    self._advance(lines.size)
            if list_logs(self._logs).sealed.get(day) != listing.sealed.get(day):
                # A late log file may have had the name and the inode of one that was sealed.
                raise ListingChangedError(str(day))
            self._done.rejected += rejected

    def _read(self, pieces: Iterable[Piece]) -> Iterator[_Lines]:
        for file, of_file in groupby(pieces, lambda piece: piece.file):
            try:
                for piece in of_file:
                    if isinstance(piece, RowGroup):
                        yield from self._sealed(piece)
                    else:
                        yield from self._reader.each(self._logged, file, piece.start)
                        break  # those were all of the file's
            except OSError as error:
                why = error.strerror or error
                raise LogsError(f"{str(file.path)!r} can't be read: {why}.") from error
            except NotOursError as error:
                raise LogsError(f"{error}.") from error

    def _sealed(self, group: RowGroup) -> Iterator[_Lines]:
        with ParquetFile(group.file, FORMAT, SCHEMA) as parquet:
            table = parquet.read([group.number], SCHEMA.names)
        picked = _Picked()
        if not self._choice.is_everything:
            found = read_group(group, self._extra, self._clean, self._plan.naive_zone)
            picked = self._pick(found.table)
        if picked.mask is not None:
            table = table.filter(from_numpy(picked.mask))
        slices = (table.slice(start, _ROWS).cast(SCHEMA) for start in range(0, len(table), _ROWS))
        yield from in_order(self._pool, _decoded, slices)
        yield _Lines(b"", 0, outside=picked.outside, filtered=picked.filtered, size=group.size)

    def _logged(self, segment: Segment, chunk: Chunk) -> _Lines:
        size = segment.end - segment.start
        found = self._clean.read(chunk.data)
        if found is not None and not chunk.tail and not chunk.too_long:
            picked = self._pick(found.table)
            text = picked.of(bytes(chunk.data))
            return _Lines(text, picked.records, 0, picked.outside, picked.filtered, size)
        in_flight = chunk.growing or segment.file.day >= self._plan.today - timedelta(days=1)
        accepted, rejected = self._judged(bytes(chunk.data).split(b"\n"))
        last, torn = self._judged([chunk.tail])
        torn = 0 if in_flight and not last else torn
        text = b"".join(line + b"\n" for line in accepted + last)
        picked = self._pick(read_lines(text, self._extra, self._plan.naive_zone).table)
        rejected += torn + chunk.too_long
        return _Lines(
            picked.of(text), picked.records, rejected, picked.outside, picked.filtered, size
        )

    def _pick(self, records: pa.Table) -> _Picked:
        """Return which of some records are chosen."""
        if self._choice.is_everything:
            return _Picked(None, len(records))
        shaped = columns_of(records, self._plan.fields)
        inside = self._choice.inside(shaped)
        mask = inside & self._choice.passing(shaped)
        chosen = int(mask.sum())
        found = int(inside.sum())
        return _Picked(mask, chosen, len(records) - found, found - chosen)

    def _judged(self, lines: Iterable[bytes]) -> tuple[list[bytes], int]:
        """Return the records among some lines, and how many pieces are none."""
        judged = [judge(line, self._plan.naive_zone) for line in lines if line.strip()]
        accepted = [one.line for one in judged if one.record is not None]
        return accepted, sum(bool(one.piece) for one in judged)


def _decoded(table: pa.Table) -> _Lines:
    return _Lines(to_text(table), len(table))


def _rejected(sealed: DayFile) -> int:
    """Return how many lines of a sealed day were no records."""
    try:
        return open_sealed(sealed)[0].account.rejected
    except NotOursError:
        return 0  # it is not read at all, which is said
