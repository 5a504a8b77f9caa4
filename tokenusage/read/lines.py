"""The tolerant reader: any bytes become records, rejections and blank lines.

It decides what a record is, line by line as `tokenusage.read.decode` does;
`tokenusage.read.clean` only finds the same answer faster where a segment has been
proven clean.
"""

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa

from tokenusage.read.columns import COUNTS, TAG, VITAL
from tokenusage.read.decode import (
    NotARecordError,
    as_text,
    check,
    is_number,
    microseconds,
    parse,
    starts_in,
)
from tokenusage.record import Record

_TYPES: Final = {
    "prompt_tokens": pa.int64(),
    "completion_tokens": pa.int64(),
    "total_tokens": pa.int64(),
    "cost_estimate": pa.float64(),
    "response_time": pa.float64(),
    "success": pa.bool_(),
    "dropped": pa.int64(),
}
WRITTEN: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in VITAL])
"""The vital fields with the types in which they are written."""

_INT64: Final = range(-(2**63), 2**63)


@dataclass(slots=True)
class Lines:
    """What was found in a run of lines."""

    table: pa.Table
    """A row per record: the vital fields and the extra ones asked for, with
    `timestamp` as int64 microseconds since the epoch. Where all users are numbers,
    `user_id` may be int64 instead of text."""
    lines: int = 0
    blank: int = 0
    salvaged: int = 0
    """Lines that were a torn piece with a whole record glued behind it."""
    rejections: list[tuple[int, str]] = field(default_factory=list)
    """(line number from 1 within the run, reason) of every rejected line."""


def read_lines(data: bytes, extra: tuple[str, ...], naive_zone: tzinfo) -> Lines:
    """Read whole lines, each ended by a newline or by the end of `data`.

    Args:
        data: any bytes.
        extra: names of the extra fields to read, from `columns.extra_fields`.
        naive_zone: the zone of timestamps that have none.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*VITAL, *extra)}
    found = Lines(WRITTEN.empty_table())
    rows = data.split(b"\n")
    if not rows[-1]:
        rows.pop()
    for number, line in enumerate(rows, 1):
        found.lines += 1
        if not line.strip():
            found.blank += 1
            continue
        try:
            row = _row(parse(line), extra, naive_zone)
        except NotARecordError as error:
            found.rejections.append((number, str(error)))
            salvaged = _salvage(line, extra, naive_zone)
            if salvaged is None:
                continue
            found.salvaged += 1
            row = salvaged
        for name, values in columns.items():
            values.append(row[name])
    found.table = pa.table(columns, schema=schema(extra))
    return found


def schema(extra: tuple[str, ...]) -> pa.Schema:
    """Return the schema of a table of records with these extra fields."""
    vital = WRITTEN.set(0, pa.field("timestamp", pa.int64()))
    fields = [pa.field(name, pa.int64() if name in COUNTS else pa.string()) for name in extra]
    return pa.schema([*vital, *fields])


def _row(record: Record, extra: tuple[str, ...], naive_zone: tzinfo) -> dict[str, Any]:
    """Return the vital and extra fields of a record, in the types of `schema`."""
    check(record)
    dropped = record.get("dropped")
    cost, seconds = record.get("cost_estimate"), record.get("response_time")
    row = {
        "timestamp": microseconds(record["timestamp"], naive_zone),
        "user_id": as_text(record.get("user_id")),
        "operation_type": record["operation_type"],
        "model_name": record["model_name"],
        "prompt_tokens": int(record["prompt_tokens"]),
        "completion_tokens": int(record["completion_tokens"]),
        "total_tokens": int(record["total_tokens"]),
        "cost_estimate": None if cost is None else float(cost),
        "response_time": None if seconds is None else float(seconds),
        "success": record["success"],
        "id": as_text(record.get("id")),
        "cache": None if record.get("cache") is False else as_text(record.get("cache")),
        "usage_source": as_text(record.get("usage_source")),
        "dropped": dropped if type(dropped) is int and dropped in _INT64 else None,
    }
    for name in extra:
        row[name] = _extra(record, name)
    return row


def _extra(record: Record, name: str) -> str | int | None:
    if name in COUNTS:
        value = record.get(name)
        # An int first: a range looks for anything else one by one.
        return n if is_number(value) and value % 1 == 0 and (n := int(value)) in _INT64 else None
    if name.startswith(TAG):
        tags = record.get("tags")
        return as_text(tags.get(name.removeprefix(TAG))) if isinstance(tags, dict) else None
    return as_text(record.get(name))


def _salvage(line: bytes, extra: tuple[str, ...], naive_zone: tzinfo) -> dict[str, Any] | None:
    """Return the record glued behind a torn piece, the first suffix that is one."""
    for start in starts_in(line):
        try:
            return _row(parse(line[start:]), extra, naive_zone)
        except NotARecordError:
            continue
    return None
