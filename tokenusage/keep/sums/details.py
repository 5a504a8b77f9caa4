"""From the records of a day to the rows of its details, in the pass that adds them up.

Threads turn each piece of the day into groups. Until the day is done a call costs 8 bytes
here: its response time in microseconds, and the group that it is of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.sums.groups import Groups, Integers, runs
from tokenusage.keep.sums.values import (
    costs_of,
    dates_of,
    halves,
    integers,
    same_date,
    texts_and_codes,
    texts_of,
)
from tokenusage.read.arrays import from_numpy
from tokenusage.read.columns import column_of
from tokenusage.read.details import COUNTS, NAMES, SCHEMA
from tokenusage.read.parquet import MAX_GROUP_BYTES

MOST_GROUPS: Final = 1 << 20
"""A day that has more of them gets no details: they would take more memory than they save time."""

_PENDING: Final = 1 << 17
"""Rows that are collected, beside those of the groups so far, before they are grouped again."""

_SUMS: Final = (*COUNTS, *halves("cost_pico"))

_NEVER: Final = np.iinfo(np.int64)
"""When the first call of a group without calls was, and the last: after and before all others."""

_BITS: Final = 63
"""Of a group and a response time that are sorted as one number."""


@dataclass(frozen=True, slots=True)
class _Bunches:
    """Groups of records, each with its sums and its bounds in time."""

    groups: Groups
    first: Integers
    last: Integers

    @classmethod
    def of(
        cls, keys: Integers, values: dict[str, Integers], first: Integers, last: Integers
    ) -> tuple[Self, npt.NDArray[np.int32]]:
        """Group rows by their keys; also return the group of each row."""
        order, starts = runs(keys)
        places = np.empty(len(keys), np.int32)
        lengths = np.diff(starts, append=len(keys))
        places[order] = np.repeat(np.arange(len(starts), dtype=np.int32), lengths)
        bunches = cls(
            Groups.of_runs(order, starts, keys, values),
            np.minimum.reduceat(first[order], starts),
            np.maximum.reduceat(last[order], starts),
        )
        return bunches, places


@dataclass(frozen=True, slots=True)
class DetailsPiece:
    """What the records of one piece of a day's files come to."""

    names: list[list[str]]
    """For each of `NAMES` the distinct ones."""
    bunches: _Bunches
    """By day, by places in `names`, and by whether there are items."""
    places: npt.NDArray[np.int32]
    """The group of each call that has a response time."""
    times: npt.NDArray[Any]
    """Those response times, in the narrowest type that holds them."""

    @classmethod
    def of(cls, columns: pa.Table, days: Integers, values: dict[str, Integers]) -> Self:
        """Group records.

        Args:
            columns: the records, as `shape.columns_of` returns them.
            days: the UTC day of each, since the epoch.
            values: what each adds to sums, as `values_of` returns it.
        """
        texts = [texts_and_codes(columns[column_of(name)]) for name in NAMES]
        with_items = (integers(columns["items"]) > 0).astype(np.int64)
        keys = np.stack([days, *(codes for _, codes in texts), with_items], axis=1)
        time, is_call = integers(columns["time"]), values["calls"] > 0
        bunches, places = _Bunches.of(
            keys,
            {name: values[name] for name in _SUMS},
            np.where(is_call, time, _NEVER.max),
            np.where(is_call, time, _NEVER.min),
        )
        timed = is_call & (integers(columns["timed"]) > 0)
        times = integers(columns["response_micro"])[timed]
        narrow = np.int32 if times.max(initial=0) <= np.iinfo(np.int32).max else np.int64
        return cls([names for names, _ in texts], bunches, places[timed], times.astype(narrow))


