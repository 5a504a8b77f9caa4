"""The tolerant reader: any bytes become records, rejections and blank lines.

It decides what a record is; `tokenusage.read.clean` only finds the same answer
faster where a segment has been proven clean.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, TypeGuard

import orjson
import pyarrow as pa

from tokenusage.read.columns import COUNTS, IDENTIFIERS, REQUIRED, TAG, TOKENS, VITAL
from tokenusage.record import LINE_START, MAX_COST, MAX_SECONDS, MAX_TOKENS, Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_VITAL_KEYS: Final = re.compile(rb'"(' + b"|".join(n.encode() for n in VITAL.names) + rb')"\s*:')
# How ASCII letters of a key may be written instead of themselves.
ASCII_ESCAPE: Final = re.compile(rb"\\u00[2-7]")
_INT64: Final = range(-(2**63), 2**63)
MOMENTS: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The years 1 to 9999, in microseconds since the epoch."""

# A string, which stays, or what rapidjson takes for a number and json does not.
_NOT_FINITE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Inf(?:inity)?)\b')

_DIGITS: Final = 400
"""Longer integers are beyond any double, and slow to convert."""

_SALVAGE_TRIES: Final = 100
"""How many torn pieces one line is searched for: a bound on the work, not on what is glued."""


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


class NotARecordError(ValueError):
    """Why a line is no record, in a few words."""


def read_lines(data: bytes, extra: tuple[str, ...], naive_zone: tzinfo) -> Lines:
    """Read whole lines, each ended by a newline or by the end of `data`.

    Args:
        data: any bytes.
        extra: names of the extra fields to read, from `columns.extra_fields`.
        naive_zone: the zone of timestamps that have none.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (*VITAL.names, *extra)}
    found = Lines(VITAL.empty_table())
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
    vital = VITAL.set(0, pa.field("timestamp", pa.int64()))
    fields = [pa.field(name, pa.int64() if name in COUNTS else pa.string()) for name in extra]
    return pa.schema([*vital, *fields])


def parse(line: bytes) -> Record:
    """Decode one line into a JSON object.

    Raises:
        NotARecordError: it is no UTF-8, no JSON or no object, or names a vital
            field twice.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = _parse_leniently(line)
    if not isinstance(value, dict):
        raise NotARecordError("is not a JSON object")
    keys = _VITAL_KEYS.findall(line)
    if len(keys) != len(set(keys)) or ASCII_ESCAPE.search(line):
        _refuse_twice_named(line)
    if any(isinstance(value.get(name), float) for name in IDENTIFIERS):
        # orjson makes a float of an integer beyond 64 bits, and so one user of two.
        value |= _loads(_for_json(line))
    return value


def check(record: Record) -> None:
    """Judge a decoded object by its vital fields.

    Raises:
        NotARecordError: a required field is missing, or a value is out of range.
    """
    for name in REQUIRED:
        if record.get(name) is None:
            raise NotARecordError(f"has no {name}")
    for name in ("timestamp", "operation_type", "model_name"):
        if not isinstance(record[name], str):
            raise NotARecordError(f"has a {name} that is not text")
    for name in TOKENS:
        value = record[name]
        if not _is_number(value) or value % 1:
            raise NotARecordError(f"has a {name} that is not a whole number")
        if not 0 <= value <= MAX_TOKENS:
            raise NotARecordError(f"has a {name} that is not from 0 to {MAX_TOKENS}")
    for name, most in (("cost_estimate", MAX_COST), ("response_time", MAX_SECONDS)):
        value = record.get(name)
        if value is not None and not _is_number(value):
            raise NotARecordError(f"has a {name} that is not a number")
        if value is not None and not 0 <= value <= most:
            raise NotARecordError(f"has a {name} that is not from 0 to {most}")
    if not isinstance(record["success"], bool):
        raise NotARecordError("has a success that is neither true nor false")


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def microseconds(timestamp: str, naive_zone: tzinfo) -> int:
    """Return an ISO 8601 timestamp as microseconds since the epoch, UTC.

    Raises:
        NotARecordError: it is not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(timestamp)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=naive_zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotARecordError("has a timestamp that is not ISO 8601") from error
    micro = (moment - _EPOCH) // _MICROSECOND
    if micro not in MOMENTS:
        raise NotARecordError("has a timestamp beyond the calendar")
    return micro


def as_text(value: Any) -> str | None:
    """Return a JSON value as the text that filters and groups compare.

    Text is itself, null is None, ``123`` is ``"123"``, and anything else is its JSON.
    """
    if value is None or isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        return "(nested too deep)"


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
        return n if _is_number(value) and value % 1 == 0 and (n := int(value)) in _INT64 else None
    if name.startswith(TAG):
        tags = record.get("tags")
        return as_text(tags.get(name.removeprefix(TAG))) if isinstance(tags, dict) else None
    return as_text(record.get(name))


def _parse_leniently(line: bytes) -> Any:
    """Decode what orjson refuses but the fast reader takes: NaN and endless integers.

    They matter only in a vital field, where `check` refuses them.
    """
    try:
        value = _loads(_for_json(line))
        json.dumps(value, ensure_ascii=False).encode()
    except NotARecordError:
        raise
    except UnicodeDecodeError as error:
        raise NotARecordError("is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise NotARecordError("holds half of a surrogate pair") from error
    except RecursionError as error:
        raise NotARecordError("is nested too deep") from error
    except ValueError as error:
        raise NotARecordError("is not JSON") from error
    return value


def _for_json(line: bytes) -> str:
    """Return a line with all spellings of what is no number as the one that json takes."""
    return _NOT_FINITE.sub(lambda x: x[0] if x[0][0] == '"' else "NaN", line.decode())


def _loads(text: str, **options: Any) -> Any:
    try:
        return json.loads(text, parse_int=_bounded_int, **options)
    except RecursionError as error:
        raise NotARecordError("is nested too deep") from error


def _bounded_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS else float("inf")


def _refuse_twice_named(line: bytes) -> None:
    """Raise where a vital field stands twice at the top of the object."""
    objects: list[list[tuple[str, Any]]] = []
    _loads(_for_json(line), object_pairs_hook=objects.append)
    # Inner objects are finished first, so the last is the top one.
    names = [name for name, _ in objects[-1]]
    for name in VITAL.names:
        if names.count(name) > 1:
            raise NotARecordError(f"names {name} twice")


def _salvage(line: bytes, extra: tuple[str, ...], naive_zone: tzinfo) -> dict[str, Any] | None:
    """Return the record glued behind a torn piece, the first suffix that is one."""
    for start in starts_in(line):
        try:
            return _row(parse(line[start:]), extra, naive_zone)
        except NotARecordError:
            continue
    return None


def starts_in(line: bytes) -> Iterator[int]:
    """Yield, in order, the last places behind its beginning where a record may begin."""
    starts: list[int] = []
    end = len(line)
    while len(starts) < _SALVAGE_TRIES and (end := line.rfind(LINE_START, 1, end)) > 0:
        starts.append(end)
    return reversed(starts)
