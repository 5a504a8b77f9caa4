"""From the columns of a sealed day back to its lines, byte for byte."""

from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.seal.texts import doubles, has_special, join, moments, quoted
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.columns import COUNTS, TOKENS
from tokenusage.read.sealed import (
    COST_IS_INTEGER,
    RESPONSE_TIME_IS_INTEGER,
    SCHEMA,
    USER_IS_INTEGER,
)
from tokenusage.record import OPTIONAL_FIELDS

NUMBERS: Final = frozenset({*COUNTS, "dropped"})
"""Optional fields that are whole numbers."""

OBJECTS: Final = ("usage", "price_context", "tags", "truncated")
"""Optional fields that are kept as JSON text."""


def to_lines(table: pa.Table) -> pa.Array:
    r"""Return the line of each row of a table in `read.sealed.SCHEMA`, each with its "\n"."""
    columns = {name: _array(table[name]) for name in SCHEMA.names}
    kept = columns["line"]
    if not len(kept):
        return pa.array([], pa.string())
    if not kept.null_count:
        return join(kept, "\n", missing="")
    rebuilt = join(*_base(columns), *_optional(columns), "}\n", missing="null")
    if kept.null_count == len(kept):
        return rebuilt
    return pc.coalesce(pc.binary_join_element_wise(kept, "\n", ""), rebuilt)


def to_text(table: pa.Table) -> memoryview:
    """Return the lines of all rows behind each other."""
    lines = to_lines(table)
    _, offsets, text = lines.buffers()
    if not len(lines) or text is None:
        return memoryview(b"")
    ends = memoryview(offsets).cast("i")
    return memoryview(text)[ends[lines.offset] : ends[lines.offset + len(lines)]]


def _array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _base(columns: dict[str, pa.Array]) -> list[Any]:
    """Return the pieces of the lines up to their last base field."""
    integers = columns["integers"].cast(pa.int32())
    user = columns["user_id"]
    digits = _has(integers, USER_IS_INTEGER)
    cost = doubles(columns["cost_estimate"], _has(integers, COST_IS_INTEGER))
    seconds = doubles(columns["response_time"], _has(integers, RESPONSE_TIME_IS_INTEGER))
    tokens = [(f',"{name}":', columns[name].cast(pa.string())) for name in TOKENS]
    return [
        '{"timestamp":"',
        moments(columns["timestamp"]),
        '","user_id":',
        *([user] if pc.all(digits).as_py() else [pc.if_else(digits, user, quoted(user))]),
        *_text("operation_type", columns),
        *_text("query", columns),
        *_text("model_name", columns),
        *chain.from_iterable(tokens),
        ',"cost_estimate":',
        cost,
        '"response_time":',
        seconds,
        '"success":',
        pc.if_else(columns["success"], "true", "false"),
        *_text("error_message", columns),
    ]


def _text(name: str, columns: dict[str, pa.Array]) -> list[Any]:
    """Return the pieces of a field of text."""
    key, values = f',"{name}":', columns[name]
    if values.null_count or has_special(values):
        return [key, quoted(values)]
    # Quotes as pieces of their own: no column has to be copied for them.
    return [f'{key}"', values, '"']


def _optional(columns: dict[str, pa.Array]) -> list[Any]:
    """Return the pieces of the fields behind the base fields."""
    pieces: list[Any] = []
    for name in OPTIONAL_FIELDS:
        values = columns[name]
        if values.null_count == len(values):
            continue
        if name not in NUMBERS and name not in OBJECTS and not values.null_count:
            pieces += _text(name, columns)
            continue
        if name in NUMBERS:
            values = values.cast(pa.string())
        elif name not in OBJECTS:
            values = quoted(values)
        pieces.append(_where_there(f',"{name}":', values))
    extra = columns["extra"]
    if extra.null_count < len(extra):
        # The object's members, without its braces.
        pieces.append(_where_there(",", pc.utf8_slice_codeunits(extra, 1, -1)))
    return pieces


def _where_there(key: str, values: pa.Array) -> pa.Array:
    """Return `key` and value, and nothing where the value is null."""
    return pc.fill_null(pc.binary_join_element_wise(key, values, ""), "")


def _has(integers: pa.Array, bit: int) -> pa.Array:
    """Return where `bit` is set."""
    return from_numpy(np.not_equal(to_numpy(integers) & bit, 0))
