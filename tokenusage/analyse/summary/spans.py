"""The periods of a summary, and all time cut at their bounds."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Period

Integers = npt.NDArray[np.int64]

RECENT: Final = "last_24_hours"
"""The period in which a session is active."""
MONTH: Final = "this_month"
"""The period whose cost is projected."""

_COMPARED: Final = timedelta(hours=48)
"""As far back as the last 24 hours and those before them go."""
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A period of the summary."""

    name: str
    """As machine formats call it: ``last_hour``."""
    period: Period
    """The one that `report` has for the same words."""
    before: Period | None
    """What it is compared with; None is nothing."""
    whole_day: date | None = None
    """The last day of `before`, where it counts whole because only its sums are left."""


def spans(now: datetime, tz: str, only_sums: Container[date] = ()) -> tuple[Span, ...]:
    """Return the periods of a summary, shortest first.

    Args:
        now: the present, with a zone.
        tz: ``UTC`` or an IANA name; days begin at its midnights.
        only_sums: days of which only sums are left. Last month up to this day and time is up
            to the end of this day where it is one of them: a day more or less says little
            of a month, but everything of a day, and so no other bound moves.
    """
    today = make_period(now=now, days=1, tz=tz)
    local = now.astimezone(today.zone)
    month = make_period(now=now, month=f"{local:%Y-%m}", tz=tz)
    everything = make_period(now=now, everything=True, tz=tz)
    yesterday = local.date() - _DAY
    this_month = local.date().replace(day=1)
    last_month = (this_month - _DAY).replace(day=1)
    month_end = _month_so_far(last_month, this_month, local)
    whole_day = None
    if month_end.time() != time.min and month_end.date() in only_sums:
        whole_day = month_end.date()
        month_end = datetime.combine(whole_day + _DAY, time.min, tzinfo=local.tzinfo)

    def before(first: date, end: datetime) -> Period:
        start = datetime.combine(first, time.min, tzinfo=local.tzinfo)
        return replace(everything, start=start, end=end, label="before")

    return (
        _hours("last_hour", 1, now, tz),
        _hours(RECENT, 24, now, tz),
        Span("today", today, before(yesterday, _at_this_time(yesterday, local))),
        Span(MONTH, month, before(last_month, month_end), whole_day),
        Span("all_time", everything, None),
    )


def _hours(name: str, hours: int, now: datetime, tz: str) -> Span:
    period, both = (make_period(now=now, hours=n * hours, tz=tz) for n in (1, 2))
    return Span(name, period, replace(both, end=period.start, label="before"))


def _at_this_time(day: date, local: datetime) -> datetime:
    return datetime.combine(day, local.time(), tzinfo=local.tzinfo)


def _month_so_far(last_month: date, this_month: date, local: datetime) -> datetime:
    """Return this day and time of last month, or its end where it has no such day."""
    day = last_month + timedelta(days=local.day - 1)
    if day < this_month:
        return _at_this_time(day, local)
    return datetime.combine(this_month, time.min, tzinfo=local.tzinfo)


def split_days(parts: Sequence[Span], now: datetime) -> frozenset[date]:
    """Return the UTC days that have to be read by record, for their sums are not enough.

    They are those that a bound divides, as a day of UTC or of the periods' zone, and those
    of which it is asked what happened in the last 24 hours.
    """
    days = {bound.date() for bound in _bounds(parts) if bound.time() != time.min}
    utc = [bound.astimezone(UTC) for bound in _bounds(parts)]
    days |= {bound.date() for bound in utc if bound.time() != time.min}
    first = (now.astimezone(UTC) - _COMPARED).date()
    return frozenset(days | {first + n * _DAY for n in range(4)})


def _bounds(parts: Sequence[Span]) -> list[datetime]:
    periods = [period for part in parts for period in (part.period, part.before) if period]
    return [bound for period in periods for bound in (period.start, period.end) if bound]


def moment_of(bound: datetime) -> int:
    """Return a moment as microseconds since the epoch."""
    return (bound - _EPOCH) // timedelta(microseconds=1)


class Slots:
    """All time, cut at every bound of some periods; slot 0 is what comes before the first.

    A period is some slots beside each other, so that what is added up by slot adds up
    by period.
    """

    def __init__(self, parts: Sequence[Span]) -> None:
        moments = sorted({moment_of(bound) for bound in _bounds(parts)})
        self._bounds: Integers = np.array(moments, np.int64)
        self.count: Final = len(moments) + 1

    def of(self, times: Integers) -> Integers:
        """Return the slot of each moment, in microseconds since the epoch."""
        return np.searchsorted(self._bounds, times, side="right")

    def reach(self, period: Period) -> range:
        """Return the slots that a period consists of."""
        bounds = self._bounds.tolist()
        first = bounds.index(moment_of(period.start)) + 1 if period.start else 0
        after = bounds.index(moment_of(period.end)) + 1 if period.end else self.count
        return range(first, after)
