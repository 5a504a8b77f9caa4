"""From lines to the columns of a sealed day, so that the columns give the lines back.

Segments that are proven clean are parsed and rebuilt column by column. Whatever
is guessed on the way (which optional fields there are, where an object ends, what
was written without a decimal point) is safe, because every rebuilt line is compared
with its source: rows that differ go through `keep.seal.rows`, one at a time.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.seal.decode import OBJECTS, to_lines
from tokenusage.keep.seal.rows import rows_of
from tokenusage.keep.seal.texts import slices, strings
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import COUNTS, PLAIN
from tokenusage.read.decode import parse
from tokenusage.read.judge import judge
from tokenusage.read.sealed import (
    COST_IS_INTEGER,
    RESPONSE_TIME_IS_INTEGER,
    SCHEMA,
    USER_IS_INTEGER,
)
from tokenusage.record import Record

_SAMPLE: Final = 64 << 10
"""Bytes at the beginning of a segment that tell which optional fields its lines have."""

_NEWLINE: Final = ord("\n")
_CLOSING: Final = {**dict.fromkeys(OBJECTS, "}"), "truncated": "]"}
_TYPED: Final = (*PLAIN, *COUNTS)


@dataclass(slots=True)
class Encoded:
    """What became of a run of lines."""

    table: pa.Table
    """A row per record, in `read.sealed.SCHEMA`."""
    digest: bytes
    r"""SHA-256 of the lines of the records, each with its "\n"."""
    size: int
    """Bytes of those lines."""
    lines: int = 0
    """A line that was salvaged counts as two."""
    blank: int = 0
    rejected: list[tuple[bytes, str]] = field(default_factory=list)
    """The pieces that are no records, without a newline, and why."""


class Encoder:
    """Encodes segments of log files; threads may share it.

    Args:
        naive_zone: the zone of timestamps that have none.
    """

    def __init__(self, naive_zone: tzinfo) -> None:
        self._naive_zone = naive_zone
        self._readers: dict[tuple[str, ...], CleanReader] = {}

    def encode(self, data: memoryview) -> Encoded:
        """Encode `data`, whole lines, of which the last may have no newline."""
        table = None
        if data and data[-1] == _NEWLINE:
            table = self._clean(data)
            if table is None:
                table = self._clean_by_user(data)
        if table is None:
            return self._one_by_one(bytes(data))
        digest = hashlib.sha256(data).digest()
        return Encoded(table, digest, len(data), lines=table.num_rows)

    def _clean(self, data: memoryview) -> pa.Table | None:
        """Encode lines of which every one is a record; None where they are not proven so."""
        sample = bytes(data[:_SAMPLE])
        names = tuple(name for name in _TYPED if f'"{name}":'.encode() in sample)
        reader = self._readers.setdefault(names, CleanReader(names, self._naive_zone))
        found = reader.read(data)
        if found is None:
            return None
        text = bytes(data)
        source = strings(_offsets(data), pa.py_buffer(text))
        table = _to_schema(found.table, source)
        for name, closing in _CLOSING.items():
            if f',"{name}":'.encode() in sample:
                values = _objects(text, source, name, closing)
                place = SCHEMA.get_field_index(name)
                table = table.set_column(place, SCHEMA.field(name), values)
        differs = pc.not_equal(to_lines(table), source)
        if not pc.any(differs).as_py():
            return table
        lines = [line[:-1] for line in source.filter(differs).cast(pa.binary()).to_pylist()]
        rows = rows_of(lines, [parse(line) for line in lines], self._naive_zone)
        return _merged(table.filter(pc.invert(differs)), rows, differs)

    def _clean_by_user(self, data: memoryview) -> pa.Table | None:
        """Encode lines of which some name their user by a number, and some by a text.

        Together the clean reader does not take them.
        """
        source = strings(_offsets(data), pa.py_buffer(data)).view(pa.binary())
        text = pc.match_substring(source, b'"user_id":"')
        parts = [source.filter(pc.invert(text)), source.filter(text)]
        if not all(map(len, parts)):
            return None
        tables = [self._clean(memoryview(b"".join(part.to_pylist()))) for part in parts]
        if tables[0] is None or tables[1] is None:
            return None
        return _merged(tables[0], tables[1], text)

    def _one_by_one(self, data: bytes) -> Encoded:
        """Encode any bytes."""
        accepted: list[bytes] = []
        records: list[Record] = []
        rejected: list[tuple[bytes, str]] = []
        lines = data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        blank = 0
        for line in lines:
            if not line.strip():
                blank += 1
                continue
            judged = judge(line, self._naive_zone)
            if judged.piece:
                rejected.append((judged.piece, judged.reason))
            if judged.record is not None:
                accepted.append(judged.line)
                records.append(judged.record)
        table = rows_of(accepted, records, self._naive_zone)
        text = b"".join(line + b"\n" for line in accepted)
        total = blank + len(accepted) + len(rejected)
        return Encoded(table, hashlib.sha256(text).digest(), len(text), total, blank, rejected)


def _offsets(data: memoryview) -> Any:
    """Return where each line begins, and the end of the last."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _NEWLINE) + 1
    return np.concatenate(([0], ends)).astype(np.int32)


