"""Opening the program's own Parquet files, and none that only look like them."""

import os
from collections.abc import Sequence
from functools import partial
from io import BufferedReader
from typing import Any, Final, Self

import orjson
import pyarrow as pa

from tokenusage.logs import DayFile
from tokenusage.read.segments import ListingChangedError, open_regular

KEY: Final = b"tokenusage"
"""Where a file's own metadata holds its footer, as JSON."""

MAX_GROUP_ROWS: Final = 4 << 20
MAX_GROUP_BYTES: Final = 1 << 30
"""Bytes of a row group when it is unfolded; those that are written here hold far less."""


class NotOursError(Exception):
    """A file is damaged or was written by another program: a sentence for the ledger."""


class ParquetFile:
    """A Parquet file of a log directory, open for reading; a context manager that closes it.

    Args:
        file: as it was listed.
        format_: what its footer has to say that it is.
        schema: the columns that it has to have.

    Raises:
        ListingChangedError: it is gone, or another one stands in its place.
        NotOursError: it is not what tokenusage writes.
    """

    def __init__(self, file: DayFile, format_: str, schema: pa.Schema) -> None:
        # A tenth of what pyarrow takes to load; a report of mere logs does without.
        import pyarrow.parquet as pq  # noqa: PLC0415

        self._name = file.name
        self._file = _open(file)
        self._reader = partial(pq.ParquetFile, self._file)
        try:
            self.metadata = pq.read_metadata(self._file)
            self.footer = self._footer(format_, schema)
        except BaseException as error:
            self._file.close()
            if isinstance(error, pa.ArrowException | OSError | ValueError):
                raise NotOursError(f"{file.name} is damaged: {error}") from error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._file.close()

    def read(
        self, groups: list[int], columns: list[str], codes: Sequence[str] | None = None
    ) -> pa.Table:
        """Return columns of row groups.

        Args:
            groups: numbers of row groups.
            columns: names of columns.
            codes: texts that come as codes into the distinct ones; None is all that the
                file holds as such, so that a few bytes never unfold to many.

        Raises:
            NotOursError: the file is damaged.
        """
        if codes is None:
            codes = [name for name in columns if self._has_codes(name, groups)]
        try:
            parquet = self._reader(metadata=self.metadata, read_dictionary=list(codes))
            return parquet.read_row_groups(groups, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError, MemoryError) as error:
            raise NotOursError(f"{self._name} is damaged: {error}") from error

    def _has_codes(self, name: str, groups: list[int]) -> bool:
        place = self.metadata.schema.names.index(name)
        kind = self.metadata.schema.column(place).physical_type
        chunks = (self.metadata.row_group(group).column(place) for group in groups)
        return kind == "BYTE_ARRAY" and any(chunk.has_dictionary_page for chunk in chunks)

    def _footer(self, format_: str, schema: pa.Schema) -> dict[str, Any]:
        document = orjson.loads((self.metadata.metadata or {}).get(KEY, b"{}"))
        if not isinstance(document, dict) or document.get("format") != format_:
            raise NotOursError(f"{self._name} was not written by tokenusage")
        if not self.metadata.schema.to_arrow_schema().equals(schema):
            raise NotOursError(f"{self._name} was written by another version of tokenusage")
        for number in range(self.metadata.num_row_groups):
            group = self.metadata.row_group(number)
            if group.num_rows > MAX_GROUP_ROWS or group.total_byte_size > MAX_GROUP_BYTES:
                raise NotOursError(f"{self._name} unfolds to more than tokenusage ever writes")
        return document


def _open(file: DayFile) -> BufferedReader:
    try:
        opened = open(file.path, "rb", opener=open_regular)  # noqa: SIM115 (our caller's to close)
    except FileNotFoundError as error:
        raise ListingChangedError(file.name) from error
    except OSError as error:
        raise NotOursError(f"{file.name} can't be read: {error.strerror}") from error
    # An inode alone would not do: its number is used again for the next new file.
    if DayFile.of(file.path, file.day, os.fstat(opened.fileno())) != file:
        opened.close()
        raise ListingChangedError(file.name)
    return opened
