"""Finding a single record by its id, as it was logged.

Files are searched for the bytes of the id before anything is parsed, the newest day first.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.keep.seal.decode import to_lines
from tokenusage.read.decode import as_text
from tokenusage.read.forms import Piece, Plan, look
from tokenusage.read.judge import judge
from tokenusage.read.parquet import NotOursError, ParquetFile
from tokenusage.read.pool import in_order, threads
from tokenusage.read.reader import Reader
from tokenusage.read.sealed import FORMAT, SCHEMA, RowGroup
from tokenusage.read.segments import (
    LISTINGS,
    Chunk,
    ListingChangedError,
    Segment,
    lines_before,
)
from tokenusage.record import Record

Watch = Callable[[int], AbstractContextManager[Callable[[int], None] | None]]
"""Given how many bytes there are to search, gives what is told of those that were."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record, and where it stands."""

    file: str
    """Name of the file in the log directory."""
    line: int | None
    """Line number, from 1; None in a sealed file, which has no lines."""
    record: Record


def look_up(
    logs: Path, plan: Plan, id_: str, watch: Watch = lambda _total: nullcontext()
) -> Found | None:
    """Return the record with an id: of those of one day the first, as reports count it.

    Args:
        logs: the log directory.
        plan: which days are searched; no fields, no summaries.
        id_: as text; a number that was logged is the text of its digits.
        watch: told of the progress.

    Raises:
        LogsError: a file can't be read, or the directory does not hold still.
    """
    pool = ThreadPoolExecutor(threads())
    try:
        for _ in range(LISTINGS):
            _, forms = look(logs, plan)
            with watch(forms.size) as advance:
                try:
                    return _first(pool, plan, forms.pieces, id_, advance)
                except ListingChangedError:
                    continue
    finally:
        pool.shutdown(cancel_futures=True)
    raise LogsError(f"The files in {str(logs)!r} change faster than they can be read: try again.")


def _first(
    pool: ThreadPoolExecutor,
    plan: Plan,
    pieces: list[Piece],
    id_: str,
    advance: Callable[[int], None] | None,
) -> Found | None:
    search = _Search(pool, plan, id_)
    for size, found in in_order(pool, search.piece, _newest_first(pieces)):
        if found is not None:
            return found
        if advance:
            advance(size)
    return None


def _newest_first(pieces: list[Piece]) -> Iterator[Piece]:
    """Yield the pieces of the newest day first, those of one day in their order."""
    days = [list(of_day) for _, of_day in groupby(pieces, lambda piece: piece.file.day)]
    for of_day in reversed(days):
        yield from of_day


class _Search:
    """The search for one id; threads may share it."""

    def __init__(self, pool: ThreadPoolExecutor, plan: Plan, id_: str) -> None:
        self._reader = Reader(pool)
        self._zone = plan.naive_zone
        self._id = id_
        spellings = [json.dumps(id_, ensure_ascii=ascii_)[1:-1] for ascii_ in (False, True)]
        # Some writers, PHP's among them, escape slashes too.
        spellings += [spelling.replace("/", "\\/") for spelling in spellings]
        self._spellings = {text.encode("utf-8", "surrogatepass") for text in spellings}

    def piece(self, piece: Piece) -> tuple[int, Found | None]:
        """Return how many bytes a piece has, and the record if it is in there."""
        try:
            if isinstance(piece, RowGroup):
                return piece.size, self._in_rows(piece)
            return piece.end - piece.start, self._reader.read(self._in_lines, piece)
        except OSError as error:
            raise LogsError(f"{str(piece.file.path)!r} can't be read: {error.strerror}.") from error
        except NotOursError as error:
            raise LogsError(f"{error}.") from error

    def _in_lines(self, segment: Segment, chunk: Chunk) -> Found | None:
        # In the reader's buffer, without a copy; what is behind the lines does no harm.
        buffer = chunk.data.obj
        if isinstance(buffer, bytearray) and all(s not in buffer for s in self._spellings):
            return None
        text = bytes(chunk.data) + chunk.tail
        for start, line in self._candidates(text):
            record = judge(line, self._zone).record
            if record is not None and as_text(record.get("id")) == self._id:
                number = lines_before(segment) + text.count(b"\n", 0, start) + 1
                return Found(segment.file.name, number, record)
        return None

    def _candidates(self, text: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the lines in which the id stands somewhere, and where each begins."""
        for spelling in self._spellings:
            end = 0
            while (place := text.find(spelling, end)) >= 0:
                start = text.rfind(b"\n", 0, place) + 1
                newline = text.find(b"\n", place)
                line_end = len(text) if newline < 0 else newline
                yield start, text[start:line_end]
                end = line_end + 1

    def _in_rows(self, group: RowGroup) -> Found | None:
        with ParquetFile(group.file, FORMAT, SCHEMA) as parquet:
            row = pc.index(parquet.read([group.number], ["id"], codes=())["id"], self._id).as_py()
            if row < 0:
                return None
            rows = parquet.read([group.number], SCHEMA.names, codes=())
        line = to_lines(rows.slice(row, 1).cast(SCHEMA))[0].as_py()
        record = judge(line.removesuffix("\n").encode(), self._zone).record
        return None if record is None else Found(group.file.name, None, record)
