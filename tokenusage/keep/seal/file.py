"""A sealed day while it is being written, and the proof that it gives every line back."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from tokenusage.errors import SealError
from tokenusage.keep.hashed import HashedFile
from tokenusage.keep.seal.decode import NUMBERS, to_text
from tokenusage.logs import DayFile
from tokenusage.read.columns import TOKENS
from tokenusage.read.parquet import NotOursError, ParquetFile
from tokenusage.read.pool import in_order
from tokenusage.read.sealed import FORMAT, SCHEMA, Footer

GROUP_BYTES: Final = 64 << 20
"""Bytes of lines in a row group: more take more memory, fewer compress worse."""

_LEVEL: Final = 3
"""Of zstd: 6 takes twice the time and saves a twentieth."""

_DELTA: Final = ("timestamp", *TOKENS, *sorted(NUMBERS))
_ENCODINGS: Final = {**dict.fromkeys(_DELTA, "DELTA_BINARY_PACKED"), "id": "DELTA_BYTE_ARRAY"}

# Texts that seldom repeat: a dictionary of them would be as long as they are.
_DISTINCT: Final = ("id", "query", "error_message", "extra", "line")
_REPEATING: Final = [
    field.name
    for field in SCHEMA
    if field.type in {pa.string(), pa.float64()} and field.name not in _DISTINCT
]


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring rows of a row group."""

    rows: int
    digest: bytes
    r"""SHA-256 of their lines, each with its "\n"."""


class SealedFile:
    """A new sealed file of a day.

    Args:
        path: where to write it.
    """

    def __init__(self, path: Path) -> None:
        self._file = HashedFile(path)
        self._writer = pq.ParquetWriter(
            self._file,
            SCHEMA,
            compression="zstd",
            compression_level=_LEVEL,
            use_dictionary=_REPEATING,
            column_encoding=_ENCODINGS,
            write_page_checksum=True,
        )
        self._tables: list[pa.Table] = []
        self._bytes = 0
        self._groups: list[list[_Run]] = [[]]

    @property
    def size(self) -> int:
        """Bytes by now."""
        return self._file.size

    def add(self, table: pa.Table, digest: bytes, size: int) -> None:
        """Add rows, with the SHA-256 and the length of their lines."""
        if not len(table):
            return
        self._tables.append(table)
        self._groups[-1].append(_Run(len(table), digest))
        self._bytes += size
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def finish(self, footer: Footer) -> None:
        """Write the footer, and close the file when it is durable."""
        self._flush()
        self._writer.add_key_value_metadata(footer.as_metadata())
        self._writer.close()
        self._file.finish()

    def verify(self, pool: ThreadPoolExecutor) -> None:
        """Read the finished file back, and compare its lines with those that were added.

        Raises:
            SealError: they are not the same.
        """
        self._file.check()
        runs = (run for group in self._groups for run in group)
        try:
            for sound in in_order(pool, _gives_back, zip(self._read_back(), runs, strict=True)):
                if not sound:
                    raise SealError(
                        f"The new file {self._file.path.name} would not give back every line; "
                        "nothing was replaced."
                    )
        except NotOursError as error:
            raise SealError(f"{error} on the disk: nothing was replaced.") from error

    def close(self) -> None:
        """Let go of the file, finished or not."""
        try:
            # Of an unfinished file the writer still writes the end.
            self._writer.close()
        except OSError:
            self._writer.is_open = False  # else it tries again when it is collected
        self._file.close()

    def _flush(self) -> None:
        """Write what was added since the last time as a row group."""
        if self._tables:
            table = pa.concat_tables(self._tables)
            self._writer.write_table(table, row_group_size=len(table))
            self._tables, self._bytes = [], 0
            self._groups.append([])

    def _read_back(self) -> Iterator[pa.Table]:
        """Yield the rows that were added together, as they can be read now."""
        path = self._file.path
        # Its path alone says where it is: it has no name of a day yet.
        file = DayFile.of(path, date.min, path.stat())
        with ParquetFile(file, FORMAT, SCHEMA) as parquet:
            for number, runs in enumerate(filter(None, self._groups)):
                table = parquet.read([number], SCHEMA.names, [])
                start = 0
                for run in runs:
                    yield table.slice(start, run.rows)
                    start += run.rows


def _gives_back(read: tuple[pa.Table, _Run]) -> bool:
    """Return whether rows that were read back give their lines."""
    table, run = read
    return len(table) == run.rows and digest_of_lines(table)[0] == run.digest


def digest_of_lines(table: pa.Table) -> tuple[bytes, int]:
    """Return the SHA-256 and the length of the lines of some rows, each with its newline."""
    text = to_text(table)
    return hashlib.sha256(text).digest(), len(text)
