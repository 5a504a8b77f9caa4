"""Which groups come first, found before a row is made of each of a million."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.query import First

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MANY: Final = 10_000
"""Fewer groups are not worth the choice."""

_ROUGHLY: Final = 1e-9
"""How much of a sum its double may be off; what is nearer than this counts as equal."""

_COLUMNS: Final = {
    "cost": "cost_pico",
    "tokens": "total_tokens",
    "failures": "failed",
    "response_time": "response_micro",
}


def first_groups(calls: pd.DataFrame, groups: Integers, size: int, first: First) -> Integers:
    """Return the groups that may be among the first, in ascending order: those and their equals.

    Args:
        calls: the frame of calls; cache hits among them are no calls.
        groups: the group of each, from 0 on.
        size: how many groups there are.
        first: by what, and how many.
    """
    real = ~calls["hit"].to_numpy()
    calls, groups = calls[real], groups[real]

    def summed(column: str) -> Floats:
        sums = np.bincount(groups, calls[column].to_numpy(np.float64), minlength=size)
        return sums.astype(np.float64)

    number = np.bincount(groups, minlength=size).astype(np.float64)
    amounts = number if first.measure == "calls" else summed(_COLUMNS[first.measure])
    if first.measure == "cost":
        amounts = np.where((summed("priced") == 0) & (number > 0), -np.inf, amounts)
    elif first.measure == "response_time":
        timed = summed("timed")
        amounts = np.where(timed > 0, amounts / np.maximum(timed, 1), -np.inf)
    chosen: list[Integers] = []
    # One more, as one of them may be the calls without a name, which have no rank.
    tied, wanted = np.arange(size), first.limit + 1
    # Of groups that are equal the dearest come first, as `ranking.rank` has it.
    for values in (amounts, summed("cost_pico"), summed("total_tokens"), number):
        if len(tied) <= wanted:
            break
        last = np.partition(values[tied], len(tied) - wanted)[len(tied) - wanted]
        margin = abs(last) * _ROUGHLY if np.isfinite(last) else 0.0
        above = values[tied] > last + margin
        chosen.append(tied[above])
        wanted -= int(above.sum())
        tied = tied[~above & (values[tied] >= last - margin)]
    return np.sort(np.concatenate([*chosen, tied]))
