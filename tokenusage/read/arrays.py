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


def to_numpy(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[Any]:
    """Return int32, int64 or float64 values, with 0 for null."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    part = slice(array.offset, array.offset + len(array))
    validity, values = array.buffers()
    numbers = np.frombuffer(values, _DTYPES[array.type])[part]
    if not array.null_count:
        return numbers
    bits = np.frombuffer(validity, np.uint8)
    return np.where(np.unpackbits(bits, bitorder="little")[part], numbers, 0)


def from_numpy(numbers: npt.NDArray[Any]) -> pa.Array:
    """Return integers or booleans as a column without nulls."""
    if numbers.dtype == np.bool_:
        return from_numpy(numbers.view(np.int8)).cast(pa.bool_())
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)])


def concat(tables: Iterable[pa.Table]) -> pa.Table:
    """Put tables together, each integer column in the widest of its types."""
    return pa.concat_tables(tables, promote_options="permissive")
