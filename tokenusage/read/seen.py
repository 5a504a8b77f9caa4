"""Which ids were met before, for records that come in without an end."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from tokenusage.read.duplicates import DAY

_GENERATIONS: Final = 8
"""In so many steps ids are forgotten."""

_Ids = npt.NDArray[np.int64]


class Seen:
    """The ids of a while, as 64-bit hashes: a million of them take 8 MB.

    Args:
        span: microseconds for which an id is remembered at least; an eighth more at most.
    """

    def __init__(self, span: int) -> None:
        self._span = span
        self._step = max(span // _GENERATIONS, 1)
        self._generations: deque[tuple[int, _Ids]] = deque()
        """When each one began, and its ids in order."""

    def first_of_each(
        self, ids: Sequence[str | None], times: npt.NDArray[np.int64], now: int
    ) -> npt.NDArray[np.bool_]:
        """Return which records are the first with their id and UTC day, and remember them.

        Args:
            ids: of records; those that have none all count.
            times: of the same records, in microseconds since the epoch.
            now: the present, likewise.
        """
        self._forget(now)
        named = np.array([name is not None for name in ids], np.bool_)
        keys = np.fromiter(map(hash, ids), np.int64, len(ids))[named]
        # A day's number times a large odd one: the same id on another day is another.
        keys ^= times[named] // DAY * 0x1E3779B97F4A7C15
        distinct, places = np.unique(keys, return_index=True)
        old = np.zeros(len(distinct), np.bool_)
        for _, known in self._generations:
            if len(known):
                at = np.minimum(np.searchsorted(known, distinct), len(known) - 1)
                old |= known[at] == distinct
        fresh = ~named
        fresh[np.flatnonzero(named)[places[~old]]] = True
        began, newest = self._generations[-1]
        # Two runs that are in order already: a stable sort merges them.
        merged = np.sort(np.concatenate([newest, distinct[~old]]), kind="stable")
        self._generations[-1] = (began, merged)
        return fresh

    def _forget(self, now: int) -> None:
        while self._generations and self._generations[0][0] + self._step + self._span < now:
            self._generations.popleft()
        if not self._generations or self._generations[-1][0] + self._step <= now:
            self._generations.append((now, np.empty(0, np.int64)))
