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
        # One bucket ahead: the clocks of writers on other hosts may be.
        self._slots = buckets + 1
        self._sums: Integers = np.zeros((self._slots, 1, _WIDTH), np.int64)
        self._codes: dict[str | None, int] = {}

    @property
    def start(self) -> int:
        """When the oldest bucket begins, in microseconds since the epoch."""
        return (self.newest - self.buckets + 1) * self.width

    @property
    def end(self) -> int:
        """First moment that is too late for it."""
        return (self.newest + 2) * self.width

    def advance(self, now: int) -> None:
        """Make the bucket of `now` the newest one, and forget what is too old then."""
        newest = max(self.newest, now // self.width)
        # What was held ahead stays; a clock that was set back does not empty anything.
        for bucket in range(max(self.newest + 2, newest + 2 - self._slots), newest + 2):
            self._sums[bucket % self._slots] = 0
        self.newest = newest
        if len(self._codes) >= MOST_KEYS:
            self._drop_unused()

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
        places = times // self.width % self._slots * self._sums.shape[1] + codes
        order = np.argsort(places, kind="stable")
        distinct, first = np.unique(places[order], return_index=True)
        flat = self._sums.reshape(-1, _WIDTH)
        flat[distinct] += np.add.reduceat(sums[order], first)

    def by_bucket(self) -> Integers:
        """Return the sums of each bucket, oldest first."""
        sums: Integers = self._held().sum(axis=1)
        return sums

    def by_key(self) -> tuple[list[str | None], Integers]:
        """Return the keys that occur, and the sums of each."""
        sums = self._held().sum(axis=0)
        used = sums[: len(self._codes), :].any(axis=1)
        names = [name for name, is_used in zip(self._codes, used, strict=True) if is_used]
        return names, sums[: len(self._codes)][used]

    def _held(self) -> Integers:
        buckets = np.arange(self.newest - self.buckets + 1, self.newest + 1)
        return self._sums[buckets % self._slots]

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
        code = self._codes.setdefault(name, len(self._codes))
        if code >= self._sums.shape[1]:
            wider = np.zeros((self._slots, max(2 * self._sums.shape[1], 1), _WIDTH), np.int64)
            wider[:, : self._sums.shape[1]] = self._sums
            self._sums = wider
        return code

    def _drop_unused(self) -> None:
        used = np.count_nonzero(self._sums, axis=(0, 2))[: len(self._codes)]
        names = [name for name, is_used in zip(self._codes, used, strict=True) if is_used]
        self._sums = np.ascontiguousarray(self._sums[:, np.flatnonzero(used)])
        self._codes = {name: code for code, name in enumerate(names)}


def _column(calls: pa.Table, name: str) -> Any:
    return to_numpy(calls[name].cast(pa.int64()))
