"""The words of the command line about time, turned into a half-open period.

A day lasts from local midnight to local midnight of the zone, 23 to 25 hours
where clocks change. Dates are written ``YYYY-MM-DD`` in ASCII digits and in no
other way.
"""

import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tokenusage.analyse.query import Period
from tokenusage.errors import WrongUseError, nearest
from tokenusage.logs import parse_day

DEFAULT_DAYS: Final = 7

FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
"""Calls can't be asked for beyond these; timestamps in nanoseconds end soon after."""

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}\Z")


def make_period(
    *,
    now: datetime,
    days: int | None = None,
    hours: int | None = None,
    month: str | None = None,
    everything: bool = False,
    since: str | None = None,
    until: str | None = None,
    tz: str = "UTC",
) -> Period:
    """Return the period that the options name; without any, the last 7 days.

    Args:
        now: the present, with a zone.
        days: the last so many calendar days, today included.
        hours: the last so many hours up to `now`.
        month: a calendar month, ``YYYY-MM``.
        everything: from the first record to the last.
        since: first day, ``YYYY-MM-DD``; without `until`, to the last record.
        until: last day, inclusive; without `since`, from the first record.
        tz: ``UTC``, ``local`` or an IANA name; days begin at its midnights.

    Raises:
        WrongUseError: two periods at once, or a value that can't be one.
    """
    given = {
        "--days": days is not None,
        "--hours": hours is not None,
        "--month": month is not None,
        "--all": everything,
        "--since/--until": since is not None or until is not None,
    }
    named = [option for option, is_given in given.items() if is_given]
    if len(named) > 1:
        raise WrongUseError(f"{' and '.join(named)} name different periods: give one of them.")
    zone, name = find_zone(tz)
    if everything:
        return Period(None, None, zone, name, "all time")
    if hours is not None:
        return _last_hours(hours, now, zone, name)
    if month is not None:
        first = _month_start(month)
        after = (first + timedelta(days=31)).replace(day=1)
        return Period(_midnight(first, zone), _midnight(after, zone), zone, name, month)
    if since is not None or until is not None:
        return _between(since, until, zone, name)
    return _last_days(DEFAULT_DAYS if days is None else days, now, zone, name)


def compared_period(words: str, period: Period, now: datetime) -> Period:
    """Return the period that ``--compare`` names, to be held against `period`.

    Args:
        words: ``previous``, or two inclusive dates, ``2026-10-01..2026-10-31``.
        period: of the report, which has a start and an end; its zone is that of the dates.
        now: the present; of what is before a period that is not over counts as much.

    Raises:
        WrongUseError: `words` are neither, or `period` has no start or no end.
    """
    if period.start is None or period.end is None:
        raise WrongUseError(
            f"--compare needs a period that begins and ends, and {period.label} does not: "
            "use --days, --month, or --since with --until."
        )
    if words == "previous":
        return _so_far(_previous(period, period.start, period.end), period, now)
    since, _, until = words.partition("..")
    if not since or not until:
        raise WrongUseError(
            f"--compare takes previous, or dates such as 2026-10-01..2026-10-31, not {words!r}."
            + nearest(words, ["previous"])
        )
    first, last = _day("--compare", since), _day("--compare", until)
    if first > last:
        raise WrongUseError(f"--compare {words} ends before it begins: swap the dates.")
    return _of_days(first, last, period.zone, period.zone_name)


def _previous(period: Period, start: datetime, end: datetime) -> Period:
    """Return the period of the same length before; before a calendar month the whole month."""
    zone, name = period.zone, period.zone_name
    if period.label.endswith(("hour", "hours")):
        length = end.astimezone(UTC) - start.astimezone(UTC)
        before = (start.astimezone(UTC) - length).astimezone(zone)
        hours = length // timedelta(hours=1)
        label = "preceding hour" if hours == 1 else f"preceding {hours:,} hours"
        return Period(before, start, zone, name, label)
    first, last = start.date(), end.date() - timedelta(days=1)
    before_last = first - timedelta(days=1)
    if first.day == 1 and last == _month_end(first):
        before_first = before_last.replace(day=1)
    else:
        before_first = before_last - (last - first)
    if before_first < FIRST_DAY:
        raise WrongUseError(f"--compare previous reaches back before {FIRST_DAY.year}.")
    return _of_days(before_first, before_last, zone, name)


def _so_far(before: Period, period: Period, now: datetime) -> Period:
    """Return the period before another one up to the same day and time as that has come to."""
    if not (period.start and period.end and before.start and before.end):
        return before
    if not period.start <= now < period.end:
        return before
    local = now.astimezone(period.zone)
    day = before.start.date() + (local.date() - period.start.date())
    end = datetime.combine(day, local.time(), tzinfo=period.zone)
    if end >= before.end:
        return before
    first = before.start.date()
    dates = str(first) if first == day else f"{first} to {day}"
    return replace(before, end=end, label=f"{dates} up to {end:%H:%M}")


