"""What becomes of records that were read: the columns that questions are asked of."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.columns import COUNTS, TOKENS, column_of
from tokenusage.read.exact import to_integers
from tokenusage.record import MAX_TOKENS, MICRO, PICO


def columns_of(table: pa.Table, fields: tuple[str, ...]) -> pa.Table:
    """Turn records into the columns that `tokenusage.read.calls` describes, and `id`."""
    cost, priced = _integers(table["cost_estimate"], PICO)
    response, timed = _integers(table["response_time"], MICRO)
    columns = {
        "time": table["timestamp"],
        "user": category(table["user_id"]),
        "operation": category(table["operation_type"]),
        "model": category(table["model_name"]),
        **{name: _compact(table[name]) for name in TOKENS},
        "cost_pico": cost,
        "priced": priced,
        "response_micro": response,
        "timed": timed,
        "failed": pc.invert(table["success"]),
        "hit": pc.and_not(pc.is_valid(table["cache"]), _is(table["cache"], "")),
        "estimated": _is(table["usage_source"], "estimated"),
        "dropped": _count(table["dropped"]),
        "id": table["id"],
    }
    for name in fields:
        column = column_of(name)
        if column not in columns:
            columns[column] = _count(table[name]) if name in COUNTS else category(table[name])
    return pa.table(columns)


def category(column: pa.ChunkedArray) -> pa.Array:
    """Return texts, or numbers as texts, as codes into the distinct ones."""
    codes = column.combine_chunks().dictionary_encode()
    if codes.dictionary.type == pa.string():
        return codes
    return pa.DictionaryArray.from_arrays(codes.indices, codes.dictionary.cast(pa.string()))


def _is(column: pa.ChunkedArray, text: str) -> pa.Array:
    """Return where a column has this text."""
    codes = category(column)
    names = codes.dictionary.to_pylist()
    wanted = names.index(text) if text in names else len(names)
    known = pc.is_valid(codes)
    return pc.and_(known, from_numpy(to_numpy(codes.indices) == wanted))


def _compact(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return integers in the narrowest type that holds them.

    A page of memory that is touched for the first time costs more than adding up what is on it.
    """
    most = pc.max(column).as_py() or 0
    for narrow in (pa.int16(), pa.int32()):
        if most < 1 << narrow.bit_width - 1:
            return column.cast(narrow)
    return column


def _count(column: pa.ChunkedArray) -> pa.Array:
    """Return counts with 0 for what is null or no count."""
    numbers = to_numpy(column)
    sound = (numbers >= 0) & (numbers <= MAX_TOKENS)
    return _compact(from_numpy(np.where(sound, numbers, 0)))


def _integers(column: pa.ChunkedArray, per_unit: int) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return a column of numbers as exact integers, 0 for null, and which are not null."""
    return _compact(from_numpy(to_integers(to_numpy(column), per_unit))), pc.is_valid(column)
