"""A report along an axis of time, each bucket divided into a few series."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from tokenusage.analyse.buckets import bucket_start, buckets
from tokenusage.analyse.query import TIME_DIMENSIONS, Query
from tokenusage.analyse.report import Figures, Report, together
from tokenusage.errors import WrongUseError

MOST_SERIES: Final = 7
"""More series can't be told apart: all but the largest six become one."""

WHOLE_AXIS: Final = 62
"""Buckets that a period may have for all of them to be shown; of a longer one the axis
runs from its first call to its last."""

_LONGEST: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}


class Bucket(NamedTuple):
    """A stretch of the axis."""

    key: str
    figures: Figures
    parts: tuple[Figures, ...]
    """One for each series of the chart; without a second dimension there is one."""


@dataclass(frozen=True, slots=True)
class Chart:
    """Buckets without a gap, in order of time."""

    buckets: tuple[Bucket, ...]
    """The last ones."""
    earlier: int
    """How many a limit left out."""
    before: Figures
    """What those hold together."""
    series: tuple[tuple[str | None, Figures], ...]
    """Keys of the second dimension with their totals, largest first."""
    others: int
    """How many keys the last part of each bucket holds together, behind those in `series`."""
    rest: Figures
    """The totals of those."""


def check_chart(by: tuple[str, ...]) -> None:
    """Make sure that these dimensions have a chart.

    Raises:
        WrongUseError: the first is no time, or there are more than two.
    """
    if not by or by[0] not in TIME_DIMENSIONS:
        raise WrongUseError(
            "--chart draws along time: begin --by with hour, day, week, month or year, "
            "such as --by day or --by day,model."
        )
    if len(by) > 2:
        raise WrongUseError(
            f"--chart divides its bars by one dimension, not by {' and '.join(by[1:])}: "
            f"use --by {by[0]},{by[1]}."
        )


def chart_of(
    report: Report, measure: Callable[[Figures], int], now: datetime, limit: int | None = None
) -> Chart:
    """Return the chart of a report by a time, or by a time and another dimension.

    Args:
        report: the answer; not empty.
        measure: what decides which series are large.
        now: the present; buckets after it had no chance to hold calls.
        limit: how many buckets, the last ones; None is all.
    """
    groups: dict[str, dict[str | None, Figures]] = defaultdict(dict)
    for row in report.rows:
        groups[row.keys[0] or ""][row.keys[-1] if len(row.keys) > 1 else None] = row.figures
    totals: dict[str | None, list[Figures]] = defaultdict(list)
    for parts in groups.values():
        for key, figures in parts.items():
            totals[key].append(figures)
    series = [(key, together(several)) for key, several in totals.items()]
    series.sort(key=lambda one: (-measure(one[1]), one[0] or ""))
    shown = series if len(series) <= MOST_SERIES else series[: MOST_SERIES - 1]
    names = [key for key, _ in shown]

    def bucket(key: str) -> Bucket:
        found = groups.get(key, {})
        parts = [found.get(name, Figures()) for name in names]
        if len(shown) < len(series):
            parts.append(together(found[name] for name in found if name not in names))
        return Bucket(key, together(found.values()), tuple(parts))

    axis = _axis(report.query, sorted(groups), now)
    last = axis[-(limit or len(axis)) :]
    earlier = groups.keys() - set(last)
    return Chart(
        buckets=tuple(map(bucket, last)),
        earlier=len(axis) - len(last),
        before=together(figures for key in earlier for figures in groups[key].values()),
        series=tuple(shown),
        others=len(series) - len(shown),
        rest=together(figures for _, figures in series[len(shown) :]),
    )


def _axis(query: Query, found: list[str], now: datetime) -> list[str]:
    dimension, zone = query.by[0], query.period.zone
    moments = [bucket_start(key, dimension, zone) for key in found]
    first, last = min(moments), max(moments) + timedelta(microseconds=1)
    start, end = query.period.start, query.period.end
    if start and end and end - start <= WHOLE_AXIS * _LONGEST[dimension]:
        first, last = min(start, first), max(last, min(end, now))
    return buckets(first, last, dimension, zone)
