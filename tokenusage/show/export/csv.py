"""Exported calls as CSV: a line of column names, then a line a call.

Timestamps are ISO 8601 with the offset of the zone that was asked for, numbers have no
exponent, and what is unknown is an empty cell. Texts are inert, and never a formula.
"""

import csv
from collections.abc import Callable, Iterable
from datetime import tzinfo
from io import StringIO
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa

from tokenusage.keep.export.calls import CALLS
from tokenusage.read.arrays import to_numpy, unscaled
from tokenusage.record import MICRO
from tokenusage.show.export.cells import moments, texts
from tokenusage.show.inert import inert_csv


class CsvCalls:
    """Writes calls as they come.

    Args:
        write: is given the lines, encoded.
        zone: of the timestamps.
    """

    def __init__(self, write: Callable[[bytes], object], zone: tzinfo) -> None:
        self._write = write
        self._zone = zone
        self._rows([CALLS.names])

    def add(self, calls: pa.Table) -> None:
        """Write calls in the schema `keep.export.calls.CALLS`."""
        columns = (self._cells(field, calls[field.name]) for field in CALLS)
        self._rows(zip(*columns, strict=False))  # of unknown values there is no end

    def _rows(self, rows: Iterable[Iterable[Any]]) -> None:
        text = StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self._write(text.getvalue().encode())

    def _cells(self, field: pa.Field, column: pa.ChunkedArray) -> Iterable[Any]:
        """Return what stands in the cells of a column; None is an empty one."""
        if column.null_count == len(column):
            return repeat(None)
        if field.name == "timestamp":
            zoned = moments(column, self._zone)
            return [moment.isoformat(timespec="microseconds") for moment in zoned]
        if pa.types.is_string(field.type):
            return texts(column, inert_csv)
        if pa.types.is_boolean(field.type):
            return ["true" if truth else "false" for truth in column.to_pylist()]
        if pa.types.is_integer(field.type):
            cells: list[int | None] = column.to_pylist()
            return cells
        known = column.is_valid().to_pylist()
        numbers, places = (
            (unscaled(column), field.type.scale)
            if pa.types.is_decimal(field.type)
            else (np.rint(to_numpy(column) * MICRO).astype(np.int64), 6)
        )
        return [
            _plain(number, places) if is_known else None
            for number, is_known in zip(numbers.tolist(), known, strict=True)
        ]


def _plain(number: int, places: int) -> str:
    """Return a number of so many decimals as text, without zeros behind the last one."""
    whole, part = divmod(number, 10**places)
    return f"{whole}.{part:0{places}d}".rstrip("0") if part else str(whole)
