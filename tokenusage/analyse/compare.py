"""Two reports of the same question side by side: what changed from one period to another.

Rows belong together by their keys. Times are paired by position: the first day of the one
period with the first day of the other, and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from itertools import zip_longest
from typing import NamedTuple

from tokenusage.analyse.buckets import bucket_start, buckets
from tokenusage.analyse.query import TIME_DIMENSIONS, Period
from tokenusage.analyse.report import Figures, Report, Row

Keys = tuple[str | None, ...]
Axes = Mapping[str, Sequence[tuple[str | None, str | None]]]
"""By dimension of time: the keys of both periods that stand at the same position."""


class Pair(NamedTuple):
    """A group of calls in both periods."""

    keys: Keys
    """Of the period asked for; None for a time that it is too short to have."""
    before_keys: Keys
    """Of the period that it is held against: other keys than `keys` for times alone."""
    now: Figures | None
    """None where the period asked for has no such group."""
    before: Figures | None
    """None where the other period has none."""
    is_alone: bool = False
    """One of the periods has no such time, or not yet: there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report, and how it differs from that of another period."""

    report: Report
    before: Report
    rows: tuple[Pair, ...] = ()
    sections: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    """Rows by dimension, where the query names no dimensions."""

    @property
    def totals(self) -> Pair:
        """The totals of both periods."""
        return Pair((), (), self.report.totals, self.before.totals)


def compare(report: Report, before: Report, now: datetime) -> Comparison:
    """Return what changed.

    Args:
        report: the answer for the period asked for.
        before: the answer to the same query but for its period. Both periods have bounds.
        now: the present; of a time that begins after it nothing can be said.
    """
    by = report.query.by
    dimensions = TIME_DIMENSIONS & {*by, *report.sections}
    one, other = report.query.period, before.query.period
    axes: Axes = {
        name: list(zip_longest(_buckets(one, name), _buckets(other, name))) for name in dimensions
    }

    def pairs(by: tuple[str, ...], rows: Sequence[Row], others: Sequence[Row]) -> tuple[Pair, ...]:
        found = _pairs(by, rows, others, axes)
        return tuple(pair._replace(is_alone=_is_alone(by, pair, one.zone, now)) for pair in found)

    if by:
        return Comparison(report, before, pairs(by, report.rows, before.rows))
    sections = {
        name: pairs((name,), rows, before.sections[name]) for name, rows in report.sections.items()
    }
    return Comparison(report, before, sections=sections)


def _is_alone(by: tuple[str, ...], pair: Pair, zone: tzinfo, now: datetime) -> bool:
    times = [
        both
        for both in zip(by, pair.keys, pair.before_keys, strict=True)
        if both[0] in TIME_DIMENSIONS
    ]
    return any(
        key is None or before is None or (pair.now is None and bucket_start(key, name, zone) > now)
        for name, key, before in times
    )


def _buckets(period: Period, dimension: str) -> list[str]:
    if period.start is None or period.end is None:
        raise ValueError("a period without bounds can't be compared")
    return buckets(period.start, period.end, dimension, period.zone)


def _pairs(
    by: tuple[str, ...], rows: Sequence[Row], before: Sequence[Row], axes: Axes
) -> tuple[Pair, ...]:
    """Pair rows; times in their order, everything else by the dearest of this period first."""
    sides = [_by_place(by, side, axes, which) for which, side in enumerate((rows, before))]
    pairs = []
    for place in dict.fromkeys([*sides[0], *sides[1]]):
        both = [_keys(by, place, axes, which) for which in (0, 1)]
        pair = Pair(both[0], both[1], sides[0].get(place), sides[1].get(place))
        pairs.append((_order(by, place, pair), pair))
    pairs.sort(key=lambda ordered: ordered[0])
    return tuple(pair for _, pair in pairs)


def _by_place(
    by: tuple[str, ...], rows: Sequence[Row], axes: Axes, which: int
) -> dict[tuple[str | int | None, ...], Figures]:
    """Return the figures of rows by their keys, with positions in the place of times."""
    positions = {
        name: {both[which]: place for place, both in enumerate(axis)} for name, axis in axes.items()
    }
    return {
        tuple(
            positions[name][key] if name in positions else key
            for name, key in zip(by, row.keys, strict=True)
        ): row.figures
        for row in rows
    }


def _keys(by: tuple[str, ...], place: tuple[str | int | None, ...], axes: Axes, which: int) -> Keys:
    return tuple(
        axes[name][key][which] if isinstance(key, int) else key
        for name, key in zip(by, place, strict=True)
    )


def _order(
    by: tuple[str, ...], place: tuple[str | int | None, ...], pair: Pair
) -> tuple[object, ...]:
    in_time = [key for name, key in zip(by, place, strict=True) if name in TIME_DIMENSIONS]
    now, before = pair.now or Figures(), pair.before or Figures()
    sums = [-now.cost_pico, -before.cost_pico, -now.calls, -before.calls]
    return (in_time, *sums, [key or "" for key in pair.keys])
