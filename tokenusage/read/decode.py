"""Decoding and judging one line: what is a record, and why anything else is none.

Nothing here needs a library but orjson: a prompt can't wait for one.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, TypeGuard

import orjson

from tokenusage.read.columns import IDENTIFIERS, REQUIRED, TOKENS, VITAL
from tokenusage.record import LINE_START, MAX_COST, MAX_SECONDS, MAX_TOKENS, Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_VITAL_KEYS: Final = re.compile(rb'"(' + b"|".join(n.encode() for n in VITAL) + rb')"\s*:')
# How ASCII letters of a key may be written instead of themselves.
ASCII_ESCAPE: Final = re.compile(rb"\\u00[2-7]")
MOMENTS: Final = range(-62_135_596_800_000_000, 253_402_300_800_000_000)
"""The years 1 to 9999, in microseconds since the epoch."""

# A string, which stays, or what rapidjson takes for a number and json does not.
_NOT_FINITE: Final = re.compile(r'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Inf(?:inity)?)\b')

_DIGITS: Final = 400
"""Longer integers are beyond any double, and slow to convert."""

_SALVAGE_TRIES: Final = 100
"""How many torn pieces one line is searched for: a bound on the work, not on what is glued."""


class NotARecordError(ValueError):
    """Why a line is no record, in a few words."""


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
        if not is_number(value) or value % 1:
            raise NotARecordError(f"has a {name} that is not a whole number")
        if not 0 <= value <= MAX_TOKENS:
            raise NotARecordError(f"has a {name} that is not from 0 to {MAX_TOKENS}")
    for name, most in (("cost_estimate", MAX_COST), ("response_time", MAX_SECONDS)):
        value = record.get(name)
        if value is not None and not is_number(value):
            raise NotARecordError(f"has a {name} that is not a number")
        if value is not None and not 0 <= value <= most:
            raise NotARecordError(f"has a {name} that is not from 0 to {most}")
    if not isinstance(record["success"], bool):
        raise NotARecordError("has a success that is neither true nor false")


def is_number(value: Any) -> TypeGuard[int | float]:
    """Return whether a JSON value is a number; true and false are none."""
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
    for name in VITAL:
        if names.count(name) > 1:
            raise NotARecordError(f"names {name} twice")


def starts_in(line: bytes) -> Iterator[int]:
    """Yield, in order, the last places behind its beginning where a record may begin."""
    starts: list[int] = []
    end = len(line)
    while len(starts) < _SALVAGE_TRIES and (end := line.rfind(LINE_START, 1, end)) > 0:
        starts.append(end)
    return reversed(starts)