def _of_days(first: date, last: date, zone: tzinfo, name: str) -> Period:
    """Return the period from one day to another, both inclusive; a whole month has its name."""
    if first.day == 1 and last == _month_end(first):
        label = f"{first:%Y-%m}"
    else:
        label = str(first) if first == last else f"{first} to {last}"
    end = _midnight(last + timedelta(days=1), zone)
    return Period(_midnight(first, zone), end, zone, name, label)


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def day_bounds(period: Period) -> tuple[date | None, date | None]:
    """Return the first and the last day of a period, both inclusive."""
    first = period.start.date() if period.start else None
    last = (period.end - timedelta(microseconds=1)).date() if period.end else None
    return first, last


def find_zone(name: str) -> tuple[ZoneInfo, str]:
    """Return the zone that `name` stands for, and its name as it is printed.

    Raises:
        WrongUseError: there is no such zone, or ``local`` has no name here.
    """
    if name == "local":
        return local_zone(os.environ.get("TZ"), Path("/etc/localtime"))
    try:
        return ZoneInfo(name), name
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = nearest(name, available_timezones())
        raise WrongUseError(
            f"There is no time zone {name!r}: use UTC, local or an IANA name "
            f"such as Europe/Berlin.{hint}"
        ) from error


def local_zone(variable: str | None, localtime: Path) -> tuple[ZoneInfo, str]:
    """Return the zone of this machine by its IANA name, so that its past offsets are known.

    Args:
        variable: the value of ``TZ``, which comes first.
        localtime: the symlink into the zone database that says it otherwise;
            where there is none, the machine keeps UTC.

    Raises:
        WrongUseError: the machine's zone has no IANA name.
    """
    if variable:
        key = variable.removeprefix(":")
    elif localtime.exists():
        key = str(localtime.resolve())
    else:
        key = "UTC"
    key = key.rpartition("/zoneinfo/")[2]
    try:
        return ZoneInfo(key), key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WrongUseError(
            f"The local time zone {key!r} has no IANA name: give one, such as --tz Europe/Berlin."
        ) from error


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def _last_days(days: int, now: datetime, zone: ZoneInfo, name: str) -> Period:
    today = now.astimezone(zone).date()
    _check_reach("--days", days, (today - FIRST_DAY).days)
    first = today - timedelta(days=days - 1)
    label = "today" if days == 1 else f"last {days:,} days"
    end = _midnight(today + timedelta(days=1), zone)
    return Period(_midnight(first, zone), end, zone, name, label)


def _last_hours(hours: int, now: datetime, zone: ZoneInfo, name: str) -> Period:
    _check_reach("--hours", hours, (now.astimezone(UTC).date() - FIRST_DAY).days * 24)
    # Subtracted in UTC: on wall clocks an hour is missing or double twice a year.
    start = (now.astimezone(UTC) - timedelta(hours=hours)).astimezone(zone)
    label = "last hour" if hours == 1 else f"last {hours:,} hours"
    return Period(start, now.astimezone(zone), zone, name, label)


def _check_reach(option: str, count: int, most: int) -> None:
    if count < 1:
        raise WrongUseError(f"{option} must be 1 or more, not {count}.")
    if count > most:
        raise WrongUseError(f"{option} {count} reaches back before 1970: use --all for everything.")


def _between(since: str | None, until: str | None, zone: ZoneInfo, name: str) -> Period:
    first = None if since is None else _day("--since", since)
    last = None if until is None else _day("--until", until)
    if first and last and first > last:
        raise WrongUseError(f"--since {first} is after --until {last}: swap them.")
    if first and last:
        label = str(first) if first == last else f"{first} to {last}"
    else:
        label = f"since {first}" if first else f"until {last}"
    start = _midnight(first, zone) if first else None
    end = _midnight(last + timedelta(days=1), zone) if last else None
    return Period(start, end, zone, name, label)


def _day(option: str, text: str) -> date:
    day = parse_day(text)
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise WrongUseError(
            f"{option} must be a date such as 2026-11-22, from {FIRST_DAY} to {LAST_DAY}, "
            f"not {text!r}."
        )
    return day


def _month_start(text: str) -> date:
    first = parse_day(f"{text}-01") if _MONTH.match(text) else None
    if first is None or not FIRST_DAY <= first <= LAST_DAY:
        raise WrongUseError(f"--month must be a month such as 2026-11, not {text!r}.")
    return first
