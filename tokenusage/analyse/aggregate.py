"""Sums over groups of calls, exact to the last digit."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.report import Figures, Row

Groups = npt.NDArray[np.int64]

_COUNTED: Final = ("calls", "failed", "unpriced", "timed", "cache_hits")
_SUMMED: Final = (
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost_pico",
    "response_micro",
)
_PERCENTILES: Final = np.array([0.50, 0.95, 0.99])
_INT64_MAX: Final = 2**63 - 1
_HALF: Final = 2**32


def figures(
    calls: pd.DataFrame,
    groups: Groups,
    members: list[tuple[str | None, ...]],
    *,
    percentiles: bool = False,
) -> list[Row]:
    """Return a row for each group, in the order of `members`.

    Args:
        calls: the frame of calls; a cache hit among them adds to `cache_hits` alone.
        groups: the index in `members` of each call's group.
        members: the keys of each group.
        percentiles: whether to add those of the response time.
    """

    def count(which: pd.Series) -> list[int]:
        counts = np.bincount(groups[which.to_numpy()], minlength=len(members))
        return [int(number) for number in counts]

    real = ~calls["hit"]
    columns: dict[str, list[int]] = {
        "calls": count(real),
        "failed": count(calls["failed"] & real),
        "unpriced": count(~calls["priced"] & real),
        "timed": count(calls["timed"] & real),
        "cache_hits": count(calls["hit"]),
    }
    of_group = groups
    if not real.all():
        calls, of_group = calls[real], groups[real.to_numpy()]
    columns |= _sums(calls[list(_SUMMED)], of_group, len(members))
    quantiles = _quantiles(calls, of_group) if percentiles else {}
    rows: list[Row] = []
    for index, keys in enumerate(members):
        sums: dict[str, Any] = {name: values[index] for name, values in columns.items()}
        rows.append(Row(keys, Figures(percentiles=quantiles.get(index), **sums)))
    return rows


def total(rows: Iterable[Row]) -> Figures:
    """Return the sum of the figures of `rows`, without percentiles."""
    sums: dict[str, Any] = dict.fromkeys((*_COUNTED, *_SUMMED), 0)
    for row in rows:
        for name in sums:
            sums[name] += getattr(row.figures, name)
    return Figures(**sums)


def _sums(numbers: pd.DataFrame, groups: Groups, size: int) -> dict[str, list[int]]:
    """Return the sums of each of `size` groups, in integers of any size."""

    def sums(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.groupby(groups, sort=False).sum().reindex(range(size), fill_value=0)

    if numbers.empty or int(numbers.max().max()) * len(numbers) <= _INT64_MAX:
        whole = sums(numbers)
        return {name: whole[name].tolist() for name in _SUMMED}
    high, low = sums(numbers // _HALF), sums(numbers % _HALF)
    return {
        name: [h * _HALF + k for h, k in zip(high[name].tolist(), low[name].tolist(), strict=True)]
        for name in _SUMMED
    }


def _quantiles(calls: pd.DataFrame, groups: Groups) -> dict[int, tuple[float, float, float]]:
    """Return p50, p95 and p99 of the response time of each group, in seconds."""
    timed = calls["timed"].to_numpy()
    seconds = calls["response_micro"][timed] / 1e6
    wide = seconds.groupby(groups[timed]).quantile(_PERCENTILES).unstack()
    return {
        int(group): (float(row[0]), float(row[1]), float(row[2]))
        for group, row in zip(wide.index, wide.to_numpy(), strict=True)
    }
