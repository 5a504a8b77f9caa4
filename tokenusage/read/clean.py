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

from tokenusage.read.columns import COUNTS, IDENTIFIERS, PLAIN, REQUIRED, TAG, TOKENS, VITAL
from tokenusage.read.decode import ASCII_ESCAPE, MOMENTS
from tokenusage.read.lines import WRITTEN, Lines, schema
from tokenusage.record import MAX_COST, MAX_SECONDS, MAX_TOKENS

_NEWLINE, _OPEN, _CLOSE = b"\n{}"

_SLICE: Final = 1 << 19
_LONG_LINE: Final = 1800
"""A shorter line can't be nested deeper than the tolerant reader follows."""
_DEEP: Final = 900
_CHANGED: Final = re.compile(r"Column\(/(.+?)\) changed from \w+ to (string|number) ")
_TYPES: Final = {"string": pa.string(), "number": pa.int64()}
_NUMBER: Final = re.compile(
    rb'("(?:' + "|".join(IDENTIFIERS).encode() + rb')":\s*)(0|-?[1-9][0-9]{0,99})(?=\s*[,}])'
)
"""An identifier that is written as a number. Inside of a text the quotes around its key
would have backslashes; in an inner object the number becomes the text it is compared as."""
_RARE: Final = ("cache", "usage_source", "dropped")
_FIXED: Final = frozenset({*REQUIRED, "cost_estimate", "response_time"})
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+\Z")
"""A key that is never written with an escape, but for the one of `ASCII_ESCAPE`."""

# A segment is one block: what is read in blocks has to be put together again.
_READ: Final = pj.ReadOptions(use_threads=False, block_size=64 << 20)


class CleanReader:
    """Reads clean segments for one set of extra fields.

    pyarrow wants every type before it reads. The reader learns them from the
    segments: which identifiers are written as numbers, and which of the rare
    fields occur at all. Threads may share it.
    """

    def __init__(self, extra: tuple[str, ...], naive_zone: tzinfo) -> None:
        self._extra = extra
        self._naive_zone = naive_zone
        self._mixed = False
        """Whether identifiers were found that are written both as texts and as numbers."""
        named = {*VITAL, *COUNTS, *PLAIN}
        # Fields of any type have no place in a schema; where one occurs the
        # tolerant reader reads it, where none does it is null.
        self._untyped = tuple(
            name for name in extra if name not in named and not name.startswith(TAG)
        )
        self._types: dict[str, pa.DataType] = {
            **{field.name: field.type for field in WRITTEN},
            **dict.fromkeys(_RARE, pa.null()),
            **{self._path(name): pa.string() for name in extra if name not in self._untyped},
            **{name: pa.int64() for name in extra if name in COUNTS},
        }

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
            not _PLAIN_NAME.match(name) or f'"{name}"'.encode() in text for name in self._untyped
        ) or bool(ASCII_ESCAPE.search(text))

    def _parse(self, data: memoryview) -> pa.Table | None:
        types, mixed = self._types, self._mixed
        if mixed:
            data = _with_texts(data)
        tried: list[dict[str, pa.DataType]] = []
        while True:
            tried.append(types)
            options = pj.ParseOptions(
                explicit_schema=_json_schema(types), unexpected_field_behavior="ignore"
            )
            source = pa.BufferReader(pa.py_buffer(data))
            try:
                table = pj.read_json(source, parse_options=options, read_options=_READ)
            except pa.ArrowInvalid as error:
                match = _CHANGED.search(str(error))
                if match is None or match[1] not in types or not _may_be(match[1], match[2]):
                    return None
                types = types | {match[1]: _TYPES[match[2]]}
                if types in tried:
                    # It is written both ways, as are users where some have numbers.
                    if mixed or match[1] not in IDENTIFIERS:
                        return None
                    data, mixed = _with_texts(data), True
                    texts = {name: pa.string() for name in IDENTIFIERS if name in types}
                    types, tried = types | texts, []
            else:
                self._types, self._mixed = types, mixed
                return table

    @staticmethod
    def _path(name: str) -> str:
        """Return how pyarrow names the place of an extra field."""
        return f"tags/{name.removeprefix(TAG)}" if name.startswith(TAG) else name

    def _to_schema(self, table: pa.Table) -> pa.Table | None:
        """Return the columns as the tolerant reader gives them, None where it must."""
        if any(table[name].null_count for name in REQUIRED):
            return None
        columns: dict[str, pa.ChunkedArray] = {}
        for name in VITAL:
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
            # Users that are numbers become text later, the distinct ones only.
            if columns[field.name].type != field.type and field.name != "user_id":
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
    if not ends.size or ends[-1] != len(text) - 1 or ends[0] == 0 or text[0] != _OPEN:
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


def _with_texts(data: memoryview) -> memoryview:
    """Return lines in which identifiers that are whole numbers are texts."""
    return memoryview(_NUMBER.sub(rb'\1"\2"', bytes(data)))


def _may_be(path: str, kind: str) -> bool:
    """Return whether a field may be written as text, or as a number, and be what it is."""
    whole = path in COUNTS or path == "dropped"
    return path not in _FIXED and (kind == "number" or not whole)


def _json_schema(types: dict[str, pa.DataType]) -> pa.Schema:
    """Return the types by path as the schema that the parser is told."""
    flat = [(path, kind) for path, kind in types.items() if not path.startswith("tags/")]
    tags = [(path[5:], kind) for path, kind in types.items() if path.startswith("tags/")]
    return pa.schema([*flat, ("tags", pa.struct(tags))] if tags else flat)


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
    """Return whether every vital number is one that `decode.check` takes."""
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
    moments = pc.min_max(table["timestamp"]).as_py()
    return moments["min"] in MOMENTS and moments["max"] in MOMENTS
