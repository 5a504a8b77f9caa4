"""Arrow's columns as numpy's arrays."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.summary.spans import Integers
from tokenusage.read.arrays import to_numpy


def codes(column: pa.ChunkedArray) -> tuple[Integers, list[str]]:
    """Return texts as codes, -1 for null, and the distinct ones."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    column = column.unify_dictionaries()
    chunks = [
        np.where(truths(pc.is_valid(chunk)), integers(chunk.indices), -1) for chunk in column.chunks
    ]
    texts = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    return np.concatenate([np.empty(0, np.int64), *chunks]), texts


def integers(column: pa.ChunkedArray | pa.Array) -> Integers:
    """Return whole numbers of any width, or truths, as 64 bits; 0 for null."""
    return to_numpy(column.cast(pa.int64()))


def truths(column: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.bool_]:
    """Return booleans; false for null."""
    known: npt.NDArray[np.bool_] = to_numpy(column.cast(pa.int32())) != 0
    return known
