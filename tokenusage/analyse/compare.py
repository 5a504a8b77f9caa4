"""Two reports of the same question side by side: what changed from one period to another.

Rows belong together by their keys. Times are paired by position: the first day of the one
period with the first day of the other, and so on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from tokenusage.analyse.buckets import buckets
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


def compare(report: Report, before: Report) -> Comparison:
    """Return what changed.

    Args:
        report: the answer for the period asked for.
        before: the answer to the same query but for its period. Both periods have bounds.
    """
    by = report.query.by
    dimensions = TIME_DIMENSIONS & {*by, *report.sections}
    one, other = report.query.period, before.query.period
    axes: Axes = {
        name: list(zip_longest(_buckets(one, name), _buckets(other, name))) for name in dimensions
    }
    if by:
        return Comparison(report, before, _pairs(by, report.rows, before.rows, axes))
    sections = {
        name: _pairs((name,), rows, before.sections[name], axes)
        for name, rows in report.sections.items()
    }
    return Comparison(report, before, sections=sections)


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
