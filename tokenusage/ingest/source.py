"""A file from elsewhere as rows: CSV with a header, or JSON lines.

Files are read as a stream. What can't be read as a row is given as a `BadRow`,
and the row behind it is read as if nothing had been there.
"""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from tokenusage.errors import TokenUsageError
from tokenusage.ingest.cells import CellRow, read_cells
from tokenusage.ingest.lines import Line, read_lines

_FORMATS: Final = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".ndjson": "json"}
_DELIMITERS: Final = ",;\t"


class SourceError(TokenUsageError):
    """A file can't be read, or is neither CSV with a header nor JSON lines."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source."""

    line: int
    """Number of its first line in the file, from 1."""
    raw: bytes
    """The bytes that it stands in, without the end of the line."""
    values: dict[str, Any]
    """By column; an empty CSV cell is None."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A place in a source that no record comes from."""

    path: Path
    line: int
    """Line number, from 1."""
    reason: str


class Source:
    """One file; its name decides the format, or its first character where the name does not.

    The delimiter of a CSV file is the one of ``,``, ``;`` and tab that its
    header has most of.

    Raises:
        SourceError: the file can't be read, or its header names no columns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        """Bytes read so far by `rows`."""
        self.columns: tuple[str, ...] | None = None
        """Columns of a CSV file; None for JSON lines, where each row has its own."""
        self._header = CellRow(0, b"", [])
        self._delimiter = ""
        with self._open() as file:
            self.size = os.fstat(file.fileno()).st_size
            """Bytes of the file."""
            if self._is_csv(file):
                self._read_header(file)

    @property
    def header(self) -> bytes:
        """The bytes that name the columns of a CSV file; empty for JSON lines."""
        return self._header.raw.rstrip(b"\r\n")

    def rows(self) -> Iterator[Row | BadRow]:
        """Yield the rows in order; blank lines are none.

        Raises:
            SourceError: the file can't be read.
        """
        with self._open() as file:
            lines = self._lines(file)
            yield from self._json_rows(lines) if self.columns is None else self._csv_rows(lines)

    def _open(self) -> BinaryIO:
        try:
            # Files are read twice, which a pipe can't be, and opening one would wait for ever.
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise SourceError(f"{str(self.path)!r} is not a regular file.")
            return self.path.open("rb")
        except OSError as error:
            raise SourceError(f"{str(self.path)!r} can't be read: {error.strerror}.") from error

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        for line in read_lines(file):
            self.position = line.end
            yield line

    def _is_csv(self, file: BinaryIO) -> bool:
        known = _FORMATS.get(self.path.suffix.lower())
        if known:
            return known == "csv"
        first = next((line.raw for line in read_lines(file) if line.raw.strip()), b"{")
        file.seek(0)
        if first.lstrip().startswith(b"["):
            raise SourceError(
                f"{str(self.path)!r} is a JSON array: write one object a line, "
                "as `jq -c '.[]'` does."
            )
        return not first.lstrip().startswith(b"{")

    def _read_header(self, file: BinaryIO) -> None:
        first = next((line.raw for line in read_lines(file) if line.raw.strip()), b"")
        self._delimiter = max(_DELIMITERS, key=lambda mark: first.count(mark.encode()))
        file.seek(0)
        rows = read_cells(read_lines(file), self._delimiter)
        header = next((row for row in rows if row.raw.strip() or row.fault), CellRow(1, b"", []))
        if header.fault:
            raise SourceError(f"The header of {str(self.path)!r} {header.fault}.")
        columns = tuple(cell.strip() for cell in header.cells)
        for name, times in Counter(filter(None, columns)).items():
            if times > 1:
                raise SourceError(f"The header of {str(self.path)!r} names {name!r} {times} times.")
        self._header, self.columns = header, columns

    def _csv_rows(self, lines: Iterator[Line]) -> Iterator[Row | BadRow]:
        columns = self.columns or ()
        for row in read_cells(lines, self._delimiter):
            if row.fault:
                yield BadRow(self.path, row.line, row.fault)
            elif row.line == self._header.line or not row.raw.strip():
                continue
            elif len(row.cells) == len(columns):
                values = {name: cell or None for name, cell in zip(columns, row.cells, strict=True)}
                yield Row(row.line, row.raw.rstrip(b"\r\n"), values)
            else:
                reason = f"has {len(row.cells)} cells where the header has {len(columns)}"
                yield BadRow(self.path, row.line, reason)

    def _json_rows(self, lines: Iterator[Line]) -> Iterator[Row | BadRow]:
        for line in lines:
            raw = line.raw.strip()
            if line.fault:
                yield BadRow(self.path, line.number, line.fault)
            elif raw:
                try:
                    values = orjson.loads(raw)
                except orjson.JSONDecodeError as error:
                    yield BadRow(self.path, line.number, f"is not JSON: {error.msg}")
                    continue
                if isinstance(values, dict):
                    yield Row(line.number, raw, values)
                else:
                    yield BadRow(self.path, line.number, "is not a JSON object")