def _to_schema(found: pa.Table, source: pa.Array) -> pa.Table:
    """Return what the clean reader has read, and null for what it has not, as the schema has it."""
    rows = found.num_rows
    columns = {column.name: pa.nulls(rows, column.type) for column in SCHEMA}
    for name in found.column_names:
        columns[name] = found[name].combine_chunks().cast(SCHEMA.field(name).type)
    bits = _written_whole(columns["cost_estimate"], source, "cost_estimate") * COST_IS_INTEGER
    seconds = _written_whole(columns["response_time"], source, "response_time")
    bits += seconds * RESPONSE_TIME_IS_INTEGER
    if found["user_id"].type == pa.int64():
        known = to_numpy(pc.is_valid(columns["user_id"]).cast(pa.int32()))
        bits += known * USER_IS_INTEGER
    columns["integers"] = from_numpy(bits).cast(pa.int8())
    return pa.table(columns, SCHEMA)


def _written_whole(numbers: pa.Array, source: pa.Array, name: str) -> Any:
    """Return 1 for each double of field `name` that has no decimal point in its line, else 0."""
    values = to_numpy(numbers)
    whole = np.zeros(len(values), np.int32)
    rows = np.flatnonzero((values == np.floor(values)) & _valid(numbers))
    if rows.size:
        written = pc.match_substring_regex(source.take(from_numpy(rows)), f'"{name}":-?[0-9]+,')
        whole[rows] = to_numpy(written.cast(pa.int32()))
    return whole


def _valid(values: pa.Array) -> Any:
    return to_numpy(pc.is_valid(values).cast(pa.int32())) == 1


def _objects(text: bytes, source: pa.Array, name: str, closing: str) -> pa.Array:
    """Return the JSON text of the flat objects that are field `name`, null where there is none.

    It ends at the first `closing` there is. Where that stands in a string or an inner
    object, the rebuilt line can't be the source, because that one is valid JSON.
    """
    key = f',"{name}":'
    found = to_numpy(pc.find_substring(source, key))
    rows = np.flatnonzero(found >= 0)
    begins = np.frombuffer(source.buffers()[1], np.int32)[: len(source) + 1]
    starts, stops = begins[rows] + found[rows] + len(key), begins[rows + 1]
    lengths = to_numpy(pc.find_substring(slices(text, starts, stops), closing)) + 1
    values = slices(text, starts, starts + lengths)
    place = np.cumsum(found >= 0) - 1
    return (
        values.take(from_numpy(place))
        if rows.size == len(source)
        else _spread(values, place, found >= 0)
    )


def _spread(values: pa.Array, place: Any, there: Any) -> pa.Array:
    """Return ``values[place]`` where `there`, else null."""
    if not len(values):
        return pa.nulls(len(place), values.type)
    return pc.if_else(from_numpy(there), values.take(from_numpy(np.maximum(place, 0))), None)


def _merged(same: pa.Table, rows: pa.Table, differs: pa.Array) -> pa.Table:
    """Put `rows` where `differs`, and the rows of `same` between them."""
    mask = to_numpy(differs.cast(pa.int32())) == 1
    order = np.where(mask, len(same) + np.cumsum(mask) - 1, np.cumsum(~mask) - 1)
    return pa.concat_tables([same, rows]).take(from_numpy(order))
