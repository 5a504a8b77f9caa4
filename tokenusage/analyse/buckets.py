"""The hours, days, weeks, months and years of a span of time, by the keys that reports give them.

A span holds buckets without calls too, which the rows of a report don't have.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_MOMENT: Final = timedelta(microseconds=1)
_QUARTER: Final = timedelta(minutes=15)
"""Of an hour. No zone changes its offset, or begins an hour, within one."""


def bucket_of(local: datetime, dimension: str) -> str:
    """Return the key of the bucket of a dimension of time that a local moment lies in."""
    match dimension:
        case "hour":
            return local.replace(minute=0, second=0, microsecond=0).isoformat()
        case "day":
            return local.date().isoformat()
        case "week":
            year, week, _ = local.isocalendar()
            return f"{year}-W{week:02}"
        case "month":
            return f"{local.year:04}-{local.month:02}"
        case _:
            return f"{local.year:04}"


def buckets(start: datetime, end: datetime, dimension: str, zone: tzinfo) -> list[str]:
    """Return the keys of all buckets that ``[start, end)`` touches, in order of time."""
    moments = _quarters(start, end) if dimension == "hour" else _days(start, end, zone)
    return list(dict.fromkeys(bucket_of(moment.astimezone(zone), dimension) for moment in moments))


def bucket_start(key: str, dimension: str, zone: tzinfo) -> datetime:
    """Return when the bucket of this key begins."""
    match dimension:
        case "hour":
            return datetime.fromisoformat(key)
        case "day":
            first = date.fromisoformat(key)
        case "week":
            first = date.fromisocalendar(int(key[:4]), int(key[6:]), 1)
        case "month":
            first = date(int(key[:4]), int(key[5:]), 1)
        case _:
            first = date(int(key), 1, 1)
    return datetime.combine(first, time.min, tzinfo=zone)


def _quarters(start: datetime, end: datetime) -> Iterator[datetime]:
    # Counted in UTC: on wall clocks an hour is missing or double twice a year.
    moment, end = start.astimezone(UTC), end.astimezone(UTC)
    moment = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    while moment < end:
        yield moment
        moment += _QUARTER


def _days(start: datetime, end: datetime, zone: tzinfo) -> Iterator[datetime]:
    first = start.astimezone(zone).date()
    last = (end.astimezone(UTC) - _MOMENT).astimezone(zone).date()
    for days in range((last - first).days + 1):
        yield datetime.combine(first + timedelta(days=days), time.min, tzinfo=zone)
