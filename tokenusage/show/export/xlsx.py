"""Exported calls, and the rows of a report, as workbooks: numbers have 16 digits there."""

from collections.abc import Iterable
from datetime import tzinfo
from itertools import repeat
from typing import Any, Final

import pyarrow as pa

from tokenusage.analyse.report import Figures, Report, Row
from tokenusage.keep.export.calls import CALLS
from tokenusage.logs import parse_day
from tokenusage.show.columns import COLUMNS, Column, row_values
from tokenusage.show.export.account import Account, add_account
from tokenusage.show.export.cells import moments
from tokenusage.show.export.workbook import Book, Cell, Heading
from tokenusage.show.numbers import money_places

_MOMENT: Final = "yyyy-mm-dd hh:mm:ss.000"
_COUNT: Final = "#,##0"
_ANY_MONEY: Final = "$#,##0.00##########"
"""Single calls cost anything from nothing to dollars: as many decimals as each needs."""

_WIDTHS: Final = {"timestamp": 24, "query": 40, "error_message": 30, "id": 26, "tags": 30}
_FORMATS: Final = {
    "average": "#,##0.0",
    "rate": "0.0%",
    "seconds": "#,##0.000",
    "count": _COUNT,
}


class XlsxCalls:
    """The sheet of calls, which is written as they come.

    Args:
        book: what it is a sheet of.
        zone: of the timestamps, which Excel keeps without one.
        zone_name: as it is printed.
    """

    def __init__(self, book: Book, zone: tzinfo, zone_name: str) -> None:
        self._zone = zone
        self._sheet = book.sheet("calls", [_heading(field, zone_name) for field in CALLS])

    def add(self, calls: pa.Table) -> None:
        """Write calls in the schema `keep.export.calls.CALLS`."""
        columns = (self._cells(calls[name]) for name in CALLS.names)
        self._sheet.add(zip(*columns, strict=False))  # of unknown values there is no end

    def _cells(self, column: pa.ChunkedArray) -> Iterable[Any]:
        if column.null_count == len(column):
            return repeat(None)
        if pa.types.is_timestamp(column.type):
            return moments(column, self._zone)
        if pa.types.is_decimal(column.type):
            # Arrow's own conversion is not the nearest double: it makes 0.09999999999999999 of 0.1.
            return [None if cell is None else float(cell) for cell in column.to_pylist()]
        cells: list[Any] = column.to_pylist()
        return cells


def write_report(report: Report, account: Account, book: Book) -> None:
    """Write a report into a workbook: its rows, or a sheet per section; totals and account."""
    sections = {"rows": report.rows} if report.query.by else report.sections
    if not report.query.by:
        _add_totals(book, report)
    for name, rows in sections.items():
        dimensions = report.query.by or (name,)
        keys = [_key_heading(dimension) for dimension in dimensions]
        figures = [_figure_heading(column, [row.figures for row in rows]) for column in COLUMNS]
        sheet = book.sheet(name, [*keys, *figures])
        sheet.add(_row(dimensions, row) for row in rows)
        sheet.add_filter()
    if report.query.by:
        _add_totals(book, report)
    add_account(book, account)


def _add_totals(book: Book, report: Report) -> None:
    headings = [_figure_heading(column, [report.totals]) for column in COLUMNS]
    sheet = book.sheet("totals", [*headings, Heading("users", 12, _COUNT)])
    sheet.add([(*row_values(report.totals, COLUMNS).values(), report.users)])


def _row(dimensions: tuple[str, ...], row: Row) -> tuple[Cell, ...]:
    keys = (
        (parse_day(key) or key) if key and name == "day" else key
        for name, key in zip(dimensions, row.keys, strict=True)
    )
    return (*keys, *row_values(row.figures, COLUMNS).values())


def _key_heading(dimension: str) -> Heading:
    return Heading(dimension, 12, "yyyy-mm-dd") if dimension == "day" else Heading(dimension, 24)


def _figure_heading(column: Column, figures: list[Figures]) -> Heading:
    if column.kind != "money":
        return Heading(column.name, max(12, len(column.name) + 1), _FORMATS[column.kind])
    largest = max((column.value(group) or 0 for group in figures), default=0)
    return Heading(column.name, 14, f"$#,##0.{'0' * money_places(largest)}")


def _heading(field: pa.Field, zone_name: str) -> Heading:
    width = _WIDTHS.get(field.name, max(12, len(field.name) + 1))
    if pa.types.is_timestamp(field.type):
        return Heading(f"{field.name} ({zone_name})", width, _MOMENT)
    if pa.types.is_decimal(field.type):
        return Heading(field.name, 18, _ANY_MONEY)
    if pa.types.is_floating(field.type):
        return Heading(field.name, width, "#,##0.000###")
    return Heading(field.name, width, _COUNT if pa.types.is_integer(field.type) else "")
