"""The fast reader: pyarrow's JSON parser, for segments that are proven clean first.

pyarrow takes more than the tolerant reader does (bad UTF-8, NaN, two objects on
a line, a missing field) and crashes on a first line ``null``, so each of these
is ruled out before or after it runs. A segment for which a proof fails is not
wrong; it is read by `tokenusage.read.lines` instead, with the same result.
"""

import re
from datetime import tzinfo
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from tokenusage.read.columns import COUNTS, PLAIN, REQUIRED, TAG, TOKENS, VITAL
from tokenusage.read.lines import Lines, schema
from tokenusage.record import MAX_COST, MAX_SECONDS, MAX_TOKENS

_NEWLINE, _OPEN, _CLOSE = b"\n{}"

_SLICE: Final = 1 << 19
_LONG_LINE: Final = 1800
"""A shorter line can't be nested deeper than the tolerant reader follows."""
_DEEP: Final = 900
_FIRST_YEAR: Final = -62_135_596_800_000_000
"""The year 1 in microseconds since the epoch; pyarrow also takes the year 0."""
_CHANGED: Final = re.compile(r"Column\(/(.+?)\) changed from (string to number|number to string)")
_ASCII_ESCAPE: Final = re.compile(rb"\\u00[2-7]")
_READ: Final = pj.ReadOptions(use_threads=False, block_size=1 << 20)


class CleanReader:
    """Reads clean segments for one set of extra fields.

    It learns from the segments which identifiers are written as numbers, since
    pyarrow wants a type before it reads. Threads may share it.
    """

    def __init__(self, extra: tuple[str, ...], naive_zone: tzinfo) -> None:
        self._extra = extra
        self._naive_zone = naive_zone
        self._numeric: frozenset[str] = frozenset()
        named = {*VITAL.names, *COUNTS, *PLAIN}
        # Fields of any type have no place in a schema; where one occurs the
        # tolerant reader reads it, where none does it is null.
        self._untyped = tuple(
            name for name in extra if name not in named and not name.startswith(TAG)
        )

    def read(self, data: memoryview) -> Lines | None:
        """Read `data`, whole lines that end in a newline; None where it is not proven clean."""
        rows = _proven_rows(data)
        if rows is None or self._has_untyped(data):
            return None
        table = self._parse(data)
        if table is None or table.num_rows != rows:
            return None
        table = self._to_schema(table)
        return Lines(table, lines=rows) if table is not None and _in_range(table) else None

    def _has_untyped(self, data: memoryview) -> bool:
        if not self._untyped:
            return False
        text = bytes(data)
        return any(
            not name.isascii() or f'"{name}"'.encode() in text for name in self._untyped
        ) or bool(_ASCII_ESCAPE.search(text))

    def _parse(self, data: memoryview) -> pa.Table | None:
        tried: set[frozenset[str]] = set()
        numeric = self._numeric
        while numeric not in tried:
            tried.add(numeric)
            options = pj.ParseOptions(
                explicit_schema=_json_schema(self._extra, self._untyped, numeric),
                unexpected_field_behavior="ignore",
            )
            source = pa.BufferReader(pa.py_buffer(data))
            try:
                table = pj.read_json(source, parse_options=options, read_options=_READ)
            except pa.ArrowInvalid as error:
                match = _CHANGED.search(str(error))
                if match is None:
                    return None
                numeric ^= {match[1]}
            else:
                self._numeric = numeric
                return table
        return None

    def _to_schema(self, table: pa.Table) -> pa.Table | None:
        """Return the columns as the tolerant reader gives them, None where it must."""
        if any(table[name].null_count for name in REQUIRED):
            return None
        columns: dict[str, pa.ChunkedArray] = {}
        for name in VITAL.names:
            columns[name] = table[name]
        moments = _microseconds(table["timestamp"], self._naive_zone)
        if moments is None:
            return None
        columns["timestamp"] = moments
        for name in self._extra:
            if name.startswith(TAG):
                columns[name] = pc.struct_field(table["tags"], [name.removeprefix(TAG)])
            elif name in self._untyped:
                columns[name] = pa.nulls(table.num_rows, pa.string())
            else:
                columns[name] = table[name]
        for field in schema(self._extra):
            if columns[field.name].type != field.type:
                columns[field.name] = columns[field.name].cast(field.type)
        return pa.table(columns)


def _proven_rows(data: memoryview) -> int | None:
    """Return the number of lines where each is UTF-8, begins with ``{`` and ends with ``}``.

    Then every line holds whole objects only: a raw newline can't stand in a
    string, and no object goes on with ``{`` behind a ``}``.
    """
    text = np.frombuffer(data, np.uint8)
    # In slices that stay in the processor's cache.
    ends = np.concatenate(
        [
            np.flatnonzero(text[start : start + _SLICE] == _NEWLINE) + start
            for start in range(0, len(text), _SLICE)
        ]
        or [np.empty(0, np.int64)]
    )
    if not ends.size or ends[0] == 0 or text[0] != _OPEN:
        return None
    if (text[ends[:-1] + 1] != _OPEN).any() or (text[ends - 1] != _CLOSE).any():
        return None
    starts = np.concatenate(([0], ends[:-1] + 1))
    for line in np.flatnonzero(ends - starts > _LONG_LINE):
        long = bytes(data[starts[line] : ends[line]])
        if long.count(b"{") + long.count(b"[") > _DEEP:
            return None
    offsets = pa.py_buffer(np.array([0, len(text)], np.int32))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return None
    return len(ends)


def _json_schema(
    extra: tuple[str, ...], untyped: tuple[str, ...], numeric: frozenset[str]
) -> pa.Schema:
    """Return the types that the parser is told; those in `numeric` are int64."""

    def text(name: str, path: str) -> pa.Field:
        return pa.field(name, pa.int64() if path in numeric else pa.string())

    fields = [text(x.name, x.name) if x.type == pa.string() else x for x in VITAL]
    for name in extra:
        if name in COUNTS:
            fields.append(pa.field(name, pa.int64()))
        elif name not in untyped and not name.startswith(TAG):
            fields.append(text(name, name))
    tags = [name.removeprefix(TAG) for name in extra if name.startswith(TAG)]
    if tags:
        fields.append(pa.field("tags", pa.struct([text(n, f"tags/{n}") for n in tags])))
    return pa.schema(fields)


def _microseconds(timestamps: pa.ChunkedArray, naive_zone: tzinfo) -> pa.ChunkedArray | None:
    """Return ISO 8601 texts as int64 microseconds, None where they are mixed or odd."""
    try:
        moments = timestamps.cast(pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:
        if str(naive_zone) != "UTC":
            return None
        try:
            moments = timestamps.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return None
    return moments.cast(pa.int64())


def _in_range(table: pa.Table) -> bool:
    """Return whether every vital number is one that `lines.check` takes."""
    for name in TOKENS:
        bounds = pc.min_max(table[name]).as_py()
        if bounds["min"] < 0 or bounds["max"] > MAX_TOKENS:
            return False
    for name, most in (("cost_estimate", MAX_COST), ("response_time", MAX_SECONDS)):
        # min_max skips NaN, so it is asked for by itself.
        bounds = pc.min_max(table[name]).as_py()
        if pc.any(pc.is_nan(table[name])).as_py():
            return False
        if bounds["min"] is not None and (bounds["min"] < 0 or bounds["max"] > most):
            return False
    return bool(pc.min(table["timestamp"]).as_py() >= _FIRST_YEAR)
