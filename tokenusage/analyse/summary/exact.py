"""Exact sums over groups of rows, of integers of any size, by numpy alone."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_ROWS: Final = 1 << 20
"""So many numbers of 32 bits add up exactly in doubles."""
_HALF: Final = 32
_DENSE: Final = 1 << 22
"""Up to so many numbers a table of all of them is faster than sorting those that occur."""


def group_sums(numbers: npt.NDArray[Any], groups: Integers, size: int) -> list[int]:
    """Return the sum of each of `size` groups.

    Args:
        numbers: from 0 on: 64 bits or Python's integers.
        groups: the index of each number's group.
        size: how many groups there are.
    """
    sums = [0] * size
    if numbers.dtype == object:
        for group, number in zip(groups.tolist(), numbers.tolist(), strict=True):
            sums[group] += number
        return sums
    for start in range(0, len(numbers), _ROWS):
        part, of_part = numbers[start : start + _ROWS], groups[start : start + _ROWS]
        # What is narrow is a whole bincount less.
        if part.max() >> _HALF:
            high = np.bincount(of_part, part >> _HALF, size)
            part = part & ((1 << _HALF) - 1)
            sums = [known + (int(more) << _HALF) for known, more in zip(sums, high, strict=True)]
        low = np.bincount(of_part, part, size)
        sums = [known + int(more) for known, more in zip(sums, low, strict=True)]
    return sums


def total(numbers: npt.NDArray[Any]) -> int:
    """Return the sum of numbers from 0 on."""
    return group_sums(numbers, np.zeros(len(numbers), np.int64), 1)[0]


def number(keys: Sequence[Integers], sizes: Sequence[int]) -> tuple[Integers, list[list[int]]]:
    """Number the combinations of keys that occur.

    Args:
        keys: columns of codes from 0 on.
        sizes: how many codes each of them has.

    Returns:
        The number of each row's combination, and of each combination its codes.
    """
    rows: Integers = np.zeros(len(keys[0]), np.int64)
    span = 1
    for column, size in zip(keys, sizes, strict=True):
        rows = rows * size + column
        span *= size
    if span > _DENSE:
        found, rows = np.unique(rows, return_inverse=True)
    else:
        found = np.flatnonzero(np.bincount(rows, minlength=span))
        index = np.empty(span, np.int64)
        index[found] = np.arange(len(found))
        rows = index[rows]
    members = np.stack(np.unravel_index(found, tuple(sizes)), axis=1) if len(found) else found
    return rows, members.tolist()
