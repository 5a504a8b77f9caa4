"""Moments as other programs write them, read as UTC.

Understood are ISO 8601 dates and times (``T`` or a space between them, any
number of fraction digits, ``Z``, ``UTC`` or an offset behind them) and Unix
times in seconds, milliseconds, microseconds or nanoseconds. Digits beyond the
microsecond are cut, so that no moment moves into the next second or day.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from reprlib import repr as shorten
from typing import Any, Final

# Only ASCII digits: \d would match Arabic ones too.
_ISO: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?)"
    r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMBER: Final = re.compile(r"[0-9]{10,19}(?:\.[0-9]{1,9})?")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND: Final = 10**9
_LAST_SECOND: Final = 4_102_444_800
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
"""Reports reach from here to there."""
_UNITS: Final = (1, 10**3, 10**6, 10**9)


def parse_moment(value: Any, zone: tzinfo) -> datetime:
    """Return the moment that `value` writes, in UTC.

    Args:
        value: ISO 8601 text, or a Unix time as a number or its text. Its unit
            is the one that puts it between September 2001 and 2100, and there
            is never more than one; so a date without separators, such as
            20231116181703, is not taken for a Unix time.
        zone: the zone of a time that names none. A time that a change of the
            clock repeats is its first occurrence.

    Raises:
        ValueError: it is neither, or not from 1970 to 2199; the message says so.
    """
    if isinstance(value, str):
        text = value.strip()
        moment = _from_iso(text, zone)
        if moment is None and _NUMBER.fullmatch(text):
            moment = _from_unix(Decimal(text))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # repr has the shortest digits that are this float: those that were written.
        moment = _from_unix(Decimal(repr(value)))
    else:
        moment = None
    if moment is None:
        raise ValueError(f"timestamp is {shorten(value)}, neither ISO 8601 nor a Unix time")
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"timestamp is {shorten(value)}, not from {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment


def _from_iso(text: str, zone: tzinfo) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    offset = match[2] or ""
    try:
        moment = datetime.fromisoformat(match[1] + ("Z" if offset == "UTC" else offset))
        return (moment if offset else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_unix(number: Decimal) -> datetime | None:
    for unit in _UNITS:
        if number.is_finite() and _FIRST_SECOND * unit <= number < _LAST_SECOND * unit:
            return _EPOCH + timedelta(microseconds=int(number * 10**6 / unit))
    return None
