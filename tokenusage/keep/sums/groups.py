"""Exact sums of integers over groups of rows, with numpy alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_MOST: Final = 1 << 62
"""Beyond it a sum or a key may not fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Sums of groups of rows.

    Args:
        keys: a row for each group; codes from -1 on, -1 for nothing.
        sums: the sums of each group by name; what is 0 everywhere may be left out.
    """

    keys: Integers
    sums: dict[str, Integers]

    @classmethod
    def of(cls, keys: Integers, values: Mapping[str, Integers]) -> Self:
        """Group rows of values by their keys.

        Raises:
            OverflowError: a sum may be beyond 64 bits.
        """
        return cls.of_runs(*runs(keys), keys, values)

    @classmethod
    def of_runs(
        cls, order: Integers, starts: Integers, keys: Integers, values: Mapping[str, Integers]
    ) -> Self:
        """Group rows as `of` does, whose `runs` are known already."""
        for name, column in values.items():
            if abs(column).sum(dtype=np.float64) > _MOST:
                raise OverflowError(name)
        sums = {
            name: np.add.reduceat(column[order], starts)
            for name, column in values.items()
            if column.any()
        }
        return cls(keys[order[starts]], sums)

    @property
    def size(self) -> int:
        """How many groups there are."""
        return len(self.keys)

    def sum(self, name: str) -> Integers:
        """Return a sum of each group."""
        return self.sums.get(name, np.zeros(len(self.keys), np.int64))

    @classmethod
    def together(cls, groups: Sequence[Self]) -> Self:
        """Add up groups, of which there is at least one."""
        names = {name for some in groups for name in some.sums}
        keys = np.concatenate([some.keys for some in groups])
        return cls.of(keys, {n: np.concatenate([some.sum(n) for some in groups]) for n in names})


def runs(keys: Integers) -> tuple[Integers, Integers]:
    """Return the order that puts equal rows of keys together, and where each run of them begins."""
    numbers = _numbers(keys)
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    begins = np.concatenate(([True] * min(1, len(ordered)), ordered[1:] != ordered[:-1]))
    return order, np.flatnonzero(begins)


def _numbers(keys: Integers) -> Integers:
    """Return one number for each row of keys, the same for the same row alone."""
    numbers = np.zeros(len(keys), np.int64)
    span = 1
    for column in keys.T:
        size = int(column.max(initial=-1)) + 2
        if span * size > _MOST:
            _, numbers = np.unique(numbers, return_inverse=True)
            span = len(keys)
        numbers = numbers * size + column + 1
        span *= size
    return numbers
