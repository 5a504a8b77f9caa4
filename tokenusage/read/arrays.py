"""Arrow tables put together, and their columns as numpy arrays and back, by their buffers.

pyarrow's own conversions, of single values too, import pandas first. A thread
that reads would wait there until the command has imported pandas itself; by
their buffers it goes on reading meanwhile.
"""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_DTYPES: Final = {pa.int32(): np.int32, pa.int64(): np.int64, pa.float64(): np.float64}


def to_numpy(column: pa.ChunkedArray | pa.Array, missing: int = 0) -> npt.NDArray[Any]:
    """Return int32, int64 or float64 values, with `missing` for null.

    Unlike what pyarrow has for it, this does not import pandas.
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    part = slice(array.offset, array.offset + len(array))
    validity, values = array.buffers()
    numbers = np.frombuffer(values, _DTYPES[array.type])[part]
    if not array.null_count:
        return numbers
    bits = np.frombuffer(validity, np.uint8)
    return np.where(np.unpackbits(bits, bitorder="little")[part], numbers, missing)


def from_numpy(numbers: npt.NDArray[Any]) -> pa.Array:
    """Return integers or booleans as a column without nulls."""
    if numbers.dtype == np.bool_:
        return from_numpy(numbers.view(np.int8)).cast(pa.bool_())
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def concat(tables: Iterable[pa.Table]) -> pa.Table:
    """Put tables together, each integer column in the widest of its types."""
    return pa.concat_tables(tables, promote_options="permissive")


def unscaled(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Return decimal128 values from 0 on as integers of their last digit, 0 for null.

    They are int64 where that holds them, else Python's.
    """
    array = column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # without a chunk there is nothing to combine
        return np.empty(0, np.int64)
    words = np.frombuffer(array.buffers()[1], np.uint64).reshape(-1, 2)
    words = words[array.offset :][: len(array)]
    if array.null_count:
        known = to_numpy(array.is_valid().cast(pa.int32())) != 0
        words = np.where(known[:, None], words, np.uint64(0))
    low, high = words[:, 0], words[:, 1]
    if high.any() or (low >> np.uint64(63)).any():
        return np.array([h << 64 | k for h, k in words[:, ::-1].tolist()], object)
    return low.astype(np.int64)
