"""Sums over groups of calls, exact to the last digit."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.mean import Mean, number_in
from tokenusage.analyse.report import SUMS, Figures, Row
from tokenusage.record import MICRO

Integers = npt.NDArray[np.int64]

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
    groups: Integers,
    members: list[tuple[str | None, ...]],
    *,
    percentiles: bool = False,
    means: Sequence[str] = (),
) -> list[Row]:
    """Return a row for each group, in the order of `members`.

    Args:
        calls: the frame of calls; a cache hit among them adds to `cache_hits` alone.
        groups: the index in `members` of each call's group.
        members: the keys of each group.
        percentiles: whether to add those of the response time.
        means: tags to average, ``tag.NAME``; columns of `calls`.
    """

    def count(which: pd.Series) -> Integers:
        return np.bincount(groups[which.to_numpy()], minlength=size)

    size = len(members)
    hits = count(calls["hit"])
    if hits.any():
        real = ~calls["hit"]
        calls, groups = calls[real], groups[real.to_numpy()]
    number = np.bincount(groups, minlength=size)
    columns: dict[str, list[int]] = {
        "calls": number.tolist(),
        "failed": count(calls["failed"]).tolist(),
        "unpriced": count(~calls["priced"]).tolist(),
        "timed": (number - count(~calls["timed"])).tolist(),
        "cache_hits": hits.tolist(),
        **_sums(calls[list(_SUMMED)], groups, size),
    }
    quantiles = _quantiles(calls, groups, size) if percentiles else [None] * size
    sums = [columns[name] for name in SUMS]
    tags = _means(calls, means, groups, size)
    return [
        Row(keys, Figures._make(values))
        for keys, *values in zip(members, *sums, quantiles, tags, strict=True)
    ]


def added(sums: pd.DataFrame, groups: Integers, members: list[tuple[str | None, ...]]) -> list[Row]:
    """Return a row for each group of the rows of summaries, as `figures` does for calls."""
    columns = _sums(sums[list(SUMS)], groups, len(members))
    values = zip(*(columns[name] for name in SUMS), strict=True)
    return [
        Row(keys, Figures._make([*row, None, ()]))
        for keys, row in zip(members, values, strict=True)
    ]


def _sums(numbers: pd.DataFrame, groups: Integers, size: int) -> dict[str, list[int]]:
    """Return the sums of each of `size` groups, in integers of any size."""
    wide = [str(name) for name in numbers if numbers[name].dtype == object]
    if wide:
        # Integers beyond 64 bits, one of which is nine million dollars in a single group.
        whole = _sums(numbers.drop(columns=wide), groups, size)
        for name in wide:
            whole[name] = [0] * size
            for group, number in zip(groups.tolist(), numbers[name], strict=True):
                whole[name][group] += number
        return whole
    names = [str(name) for name in numbers]

    def sums(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.groupby(groups, sort=False).sum().reindex(range(size), fill_value=0)

    if numbers.empty or int(numbers.max().max()) * len(numbers) <= _INT64_MAX:
        narrow = sums(numbers)
        return {name: narrow[name].tolist() for name in names}
    numbers = numbers.astype(np.int64)
    high, low = sums(numbers // _HALF), sums(numbers % _HALF)
    return {
        name: [h * _HALF + k for h, k in zip(high[name].tolist(), low[name].tolist(), strict=True)]
        for name in names
    }


def _means(
    calls: pd.DataFrame, tags: Sequence[str], groups: Integers, size: int
) -> list[tuple[Mean, ...]]:
    """Return the averages of some tags in each group; without tags there is none."""
    if not tags:
        return [()] * size
    return list(zip(*(means_of(calls[name], groups, size) for name in tags), strict=True))


def _quantiles(
    calls: pd.DataFrame, groups: Integers, size: int
) -> list[tuple[float, float, float] | None]:
    """Return p50, p95 and p99 of the response time of each group, in seconds."""
    timed = calls["timed"].to_numpy()
    seconds = calls["response_micro"][timed] / MICRO
    wide = seconds.groupby(groups[timed]).quantile(_PERCENTILES).unstack()
    found = {
        group: (row[0], row[1], row[2])
        for group, row in zip(wide.index, wide.to_numpy().tolist(), strict=True)
    }
    return [found.get(group) for group in range(size)]


def means_of(tags: pd.Series, groups: npt.NDArray[np.int64], size: int) -> list[Mean]:
    """Return the mean of a tag in each of `size` groups.

    Args:
        tags: per call the tag's text, a pandas Series of categories.
        groups: per call the index of its group.
        size: how many groups there are.
    """
    codes = tags.cat.codes.to_numpy().astype(np.int64)
    numbers = [number_in(text) for text in tags.cat.categories]
    # Code -1, no value, picks the last entry.
    numeric = np.array([number is not None for number in numbers] + [False])[codes]
    width = max(1, len(numbers))
    found, counts = np.unique(groups[numeric] * width + codes[numeric], return_counts=True)
    totals, calls = [0] * size, [0] * size
    for pair, count in zip(found.tolist(), counts.tolist(), strict=True):
        group, code = divmod(pair, width)
        totals[group] += (numbers[code] or 0) * count
        calls[group] += count
    return list(map(Mean, totals, calls))
