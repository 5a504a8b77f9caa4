"""What sums by operation and model leave out: sessions, tasks, items, kinds of hits, percentiles.

All of it is told from strands: records, and what details say of the other days.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tokenusage.analyse.report import Figures
from tokenusage.analyse.summary.columns import codes
from tokenusage.analyse.summary.exact import group_sums, total
from tokenusage.analyse.summary.page import CacheUse, Work
from tokenusage.analyse.summary.spans import Integers
from tokenusage.analyse.summary.strands import Strands
from tokenusage.analyse.summary.tallies import Tally
from tokenusage.record import MICRO

_QUANTILES: Final = (0.50, 0.95, 0.99)
_OF_ITEMS: Final = ("items", "total_tokens", "calls", "cost_pico", "unpriced")


def work_of(strands: Strands, name: str, recent: range) -> Work:
    """Return what sessions or tasks come to.

    Args:
        strands: of all time.
        name: ``session`` or ``task``.
        recent: the slots of the last 24 hours, which hold records alone.
    """
    owners, _ = codes(strands.names[name])
    owned = owners >= 0
    if not owned.any():
        return Work()
    strands, owners = strands.where(owned), owners[owned]
    columns = strands.columns
    batches, _ = codes(strands.names["batch"])
    batched = batches >= 0
    pairs = owners[batched] * (int(batches.max()) + 1) + batches[batched]
    slots = columns["slot"]
    active = (slots >= recent.start) & (slots < recent.stop)
    called = columns["calls"] > 0
    durations = _durations(owners[called], columns["first"][called], columns["last"][called])
    return Work(
        number=_distinct(owners),
        calls=total(columns["calls"]),
        batches=_distinct(pairs),
        cost_pico=total(columns["cost_pico"]),
        unpriced=total(columns["unpriced"]),
        lasting=len(durations),
        duration_micro=total(durations),
        active=_distinct(owners[active]),
    )


def _durations(owners: Integers, first: Integers, last: Integers) -> Integers:
    """Return how long each owner's calls took from the first to the last."""
    # Sorted, because Arrow's own grouping imports pandas.
    order = np.argsort(owners, kind="stable")
    owners = owners[order]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]])[: len(owners)])
    ends: Integers = np.maximum.reduceat(last[order], starts)
    return ends - np.minimum.reduceat(first[order], starts)


def item_sums(strands: Strands, slots: int) -> dict[str, list[int]]:
    """Return the sums of the calls that have items, by name and by slot."""
    counted = (strands.columns["with_items"] > 0) & (strands.columns["calls"] > 0)
    of_items = {name: column[counted] for name, column in strands.columns.items()}
    return {name: group_sums(of_items[name], of_items["slot"], slots) for name in _OF_ITEMS}


def cache_use(strands: Strands, tallies: Iterable[Tally]) -> CacheUse:
    """Return the cache hits by kind, and what they have saved.

    Args:
        strands: of all time.
        tallies: of all time; of hits that no strand tells of too.
    """
    kinds, names = codes(strands.names["cache"])
    known = kinds >= 0
    hits = group_sums(strands.columns["cache_hits"][known], kinds[known], len(names))
    of_kind = dict(zip(names, hits, strict=True))
    session, persistent = (of_kind.get(name, 0) for name in ("session", "persistent"))
    groups: dict[tuple[str, str], Figures] = {}
    for tally in tallies:
        key = (tally.operation, tally.model)
        groups[key] = groups.get(key, Figures()).plus(tally.figures)
    saving, unpriced = _saving(groups)
    return CacheUse(
        hits=sum(group.cache_hits for group in groups.values()),
        session=session,
        persistent=persistent,
        other=sum(hits) - session - persistent,
        calls=sum(group.calls for group in groups.values()),
        saving_pico=saving,
        unpriced=unpriced,
    )


def _saving(groups: Mapping[Any, Figures]) -> tuple[int, int]:
    """Return what hits save, in picodollars, and of how many of them it isn't known."""
    saving, unknown = Fraction(), 0
    for group in groups.values():
        if priced := group.calls - group.unpriced:
            saving += Fraction(group.cache_hits * group.cost_pico, priced)
        else:
            unknown += group.cache_hits
    return round(saving), unknown


class ResponseTimes:
    """The response times of calls, in order of their slots."""

    def __init__(self, strands: Strands, slots: int) -> None:
        of_slot = strands.response_slots.astype(np.int16)
        self._times: Integers = strands.response_times[np.argsort(of_slot, kind="stable")]
        self._starts = np.cumsum([0, *np.bincount(of_slot, minlength=slots)]).tolist()

    def percentiles(self, reach: range) -> tuple[float, float, float] | None:
        """Return p50, p95 and p99 in seconds, linear, as a report does; None without a call."""
        times = self._times[self._starts[reach.start] : self._starts[reach.stop]]
        if not len(times):
            return None
        last = len(times) - 1
        places = [quantile * last for quantile in _QUANTILES]
        ranked = np.partition(times, [min(int(p) + more, last) for p in places for more in (0, 1)])
        p50, p95, p99 = (_between(ranked, place) for place in places)
        return p50, p95, p99


def _between(ranked: npt.NDArray[Any], place: float) -> float:
    """Return the number at a place, in seconds, between those on both sides of it."""
    low = int(ranked[int(place)]) / MICRO
    part = place % 1
    return low + (int(ranked[int(place) + 1]) / MICRO - low) * part if part else low


def _distinct(numbers: Integers) -> int:
    return len(np.unique(numbers))
