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
    if dimension == "hour":
        return list(dict.fromkeys(_hours(start, end, zone)))
    return list(dict.fromkeys(bucket_of(day, dimension) for day in _days(start, end, zone)))


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


def _hours(start: datetime, end: datetime, zone: tzinfo) -> Iterator[str]:
    """Yield the keys of hours, some of them several times beside each other."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    for midnight in _days(start, end, zone):
        after = midnight + timedelta(days=1)
        if start <= midnight and after <= end and midnight.utcoffset() == after.utcoffset():
            # Nearly all days of a long span: a key at a time would take minutes for some.
            key = midnight.isoformat()
            yield from (f"{key[:11]}{hour:02}{key[13:]}" for hour in range(24))
        else:
            for moment in _quarters(max(start, midnight), min(end, after)):
                yield bucket_of(moment.astimezone(zone), "hour")


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
