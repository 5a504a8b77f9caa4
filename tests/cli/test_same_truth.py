"""All views of the same calls tell the same figures."""

import csv
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import record, write_day

from tokenusage.cli.app import _run

FIGURES = (
    "calls", "failed", "success_rate", "prompt_tokens", "completion_tokens", "total_tokens",
    "avg_tokens", "cost", "avg_cost", "unpriced", "avg_response_time", "cache_hits",
)  # fmt: skip

PERIODS = {
    "last_hour": ("--hours", "1"),
    "last_24_hours": ("--hours", "24"),
    "today": ("--days", "1"),
    "this_month": ("--month", f"{datetime.now(UTC):%Y-%m}"),
    "all_time": ("--all",),
}

# Far from every hour before now, so that it does not matter how long a test takes.
MINUTES_AGO = st.integers(0, 40 * 24 * 60).filter(lambda minutes: 5 <= minutes % 60 <= 55)

CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "minutes_ago": MINUTES_AGO,
            "user_id": st.sampled_from([1, "1", "ann", "=2+5", None]),
            "model_name": st.sampled_from(["gpt-4o", "our-own", "x|y"]),
            "operation_type": st.sampled_from(["chat", "embedding"]),
            "prompt_tokens": st.integers(0, 10**6),
            "cost_estimate": st.none() | st.integers(0, 10**7).map(lambda n: n / 10**6),
            "response_time": st.none() | st.integers(0, 9000).map(lambda n: n / 1000),
            "success": st.booleans(),
            "cache": st.sampled_from([None, None, None, "session"]),
            "id": st.sampled_from([None, None, "a", "b"]),
        }
    ),
    min_size=1,
    max_size=30,
)


def told(*words: str) -> str:
    """Return what the program prints on stdout."""
    printed = StringIO()
    with redirect_stdout(printed), redirect_stderr(StringIO()):
        assert _run(words) == 0, words
    return printed.getvalue()


def asked(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told(*words, "--format", "json"))
    return document


def figures(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in FIGURES}


def write(logs: Path, calls: list[dict[str, Any]]) -> None:
    """Write each call to the file of its day, as a record."""
    now = datetime.now(UTC)
    moments = sorted(
        ((now - timedelta(minutes=call["minutes_ago"]), call) for call in calls),
        key=lambda pair: pair[0],
    )
    for day, of_day in groupby(moments, key=lambda pair: pair[0].date()):
        lines = []
        for moment, call in of_day:
            fields = {name: value for name, value in call.items() if name != "minutes_ago"}
            fields["total_tokens"] = fields["prompt_tokens"] + 10
            lines.append(record(moment.isoformat(), **fields))
        write_day(logs, str(day), lines)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(calls=CALLS)
def test_summary_says_what_the_report_of_each_period_says(calls: list[dict[str, Any]]) -> None:
    """A figure of `summary` is the figure of `report` of the same period."""
    with TemporaryDirectory() as logs:
        write(Path(logs), calls)
        for period in asked("summary", "--logs", logs)["periods"]:
            report = asked("report", *PERIODS[period["name"]], "--logs", logs)
            assert figures(period) == figures(report["totals"]), period["name"]


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(calls=CALLS)
def test_rankings_and_lists_hold_as_many_calls_as_the_report(calls: list[dict[str, Any]]) -> None:
    """`top` has the report's totals whatever it ranks; `calls` lists each of its calls once."""
    with TemporaryDirectory() as logs:
        write(Path(logs), calls)
        totals = figures(asked("report", "--all", "--logs", logs)["totals"])
        for kind in ("users", "models", "operations", "sessions", "tasks", "queries"):
            top = asked("top", kind, "--all", "--logs", logs)
            assert figures(top["totals"]) == totals
            assert sum(row["calls"] for row in top["rows"]) == totals["calls"]
        for order in ("date", "cost", "tokens", "response_time"):
            listed = asked("calls", "--all", "--order", order, "--limit", "99", "--logs", logs)
            assert listed["calls"] == len(listed["rows"]) == totals["calls"]
            assert sum(row["total_tokens"] for row in listed["rows"]) == totals["total_tokens"]


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(calls=CALLS)
def test_every_format_of_a_report_holds_the_same_figures(calls: list[dict[str, Any]]) -> None:
    """csv, json, parquet and xlsx tell the same rows, in the same order."""
    with TemporaryDirectory() as logs:
        write(Path(logs), calls)
        words = ("--all", "--by", "model,success", "--logs", logs)
        rows = [list(row.values()) for row in asked("report", *words)["rows"]]
        _, *lines = csv.reader(StringIO(told("report", *words, "--format", "csv")))
        assert [list(map(number, line)) for line in lines] == [list(map(plain, r)) for r in rows]
        book, parquet = f"{logs}/r.xlsx", f"{logs}/r.parquet"
        told("export", *words, "--format", "xlsx", "--output", book)
        told("export", *words, "--format", "parquet", "--output", parquet)
        _, *cells = openpyxl.load_workbook(book).worksheets[0].iter_rows(values_only=True)
        assert [list(map(plain, row)) for row in cells][: len(rows)] == [
            list(map(plain, row)) for row in rows
        ]
        frame = pd.read_parquet(parquet)
        assert [list(map(plain, row)) for row in frame.itertuples(index=False)] == [
            list(map(plain, row)) for row in rows
        ]


def number(text: str) -> str | float | None:
    """Return a cell of a CSV as the value that it shows."""
    try:
        return round(float(text), 9) if text else None
    except ValueError:
        return text


def plain(value: Any) -> Any:
    """Return a value of any format as one that can be compared."""
    if value is None or pd.isna(value):
        return None
    return value if isinstance(value, str) else round(float(value), 9)
