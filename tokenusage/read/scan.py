"""Reading the segments of many files at once, in threads that outlast the caller's imports.

Nothing here needs pandas: a command starts a scan first and imports pandas while
the threads are reading.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.logs import list_days
from tokenusage.read.arrays import concat, from_numpy, to_numpy
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import COUNTS, TOKENS, column_of, extra_fields
from tokenusage.read.duplicates import MapTables
from tokenusage.read.exact import to_integers
from tokenusage.read.lines import Lines, read_lines, schema
from tokenusage.read.segments import (
    BUFFER_BYTES,
    LONGEST_LINE,
    Chunk,
    Segment,
    read_segment,
    segments,
)
from tokenusage.record import MAX_TOKENS, MICRO, PICO

_MAX_THREADS: Final = 4
_WORTH_THREADS: Final = 8 << 20
"""Fewer bytes are read sooner than threads are started."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be read."""

    first: date | None
    """First UTC day whose files are opened; None is all before."""
    last: date | None
    """Last one; None is all after."""
    fields: tuple[str, ...]
    """Fields that are asked for by name, from `columns.fields_of`."""
    naive_zone: tzinfo
    """Zone of timestamps that have none."""
    today: date
    """The UTC day: an unterminated last line of it or the day before is in flight."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one segment gave."""

    segment: Segment
    table: pa.Table
    """The columns that the scan's shape gives."""
    found: list[Lines]
    """The accounts of its whole lines and, where there is one, of its last, unterminated one."""


Shape = Callable[[pa.Table, tuple[str, ...]], pa.Table]
"""Turns a table of records, as `lines.schema` types it, and the names of the fields
asked for into the columns that are wanted; `time` and `id` must be among them."""


class Scan:
    """A directory being read; a context manager that ends its threads.

    Args:
        logs: the log directory.
        plan: what is to be read.
        shape: what becomes of the records, in the threads; `columns_of` if None.

    Raises:
        LogsError: the directory can't be read.
    """

    def __init__(self, logs: Path, plan: Plan, shape: Shape | None = None) -> None:
        self.logs = logs
        self.plan = plan
        self.advance: Callable[[int], None] | None = None
        """Told how many bytes were read since it was last told."""
        self._shape = shape or columns_of
        listed, self.refused = list_days(logs)
        self.newest_day = max((file.day for file in listed if file.size), default=None)
        self.files = [
            file
            for file in listed
            if (plan.first is None or plan.first <= file.day)
            and (plan.last is None or file.day <= plan.last)
        ]
        self.size = sum(file.size for file in self.files)
        """Bytes of all files together."""
        self._extra = extra_fields(plan.fields)
        self._clean = CleanReader(self._extra, plan.naive_zone)
        self._own = threading.local()
        self._pool: ThreadPoolExecutor | None = None
        self.map: MapTables = map
        threads = min(os.cpu_count() or 1, _MAX_THREADS)
        if threads > 1 and self.size > _WORTH_THREADS:
            self._pool = ThreadPoolExecutor(threads)
            self.map = self._pool.map
        self._parts: Iterable[Part] = self.map(self._read, segments(self.files))

    def again(self) -> "Scan":
        """Return a new scan of the same directory, listed anew."""
        scan = Scan(self.logs, self.plan, self._shape)
        scan.advance = self.advance
        return scan

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def parts(self) -> Iterator[Part]:
        """Yield the parts in order of file name and line, each once.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed.
            LogsError: a file can't be read.
        """
        for part in self._parts:
            if self.advance:
                self.advance(part.segment.end - part.segment.start)
            yield part

    def nothing(self) -> pa.Table:
        """Return the table of a part without records."""
        return self._shaped(schema(self._extra).empty_table())

    def _read(self, segment: Segment) -> Part:
        """Read one segment, in any thread, into that thread's own buffer."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = bytearray(BUFFER_BYTES)
        try:
            chunk = read_segment(segment, self._own.buffer)
        except OSError as error:
            raise LogsError(f"{segment.file.path} can't be read: {error.strerror}.") from error
        found = self._lines(chunk, segment.file.day)
        table = concat([self._shaped(lines.table) for lines in found])
        return Part(segment, table, found)

    def _shaped(self, table: pa.Table) -> pa.Table:
        return self._shape(table, self.plan.fields)

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
        return found


def columns_of(table: pa.Table, fields: tuple[str, ...]) -> pa.Table:
    """Turn records into the columns that `tokenusage.read.calls` describes, and `id`."""
    cost, priced = _integers(table["cost_estimate"], PICO)
    response, timed = _integers(table["response_time"], MICRO)
    columns = {
        "time": table["timestamp"],
        "user": category(table["user_id"]),
        "operation": category(table["operation_type"]),
        "model": category(table["model_name"]),
        **{name: _compact(table[name]) for name in TOKENS},
        "cost_pico": cost,
        "priced": priced,
        "response_micro": response,
        "timed": timed,
        "failed": pc.invert(table["success"]),
        "hit": pc.and_not(pc.is_valid(table["cache"]), _is(table["cache"], "")),
        "estimated": _is(table["usage_source"], "estimated"),
        "dropped": _count(table["dropped"]),
        "id": table["id"],
    }
    for name in fields:
        column = column_of(name)
        if column not in columns:
            columns[column] = _count(table[name]) if name in COUNTS else category(table[name])
    return pa.table(columns)


def category(column: pa.ChunkedArray) -> pa.Array:
    """Return texts, or numbers as texts, as codes into the distinct ones."""
    codes = column.combine_chunks().dictionary_encode()
    if codes.dictionary.type == pa.string():
        return codes
    return pa.DictionaryArray.from_arrays(codes.indices, codes.dictionary.cast(pa.string()))


def _is(column: pa.ChunkedArray, text: str) -> pa.Array:
    """Return where a column has this text."""
    codes = category(column)
    names = codes.dictionary.to_pylist()
    wanted = names.index(text) if text in names else len(names)
    known = pc.is_valid(codes)
    return pc.and_(known, from_numpy(to_numpy(codes.indices) == wanted))


def _compact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return integers in the narrowest type that holds them.

    A page of memory that is touched for the first time costs more than adding up what is on it.
    """
    most = pc.max(column).as_py() or 0
    for narrow in (pa.int16(), pa.int32()):
        if most < 1 << narrow.bit_width - 1:
            return column.cast(narrow)
    return column


def _count(column: pa.ChunkedArray) -> pa.Array:
    """Return counts with 0 for what is null or no count."""
    numbers = to_numpy(column)
    sound = (numbers >= 0) & (numbers <= MAX_TOKENS)
    return _compact(from_numpy(np.where(sound, numbers, 0)))


def _integers(column: pa.ChunkedArray, per_unit: int) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return a column of numbers as exact integers, 0 for null, and which are not null."""
    return _compact(from_numpy(to_integers(to_numpy(column), per_unit))), pc.is_valid(column)