class DetailsTotal:
    """The details of all pieces so far."""

    def __init__(self) -> None:
        self._codes: list[dict[str, int]] = [{} for _ in NAMES]
        self._pending: list[_Bunches] = []
        self._rows = 0
        self._grouped = 0
        self._calls: list[tuple[npt.NDArray[np.int32], npt.NDArray[Any]]] = []
        self._too_many = False

    def add(self, piece: DetailsPiece) -> None:
        """Add the groups of a piece; raises OverflowError as `Groups` does."""
        if self._too_many:
            return
        bunches = piece.bunches
        keys = bunches.groups.keys.copy()
        for column, (names, known) in enumerate(zip(piece.names, self._codes, strict=True), 1):
            codes = [known.setdefault(name, len(known)) for name in names]
            keys[:, column] = np.array([*codes, -1])[keys[:, column]]
        groups = Groups(keys, bunches.groups.sums)
        self._pending.append(_Bunches(groups, bunches.first, bunches.last))
        self._calls.append((piece.places + np.int32(self._rows), piece.times))
        self._rows += len(keys)
        if self._rows > 2 * self._grouped + _PENDING:
            self._group()

    def table(self, day: date) -> pa.Table | None:
        """Return the rows of the details of log day `day`; None where it can't have any."""
        if self._pending:
            self._group()
        if self._too_many:
            return None
        if not self._pending:
            return SCHEMA.empty_table()
        table = self._table(day, self._pending[0])
        return table if table.nbytes <= MAX_GROUP_BYTES else None

    def _group(self) -> None:
        bunches, places = _together(self._pending)
        self._rows = self._grouped = len(bunches.groups.keys)
        self._pending = [bunches]
        self._calls = [(places[of_calls], times) for of_calls, times in self._calls]
        if self._rows > MOST_GROUPS:
            self._too_many = True
            self._codes, self._pending, self._calls = [], [], []

    def _table(self, day: date, bunches: _Bunches) -> pa.Table:
        groups = bunches.groups
        keys = groups.keys.T
        table = pa.table(
            {
                "log_day": same_date(day, groups.size),
                "day": dates_of(keys[0]),
                **{
                    name: texts_of(codes, list(known))
                    for name, codes, known in zip(NAMES, keys[1:-1], self._codes, strict=True)
                },
                "with_items": from_numpy(keys[-1] > 0),
                **{name: from_numpy(groups.sum(name)) for name in COUNTS},
                "cost": costs_of(groups),
                "first": _moments(bunches.first, _NEVER.max),
                "last": _moments(bunches.last, _NEVER.min),
            }
        )
        by = [(name, "ascending") for name in ("day", *NAMES, "with_items")]
        order = pc.sort_indices(table, sort_keys=by)
        ranks = np.empty(groups.size, np.int32)
        ranks[integers(order)] = np.arange(groups.size, dtype=np.int32)
        calls = [(ranks[places], times) for places, times in self._calls]
        self._calls = []
        times = _response_times(calls, groups.size)
        return table.take(order).append_column("response_times", times).cast(SCHEMA)


def _together(pending: Sequence[_Bunches]) -> tuple[_Bunches, npt.NDArray[np.int32]]:
    """Return groups with one group for each key, and which one each of the given ones is in."""
    return _Bunches.of(
        np.concatenate([some.groups.keys for some in pending]),
        {name: np.concatenate([some.groups.sum(name) for some in pending]) for name in _SUMS},
        np.concatenate([some.first for some in pending]),
        np.concatenate([some.last for some in pending]),
    )


def _moments(times: Integers, never: int) -> pa.Array:
    """Return times in microseconds, null for `never`."""
    none = pa.scalar(None, pa.int64())
    return pc.if_else(from_numpy(times == never), none, from_numpy(times))


def _response_times(
    calls: list[tuple[npt.NDArray[np.int32], npt.NDArray[Any]]], groups: int
) -> pa.ListArray:
    """Return the response times of each group, ascending.

    Args:
        calls: the group and the response time of each call; empty afterwards.
        groups: how many there are.
    """
    counts = np.zeros(groups, np.int64)
    for places, _ in calls:
        counts += np.bincount(places, minlength=groups)
    most = max((int(times.max(initial=0)) for _, times in calls), default=0)
    if groups.bit_length() + most.bit_length() > _BITS:
        together = np.concatenate([times for _, times in calls]).astype(np.int64)
        together = together[np.lexsort((together, np.concatenate([places for places, _ in calls])))]
    else:
        together = _sorted_as_one(calls, int(counts.sum()), most.bit_length())
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    return pa.ListArray.from_arrays(from_numpy(offsets), from_numpy(together))


def _sorted_as_one(
    calls: list[tuple[npt.NDArray[np.int32], npt.NDArray[Any]]], count: int, bits: int
) -> Integers:
    """Return response times by group, sorted with the group above `bits` bits in one number."""
    numbers = np.empty(count, np.int64)
    start = 0
    while calls:
        places, times = calls.pop()
        part = numbers[start : start + len(places)]
        part[:] = places
        part <<= bits
        part |= times
        start += len(places)
    numbers.sort()
    numbers &= (1 << bits) - 1
    return numbers
