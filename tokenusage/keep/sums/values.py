"""The figures of records as integers that add up exactly, and their sums as columns again."""

from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.sums.groups import Groups, Integers
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.summaries import COUNTS

_WIDE: Final = ("cost_pico", "response_micro")
"""Sums beyond 64 bits: they are added up in two halves, named by `halves`."""

_HALF: Final = 32
"""Bits of the lower half."""

_OF_HITS: Final = ("cache_hits", "estimated", "dropped")
"""Sums to which a cache hit adds."""


def values_of(columns: pa.Table) -> dict[str, Integers]:
    """Return what each record adds to the sums, by name.

    Args:
        columns: records, as `shape.columns_of` returns them.
    """
    hit = integers(columns["hit"])
    values = {
        "calls": np.ones(len(hit), np.int64),
        "unpriced": 1 - integers(columns["priced"]),
        "cache_hits": hit,
        **{name: integers(columns[name]) for name in COUNTS if name in columns.column_names},
    }
    for name in _WIDE:
        numbers = integers(columns[name])
        high, low = halves(name)
        values[high], values[low] = numbers >> _HALF, numbers & ((1 << _HALF) - 1)
    if hit.any():
        values |= {name: values[name] * (1 - hit) for name in values if name not in _OF_HITS}
    return values


def integers(column: pa.ChunkedArray) -> Integers:
    """Return a column of numbers or booleans as integers."""
    return to_numpy(column.cast(pa.int64()))


def texts_and_codes(column: pa.ChunkedArray) -> tuple[list[str], Integers]:
    """Return the distinct texts of a column of codes, and the codes, -1 for null."""
    codes = column.combine_chunks()
    indices = pc.fill_null(codes.indices.cast(pa.int64()), -1)
    return codes.dictionary.to_pylist(), to_numpy(indices)


def texts_of(codes: Integers, texts: list[str]) -> pa.Array:
    """Return codes as the texts that they stand for, null for -1."""
    none = pa.scalar(None, pa.int64())
    places = pc.replace_with_mask(from_numpy(codes.copy()), from_numpy(codes < 0), none)
    return pa.array(texts, pa.string()).take(places)


def dates_of(days: Integers) -> pa.Array:
    """Return numbers of days since the epoch as dates."""
    return from_numpy(days.astype(np.int32)).cast(pa.date32())


def same_date(day: date, rows: int) -> pa.Array:
    """Return a column that holds one date everywhere."""
    return pa.repeat(pa.scalar(day, pa.date32()), rows)


def costs_of(groups: Groups) -> pa.Array:
    """Return costs in US dollars; what nobody knows is null, and never 0."""
    calls, unpriced = groups.sum("calls"), groups.sum("unpriced")
    unknown = from_numpy((calls > 0) & (calls == unpriced))
    return pc.if_else(unknown, None, decimals("cost_pico", groups, 12))


def halves(name: str) -> tuple[str, str]:
    """Return the names of the upper and the lower half of a sum."""
    return f"{name} high", f"{name} low"


def decimals(name: str, groups: Groups, scale: int) -> pa.Array:
    """Return a sum that was added up in halves, from 0 on, as decimals of `scale` digits."""
    high, low = (groups.sum(half).astype(np.uint64) for half in halves(name))
    words = np.empty((len(high), 2), np.uint64)
    words[:, 0] = (high << np.uint64(_HALF)) + low
    carried = words[:, 0] < low
    words[:, 1] = (high >> np.uint64(_HALF)) + carried
    kind = pa.decimal128(38, scale)
    return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(words)])
