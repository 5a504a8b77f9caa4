"""Exported calls in every format: the same figures, and nothing that does harm."""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from drawn import SOUND
from exporting import cells, csv_rows, everything, report_of, sheets
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from reports import HOSTILE
from support import record, write_day

from tokenusage.keep.export.calls import CALLS
from tokenusage.record import FIELDS
from tokenusage.show.export.account import Account, add_account
from tokenusage.show.export.csv import CsvCalls
from tokenusage.show.export.parquet import ParquetCalls, write_rows
from tokenusage.show.export.rows import render_jsonl, rows_of
from tokenusage.show.export.workbook import MAX_TEXT, Book, Heading
from tokenusage.show.export.xlsx import XlsxCalls, write_report
from tokenusage.show.inert import inert, inert_csv
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.machine import render_csv

BERLIN = ZoneInfo("Europe/Berlin")
HARMFUL = HOSTILE.removesuffix("\ud800")
NUMBERS = [
    name
    for name in FIELDS
    if not pa.types.is_string(CALLS.field(name).type) and name != "timestamp"
]


def as_csv(calls: pa.Table, zone: Any = UTC) -> list[dict[str, str]]:
    text = BytesIO()
    CsvCalls(text.write, zone).add(calls)
    return csv_rows(text.getvalue().decode())


def as_parquet(calls: pa.Table) -> list[dict[str, Any]]:
    file = BytesIO()
    with ParquetCalls(file) as writer:
        writer.add(calls)
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def as_xlsx(calls: pa.Table, zone: Any = UTC, **settings: Any) -> dict[str, list[dict[str, Any]]]:
    file = BytesIO()
    with Book(file, **settings) as book:
        XlsxCalls(book, zone, str(zone)).add(calls)
    return {name: cells(sheet) for name, sheet in sheets(file.getvalue()).items()}


def call(**fields: Any) -> pa.Table:
    """Return one call in the schema of all."""
    base = {
        "timestamp": datetime(2026, 11, 20, 12, 30, 0, 123456, tzinfo=UTC),
        "operation_type": "rag",
        "model_name": "gpt-4o",
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "success": True,
    }
    return pa.Table.from_pylist([base | fields], CALLS)


CALL = st.builds(
    call,
    timestamp=st.datetimes(datetime(1902, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)),
    user_id=st.none() | SOUND,
    query=st.none() | SOUND,
    model_name=SOUND,
    total_tokens=st.integers(0, 10**12),
    cost_estimate=st.none() | st.decimals(0, 10**6, places=12),
    response_time=st.none() | st.integers(0, 10**12).map(lambda micro: micro / 10**6),
    success=st.booleans(),
    cache_read_tokens=st.none() | st.integers(0, 10**12),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(CALL, min_size=1, max_size=4).map(pa.concat_tables))
@example(call(cost_estimate=Decimal("0.1"), response_time=0.3))
@example(call(query=HARMFUL, model_name=HARMFUL, tags='{"a":"=1+1"}'))
@example(call(query="<r><t>x</t></r>", model_name="_x0041_", user_id=" a\n"))
def test_formats_hold_identical_figures(calls: pa.Table) -> None:
    """Each number that one of them holds, and the texts as far as they are harmless."""
    of_parquet = as_parquet(calls)
    assert of_parquet == calls.to_pylist()
    of_xlsx = as_xlsx(calls)["calls"]
    for row, text, cell in zip(of_parquet, as_csv(calls), of_xlsx, strict=True):
        for name in NUMBERS:
            value = row[name]
            if value is None:
                assert (text[name], cell[name]) == ("", None)
            elif isinstance(value, bool):
                assert (text[name], cell[name]) == (str(value).lower(), value)
            else:
                # A sheet's numbers are doubles; the others are exact.
                assert Decimal(text[name]) == Decimal(str(value))
                # The one that is meant, but for what is behind its 16th digit.
                assert cell[name] == float(f"{value:.16G}")
        for name in ("user_id", "query", "model_name", "tags"):
            value = row[name]
            assert text[name] == ("" if value is None else inert_csv(value))
            harmless = inert(value or "").removeprefix("'")
            assert (cell[name] or "").removeprefix("'") == harmless


