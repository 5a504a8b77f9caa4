"""The average of a numeric tag, exact and the same in any order of the calls.

A number is what JSON takes for one, written as a number or as text: as everywhere,
``0.9`` and ``"0.9"`` are the same value. Anything else that a tag may hold, truths and what
is beyond a double among it, is left out. A number's value is the shortest decimal that reads
back as its double; sums of such decimals are integers.
"""

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

_PLACES: Final = 324
"""Decimals of the smallest double, 5e-324, and of every other one's shortest spelling."""
_UNIT: Final = 10**_PLACES
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", re.ASCII)


class Mean(NamedTuple):
    """The sum of a tag's numbers over some calls, and how many calls carry one."""

    total: int = 0
    """In units of 10⁻³²⁴."""
    number: int = 0

    @property
    def value(self) -> float | None:
        """The average, rounded once, to the nearest double; None where no call has a number."""
        return self.total / (self.number * _UNIT) if self.number else None


def number_in(text: str) -> int | None:
    """Return the number that a tag's text is, in units of 10⁻³²⁴; None where it is none."""
    if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
        return None
    return int(Decimal(repr(value)).scaleb(_PLACES))


def means_together(several: Iterable[tuple[Mean, ...]]) -> tuple[Mean, ...]:
    """Return the means over all of some groups of calls, place by place.

    A group without any, because no call of it was looked at, adds nothing.
    """
    columns = zip(*filter(None, several), strict=True)
    return tuple(
        Mean(sum(mean.total for mean in column), sum(mean.number for mean in column))
        for column in columns
    )
