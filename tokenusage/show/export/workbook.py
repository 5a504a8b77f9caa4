"""Workbooks (.xlsx): sheets of typed columns, written row by row in bounded memory.

Texts are inert and always cells of text, never formulas or links.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it has no types
from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]  # nor here

from tokenusage.show.inert import inert

MAX_ROWS: Final = 1_048_576
"""The format has no room for more."""

MAX_TEXT: Final = 32_767
"""Characters of a cell; those that take two units of UTF-16 count twice."""

_FIRST_YEAR: Final = 1901
"""Excel knows no earlier moments, and takes 1900 for a leap year."""

_LAST: Final = datetime(9999, 12, 31, 23, 59, 59, 999_000)  # noqa: DTZ001 - Excel has no zones
"""Nor later ones, and it counts in milliseconds."""

Cell = str | bool | int | float | date | datetime | None


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a sheet."""

    name: str
    width: int = 12
    """In characters."""
    format: str = ""
    """The number format of its cells, as Excel writes it."""


class Book:
    """A workbook being written; a context manager that ends it, or drops it on an error.

    What is written lies in files of a temporary directory until then.

    Args:
        file: where to.
        max_rows: rows of a sheet, its head among them.
        spool: how the temporary directory's path begins; None is where the system has them.
    """

    def __init__(
        self, file: BinaryIO, *, max_rows: int = MAX_ROWS, spool: Path | None = None
    ) -> None:
        self.max_rows = max_rows
        self.cut = 0
        """Texts that were longer than a cell."""
        prefix, directory = (spool.name, spool.parent) if spool else ("tokenusage-", None)
        self._temporary = TemporaryDirectory(prefix=prefix, dir=directory)
        options = {"constant_memory": True, "tmpdir": self._temporary.name}
        self._workbook = Workbook(file, options)
        self._workbook.use_zip64()
        self._formats: dict[str, Any] = {}
        self._head = self._workbook.add_format({"bold": True, "bottom": 1})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._temporary:
            if error is None:
                self._close()
            else:
                for worksheet in self._workbook.worksheets():
                    worksheet.row_data_fh.close()

    def _close(self) -> None:
        try:
            self._workbook.close()
        except FileCreateError as error:
            # It wraps the error of the file, which is what its owner waits for.
            raise error.args[0] from error

    def sheet(self, name: str, headings: Sequence[Heading]) -> "Sheet":
        """Add a sheet; where it is full it goes on in another one."""
        return Sheet(self, name, headings)

    def add_worksheet(self, name: str, headings: Sequence[Heading]) -> Any:
        """Add a worksheet with its head, which stays in sight."""
        worksheet = self._workbook.add_worksheet(name)
        worksheet.freeze_panes(1, 0)
        # Users that are numbers are texts on purpose, without a warning in each cell.
        worksheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for place, heading in enumerate(headings):
            worksheet.set_column(place, place, heading.width, self._format(heading.format))
            worksheet.write_string(0, place, self.text(heading.name), self._head)
        return worksheet

    def text(self, text: str) -> str:
        """Return a text as a cell can hold it."""
        cell = inert(text)
        if cell.startswith("<r>"):
            # XlsxWriter takes it for markup of its own and writes it as it is.
            cell = f"'{cell}"
        # What has so few characters is never too long, and most texts have.
        if len(cell) > MAX_TEXT // 2:
            units = cell.encode("utf-16-le")
            if len(units) > 2 * MAX_TEXT:
                self.cut += 1
                cell = f"{units[: 2 * (MAX_TEXT - 1)].decode('utf-16-le', 'ignore')}…"
        return cell

    def _format(self, format_: str) -> Any:
        if not format_:
            return None
        if format_ not in self._formats:
            self._formats[format_] = self._workbook.add_format({"num_format": format_})
        return self._formats[format_]


class Sheet:
    """Rows below a head."""

    def __init__(self, book: Book, name: str, headings: Sequence[Heading]) -> None:
        self._book = book
        self._name = name
        self._headings = headings
        self._worksheets = 0
        self._begin()

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Append rows; None leaves its cell empty."""
        for cells in rows:
            if self._row == self._book.max_rows:
                self._begin()
            for place, cell in enumerate(cells):
                if cell is not None:
                    self._write(place, cell)
            self._row += 1

    def add_filter(self) -> None:
        """Let people pick rows by what stands in their columns; called when all are there."""
        self._worksheet.autofilter(0, 0, max(self._row - 1, 1), len(self._headings) - 1)

    def _begin(self) -> None:
        self._worksheets += 1
        name = self._name if self._worksheets == 1 else f"{self._name} {self._worksheets}"
        self._worksheet = self._book.add_worksheet(name, self._headings)
        self._row = 1

    def _write(self, place: int, cell: str | float | date) -> None:
        worksheet, row = self._worksheet, self._row
        if isinstance(cell, str):
            worksheet.write_string(row, place, self._book.text(cell))
        elif isinstance(cell, bool):
            worksheet.write_boolean(row, place, cell)
        elif not isinstance(cell, date):
            worksheet.write_number(row, place, cell)
        elif cell.year < _FIRST_YEAR:
            worksheet.write_string(row, place, cell.isoformat())
        elif isinstance(cell, datetime):
            worksheet.write_datetime(row, place, min(cell.replace(tzinfo=None), _LAST))
        else:
            worksheet.write_datetime(row, place, cell)