def test_timestamps_are_in_the_zone_of_the_question() -> None:
    """With their offset in CSV; a sheet, which has none, names the zone in its head."""
    calls = call()
    assert as_csv(calls, BERLIN)[0]["timestamp"] == "2026-11-20T13:30:00.123456+01:00"
    moment = as_xlsx(calls, BERLIN)["calls"][0]["timestamp (Europe/Berlin)"]
    assert moment == datetime(2026, 11, 20, 13, 30, 0, 123000)


@pytest.mark.parametrize("year", [1, 1900, 9999])
def test_times_that_a_sheet_does_not_know_are_text(year: int) -> None:
    """It has none before 1901, and the calendar's ends have no other zones."""
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    moment = {1: first, 9999: last}.get(year, datetime(year, 6, 1, tzinfo=UTC))
    for zone in (ZoneInfo("Asia/Tokyo"), ZoneInfo("America/Lima")):
        cell = next(iter(as_xlsx(call(timestamp=moment), zone)["calls"][0].values()))
        # The year's last microsecond would be the first of the next one if it were rounded.
        assert getattr(cell, "year", None) == (9999 if year == 9999 else None)
        assert as_csv(call(timestamp=moment), zone)[0]["timestamp"][:4] == f"{year:04}"


def test_numbers_have_formats_and_texts_none() -> None:
    """Money shows as many decimals as it has; a formula stays the text that it is."""
    file = BytesIO()
    with Book(file) as book:
        XlsxCalls(book, UTC, "UTC").add(call(cost_estimate=Decimal("0.00000022"), query="=1+1"))
    sheet = sheets(file.getvalue())["calls"]
    of = {head.value: cell for head, cell in zip(sheet[1], sheet[2], strict=True)}
    assert of["cost_estimate"].number_format == "$#,##0.00##########"
    assert of["total_tokens"].number_format == "#,##0"
    assert of["timestamp (UTC)"].data_type == "d"
    assert (of["query"].data_type, of["query"].value) == ("s", "=1+1")
    assert sheet.freeze_panes == "A2"
    assert b'numberStoredAsText="1"' in ZipFile(file).read("xl/worksheets/sheet1.xml")


def test_sheet_that_is_full_goes_on_in_another() -> None:
    """With the same head."""
    calls = pa.concat_tables([call(total_tokens=number) for number in range(5)])
    found = as_xlsx(calls, max_rows=3)
    assert list(found) == ["calls", "calls 2", "calls 3"]
    assert [row["total_tokens"] for rows in found.values() for row in rows] == [0, 1, 2, 3, 4]


def test_text_that_no_cell_holds_is_cut_and_counted() -> None:
    """It ends in an ellipsis."""
    with Book(BytesIO()) as book:
        XlsxCalls(book, UTC, "UTC").add(call(query="x" * (MAX_TEXT + 1)))
        assert book.cut == 1
    assert as_xlsx(call(query="x" * (MAX_TEXT + 1)))["calls"][0]["query"].endswith("x…")


