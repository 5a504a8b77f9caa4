"""What the tests of exporting share: calls of a directory, and the files that hold them."""

import csv
from datetime import UTC, datetime
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from openpyxl import load_workbook
from openpyxl.utils.escape import unescape
from openpyxl.worksheet.worksheet import Worksheet

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Report
from tokenusage.keep.export.calls import CALLS, export_calls
from tokenusage.price.table import PriceTable
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import Scan

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)


def everything(**settings: Any) -> Query:
    """Return the question for all calls."""
    return Query(make_period(now=NOW, everything=True), **settings)


def calls_of(logs: Path, query: Query) -> tuple[pa.Table, Ledger, int]:
    """Return the calls that are exported, their account, and how many of them are unpriced."""
    tables = [CALLS.empty_table()]
    ledger, unpriced = export_calls(
        logs, query, tables.append, prices=PriceTable(), naive_zone=UTC, now=NOW
    )
    return pa.concat_tables(tables), ledger, unpriced


def report_of(logs: Path, query: Query) -> Report:
    """Return the report of the same calls."""
    with Scan(logs, plan(query, naive_zone=UTC, now=NOW)) as scan:
        return answer(query, scan, prices=PriceTable(), now=NOW)


def sheets(workbook: Path | bytes) -> dict[str, Worksheet]:
    """Return the sheets of a workbook by name."""
    file = BytesIO(workbook) if isinstance(workbook, bytes) else workbook
    return {sheet.title: sheet for sheet in load_workbook(file).worksheets}


def cells(sheet: Worksheet) -> list[dict[str, Any]]:
    """Return the rows of a sheet by the names in its head, as Excel shows them."""
    # openpyxl leaves the escapes of texts that stand in their cells to its callers.
    shown = [
        [unescape(cell) if isinstance(cell, str) else cell for cell in row]
        for row in sheet.iter_rows(values_only=True)
    ]
    return [dict(zip(map(str, shown[0]), row, strict=True)) for row in shown[1:]]


def calls_in(path: Path) -> object:
    """Return what an exported file holds; of a workbook the calls, and not when it was made."""
    return cells(sheets(path)["calls"]) if path.suffix == ".xlsx" else path.read_bytes()


def csv_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV by the names in its head."""
    return list(csv.DictReader(StringIO(text, newline="")))
