"""Sums of figures over a sliding span of time: kept by bucket, so that calls need not be."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.report import Figures
from tokenusage.read.arrays import to_numpy
from tokenusage.record import PICO

Integers = npt.NDArray[np.int64]

MOST_KEYS: Final = 10_000
"""So many users, operations or models are told apart in a window: a bound on its memory."""

OTHERS: Final = "(others)"
"""Stands for those that came when there were so many already."""

_HALF: Final = 32
"""Bits of the lower half of money and time, whose sums may be beyond 64 bits."""
_COLUMNS: Final = (
    "calls",
    "failed",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost_pico",
    "unpriced",
    "response_micro",
    "timed",
    "cache_hits",
)
_SPLIT: Final = ("cost_pico", "response_micro")
_WIDTH: Final = len(_COLUMNS) + len(_SPLIT)

CALLS: Final = _COLUMNS.index("calls")
"""The place of the calls in a row of sums."""

_HITS: Final = _COLUMNS.index("cache_hits")


def sums_of_each(calls: pa.Table) -> Integers:
    """Return what each row of `shape.columns_of` adds to the sums; a cache hit only itself."""
    real = (~_column(calls, "hit").astype(np.bool_)).astype(np.int64)
    values = {
        "calls": real,
        "unpriced": 1 - _column(calls, "priced"),
        "cache_hits": 1 - real,
        **{
            name: _column(calls, name)
            for name in ("failed", "timed", *_COLUMNS[2:6], "response_micro")
        },
    }
    table = np.empty((len(real), _WIDTH), np.int64)
    for place, name in enumerate(_COLUMNS):
        table[:, place] = values[name] if name == "cache_hits" else values[name] * real
    for place, name in enumerate(_SPLIT, len(_COLUMNS)):
        column = _COLUMNS.index(name)
        table[:, place] = table[:, column] >> _HALF
        table[:, column] &= (1 << _HALF) - 1
    return table


def figures_of(sums: Integers) -> Figures:
    """Return a row of sums as figures."""
    numbers = dict(zip(_COLUMNS, sums.tolist(), strict=False))
    for place, name in enumerate(_SPLIT, len(_COLUMNS)):
        numbers[name] += int(sums[place]) << _HALF
    return Figures(**numbers)


def dollars_in(sums: Integers) -> npt.NDArray[np.float64]:
    """Return the cost of each row of sums in US dollars, about: good enough to sort by."""
    low, high = _COLUMNS.index("cost_pico"), len(_COLUMNS) + _SPLIT.index("cost_pico")
    dollars: npt.NDArray[np.float64] = (sums[:, high] * 2.0**_HALF + sums[:, low]) / PICO
    return dollars


class Ring:
    """Sums by bucket of time and by key.

    Args:
        width: of a bucket, in microseconds.
        buckets: how many of them are held, the present one the last.
    """

    def __init__(self, width: int, buckets: int) -> None:
        self.width = width
        self.buckets = buckets
        self.newest = 0
        """Number of the present bucket, counted from the epoch."""
        self._sums: Integers = np.zeros((buckets, 1, _WIDTH), np.int64)
        # Of all buckets: to add those up at each look takes too long where there are many keys.
        self._totals: Integers = np.zeros((1, _WIDTH), np.int64)
        self._codes: dict[str | None, int] = {}
        self._free = [0]
        """Codes that no key has; their sums are 0."""

    @property
    def start(self) -> int:
        """When the oldest bucket begins, in microseconds since the epoch."""
        return (self.newest - self.buckets + 1) * self.width

    @property
    def end(self) -> int:
        """First moment that is too late for it."""
        return (self.newest + 1) * self.width

    def advance(self, now: int) -> None:
        """Make the bucket of `now` the newest one, and forget what is too old then."""
        # A clock that was set back a little does not empty anything.
        newest = max(self.newest, now // self.width)
        for bucket in range(max(self.newest, newest - self.buckets) + 1, newest + 1):
            expired = self._sums[bucket % self.buckets]
            self._totals -= expired
            expired[:] = 0
        self.newest = newest
        if len(self._codes) >= MOST_KEYS:
            self._forget_unused()

    def add(self, times: Integers, sums: Integers, keys: pa.ChunkedArray | None = None) -> None:
        """Add rows of `sums_of_each`, all of them from `start` to `end`.

        Args:
            times: of each, in microseconds since the epoch.
            sums: what each adds.
            keys: names as a dictionary; without, all are of one.
        """
        if not len(times):
            return
        codes = np.zeros(len(times), np.int64) if keys is None else self._codes_of(keys)
        places = times // self.width % self.buckets * len(self._totals) + codes
        order = np.argsort(places, kind="stable")
        distinct, first = np.unique(places[order], return_index=True)
        added = np.add.reduceat(sums[order], first)
        self._sums.reshape(-1, _WIDTH)[distinct] += added
        np.add.at(self._totals, distinct % len(self._totals), added)

    def by_bucket(self) -> Integers:
        """Return the sums of each bucket, oldest first."""
        buckets = np.arange(self.newest - self.buckets + 1, self.newest + 1)
        sums: Integers = self._sums.sum(axis=1)[buckets % self.buckets]
        return sums

    def by_key(self) -> tuple[list[str | None], Integers]:
        """Return the keys that occur, and the sums of each."""
        used = self._used()
        names = [name for name, code in self._codes.items() if used[code]]
        return names, self._totals[[self._codes[name] for name in names]]

    def _used(self) -> npt.NDArray[np.bool_]:
        """Return which codes have a call or a cache hit."""
        return (self._totals[:, CALLS] > 0) | (self._totals[:, _HITS] > 0)

    def _codes_of(self, keys: pa.ChunkedArray) -> Integers:
        codes = [np.empty(0, np.int64)]
        for chunk in keys.chunks if isinstance(keys, pa.ChunkedArray) else [keys]:
            named = to_numpy(pc.is_valid(chunk).cast(pa.int64())) == 1
            indices = np.where(named, to_numpy(chunk.indices.cast(pa.int64())), -1)
            used, places = np.unique(indices, return_inverse=True)
            names = [*chunk.dictionary.to_pylist(), None]  # code -1, no value, picks the last
            known = [self._code(names[place]) for place in used.tolist()]
            codes.append(np.array(known, np.int64)[places])
        return np.concatenate(codes)

    def _code(self, name: str | None) -> int:
        if name not in self._codes and len(self._codes) >= MOST_KEYS:
            name = OTHERS
        if name not in self._codes:
            if not self._free:
                self._widen()
            self._codes[name] = self._free.pop()
        return self._codes[name]

    def _widen(self) -> None:
        """Make room for as many codes again."""
        codes = len(self._totals)
        self._free = list(range(codes, 2 * codes))
        self._totals = np.concatenate([self._totals, np.zeros_like(self._totals)])
        self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)], axis=1)

    def _forget_unused(self) -> None:
        used = self._used()
        self._codes = {name: code for name, code in self._codes.items() if used[code]}
        self._free = np.flatnonzero(~used).tolist()


def _column(calls: pa.Table, name: str) -> Any:
    return to_numpy(calls[name].cast(pa.int64()))