def test_characters_of_two_units_count_twice() -> None:
    """As Excel counts them; none is cut in two."""
    fits = "\U0001f600" * (MAX_TEXT // 2)
    for query, shown in ((fits, fits), (f"x{fits}", f"x{fits}"), (f"xy{fits}", f"xy{fits[1:]}…")):
        with Book(BytesIO()) as book:
            assert book.text(query) == shown
            assert book.cut == (query != shown)
            assert len(shown.encode("utf-16-le")) <= 2 * MAX_TEXT


def test_account_counts_the_texts_that_were_cut(logs: Path) -> None:
    """It has no such line where all are whole."""
    report = report_of(logs, everything())
    account = Account(report.query, "logs", report.ledger, 1, datetime(2026, 11, 22, tzinfo=UTC))
    for length, counts in ((MAX_TEXT, []), (MAX_TEXT + 1, [1])):
        file = BytesIO()
        with Book(file) as book:
            book.sheet("texts", [Heading("text")]).add([("x" * length,)])
            add_account(book, account)
        said = cells(sheets(file.getvalue())["account"])
        assert [row["value"] for row in said if "cut" in str(row["what"])] == counts


def test_book_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither a workbook nor what it was to be made of."""
    file = BytesIO()
    with suppress(KeyboardInterrupt), Book(file, spool=tmp_path / "spool-") as book:
        XlsxCalls(book, UTC, "UTC").add(call())
        assert [path.name[:6] for path in tmp_path.iterdir()] == ["spool-"]
        raise KeyboardInterrupt
    assert (file.getvalue(), list(tmp_path.iterdir())) == (b"", [])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory with calls of two days, one of them without a price."""
    write_day(tmp_path, "2026-11-19", [record("2026-11-19T09:00:00Z", user_id=HARMFUL)])
    own = record(model_name="own", cost_estimate=None, response_time=None)
    write_day(tmp_path, "2026-11-20", [record(), own, b"oops"])
    return tmp_path


@pytest.mark.parametrize("by", [(), ("model",), ("user", "day")])
def test_rows_of_a_report_are_the_same_in_every_format(logs: Path, by: tuple[str, ...]) -> None:
    """The overview's with its sections in front, the totals first."""
    report = report_of(logs, everything(by=by))
    rows = rows_of(report)
    assert [orjson.loads(line) for line in render_jsonl(report).splitlines()] == rows
    file = BytesIO()
    write_rows(report, file)
    assert pq.read_table(file).to_pylist() == rows
    for row, text in zip(rows, csv_rows(render_csv(report, Order())), strict=True):
        for name, value in row.items():
            if isinstance(value, str):
                assert text[name] == inert_csv(value)
            else:
                assert (float(text[name]) if text[name] else None) == value


def worksheets(logs: Path, *by: str) -> dict[str, Worksheet]:
    report = report_of(logs, everything(by=by))
    file = BytesIO()
    now = datetime(2026, 11, 22, tzinfo=UTC)
    with Book(file) as book:
        write_report(report, Account(report.query, "logs", report.ledger, 1, now), book)
    return sheets(file.getvalue())


def workbook(logs: Path, *by: str) -> dict[str, list[dict[str, Any]]]:
    return {name: cells(sheet) for name, sheet in worksheets(logs, *by).items()}


def test_overview_is_a_sheet_per_section(logs: Path) -> None:
    """Totals first, the account last, days as dates."""
    book = workbook(logs)
    assert list(book) == ["totals", "operation", "model", "day", "user", "account"]
    assert (book["totals"][0]["calls"], book["totals"][0]["users"]) == (3, 2)
    assert [row["day"].date() for row in book["day"]] == [date(2026, 11, 19), date(2026, 11, 20)]
    own = next(row for row in book["model"] if row["model"] == "own")
    assert (own["cost"], own["unpriced"]) == (None, 1)


def test_money_has_as_many_decimals_as_its_size_needs(tmp_path: Path) -> None:
    """One number of them for a column, from its largest amount."""
    small, large = record(cost_estimate=0.00002), record(cost_estimate=2000, model_name="large")
    for records, wanted in (([small], "$#,##0.000000000"), ([small, large], "$#,##0.00")):
        write_day(tmp_path, "2026-11-20", records)
        sheet = worksheets(tmp_path, "model")["rows"]
        formats = {head.value: cell.number_format for head, cell in zip(*sheet["1:2"], strict=True)}
        assert formats["cost"] == wanted
        assert (formats["calls"], formats["success_rate"]) == ("#,##0", "0.0%")


def test_rows_can_be_filtered(logs: Path) -> None:
    """By all columns, and each row of them."""
    sheet = worksheets(logs, "model")["rows"]
    assert sheet.auto_filter.ref == sheet.dimensions


def test_account_says_what_the_figures_are_of(logs: Path) -> None:
    """Period, zone, filters, and the ledger with its notes."""
    book = workbook(logs, "model", "user")
    assert list(book) == ["rows", "totals", "account"]
    said = {row["what"]: row["value"] for row in book["account"]}
    assert (said["timezone"], said["records"], said["rejected"], said["unpriced"]) == (
        "UTC",
        3,
        1,
        1,
    )
    assert said["note"] == "rejected: token_usage_2026-11-20.jsonl:3: is not JSON"
