"""Exported calls, and the rows of a report, as Parquet: typed columns, texts as they are."""

from types import TracebackType
from typing import BinaryIO, Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from tokenusage.analyse.report import Report
from tokenusage.keep.export.calls import CALLS
from tokenusage.show.columns import COLUMNS, Column
from tokenusage.show.export.rows import key_names, rows_of

_GROUP: Final = 1 << 16
"""Calls of a row group: so many are held in memory at most, and those of one more part."""


class ParquetCalls:
    """Writes calls as they come; a context manager that ends the file.

    Args:
        file: where to; it need not seek.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(file, CALLS, compression="zstd")
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()

    def add(self, calls: pa.Table) -> None:
        """Write calls in the schema `keep.export.calls.CALLS`."""
        self._waiting.append(calls)
        if sum(map(len, self._waiting)) >= _GROUP:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            table = pa.concat_tables(self._waiting)
            self._waiting = []
            self._writer.write_table(table, row_group_size=_GROUP)


def write_rows(report: Report, file: BinaryIO) -> None:
    """Write the rows of a report, with the names and the figures that its CSV has."""
    keys = ((name, pa.string()) for name in key_names(report))
    schema = pa.schema([*keys, *map(_field, COLUMNS)])
    pq.write_table(pa.Table.from_pylist(rows_of(report), schema), file, compression="zstd")


def _field(column: Column) -> tuple[str, pa.DataType]:
    return column.name, pa.int64() if column.kind == "count" else pa.float64()
