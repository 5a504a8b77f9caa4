"""Lines into rows of a sealed day, one at a time: whatever a line holds."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.seal.decode import NUMBERS, OBJECTS, to_lines
from tokenusage.read.columns import TOKENS
from tokenusage.read.decode import as_text, microseconds
from tokenusage.read.sealed import (
    COST_IS_INTEGER,
    RESPONSE_TIME_IS_INTEGER,
    SCHEMA,
    USER_IS_INTEGER,
)
from tokenusage.record import FIELDS, Record

_KNOWN: Final = frozenset(FIELDS)
_INT64: Final = range(-(2**63), 2**63)


def rows_of(lines: list[bytes], records: list[Record], naive_zone: tzinfo) -> pa.Table:
    """Return a row for each line, every one of them a record.

    Its columns hold what their types can, and `line` the line itself where they would
    not give it back.

    Args:
        lines: without their newlines.
        records: the same lines, parsed and checked.
        naive_zone: the zone of timestamps that have none.
    """
    rows = len(lines)
    columns: dict[str, Any] = {column.name: pa.nulls(rows, column.type) for column in SCHEMA}
    for name in set().union(*records) & _CONVERTERS.keys():
        convert = _CONVERTERS[name]
        values = [record.get(name) for record in records]
        columns[name] = [None if value is None else convert(value) for value in values]
    times = [microseconds(record["timestamp"], naive_zone) for record in records]
    columns["timestamp"] = pa.array(times, pa.int64()).cast(SCHEMA.field("timestamp").type)
    columns["extra"] = [_unknown(record) for record in records]
    columns["integers"] = [_integers(record) for record in records]
    table = pa.table(columns, SCHEMA)
    source = pa.array(lines, pa.binary()).cast(pa.string())
    with_newline = pc.binary_join_element_wise(source, "\n", "")
    kept = pc.if_else(pc.equal(to_lines(table), with_newline), None, source)
    return table.set_column(len(SCHEMA) - 1, SCHEMA.field("line"), kept)


def _text(value: Any) -> str | None:
    """Return what `as_text` does, sooner for the numbers of users."""
    return str(value) if type(value) is int else as_text(value)


def _count(value: Any) -> int | None:
    """Return a whole number as the counts' columns hold it, None for anything else."""
    whole = type(value) is int or (type(value) is float and value.is_integer())
    return number if whole and (number := int(value)) in _INT64 else None


def _json(value: Any) -> str | None:
    """Return a value as JSON text, None where that can't be."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # an integer beyond 64 bits, or nested deeper than orjson writes
        text = as_text([value])
        return text[1:-1] if text and text.startswith("[") else None


def _unknown(record: Record) -> str | None:
    """Return the fields that the record does not know as a JSON object, None without any."""
    if record.keys() <= _KNOWN:
        return None
    return _json({name: value for name, value in record.items() if name not in _KNOWN})


def _integers(record: Record) -> int:
    """Return a bit for each number that is written without a decimal point."""
    return (
        (type(record.get("user_id")) is int) * USER_IS_INTEGER
        | (type(record.get("cost_estimate")) is int) * COST_IS_INTEGER
        | (type(record.get("response_time")) is int) * RESPONSE_TIME_IS_INTEGER
    )


_CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(FIELDS[1:], _text),
    **dict.fromkeys(TOKENS, int),
    **dict.fromkeys(NUMBERS, _count),
    **dict.fromkeys(OBJECTS, _json),
    "cost_estimate": float,
    "response_time": float,
    "success": bool,
}
"""What becomes of a field's value that is not null."""
