import csv
import json
from dataclasses import replace
from io import StringIO
from typing import Any

import pandas as pd
from reports import HOSTILE, empty, figures, overview, table

from tokenusage.analyse.query import Filters
from tokenusage.analyse.report import Row
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.machine import render_csv, render_json


def parsed(text: str) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    return list(csv.DictReader(StringIO(text)))


def test_json_has_the_shape_of_its_schema() -> None:
    """Keys and their order are what programs rely on."""
    document: dict[str, Any] = json.loads(
        render_json(
            table(("model",), Row(("gpt-4o-mini",), figures(2, 2500, 300, 0.000555, seconds=2.1))),
            Order(),
        )
    )
    assert list(document) == [
        "schema", "period", "filters", "cost", "by", "rows", "totals", "ledger",
    ]  # fmt: skip
    assert document["schema"] == "tokenusage.report/1"
    assert document["period"] == {
        "start": "2026-11-16T00:00:00+00:00", "end": "2026-11-23T00:00:00+00:00", "timezone": "UTC",
    }  # fmt: skip
    assert document["filters"] == {"user": [], "operation": [], "model": [], "where": []}
    assert document["rows"] == [
        {
            "model": "gpt-4o-mini", "calls": 2, "failed": 0, "success_rate": 1.0,
            "prompt_tokens": 2500, "completion_tokens": 300, "total_tokens": 2800,
            "avg_tokens": 1400.0, "cost": 0.000555, "avg_cost": 0.0002775, "unpriced": 0,
            "avg_response_time": 2.1, "cache_hits": 0,
        }
    ]  # fmt: skip
    assert document["totals"]["users"] == 1
    assert document["ledger"]["unanswered_days"] == []


def test_the_overview_has_all_sections_in_json() -> None:
    """Sections stand instead of rows, with every user."""
    document = json.loads(render_json(overview(), Order()))
    assert {name: len(rows) for name, rows in document["sections"].items()} == {
        "operation": 3, "model": 4, "day": 2, "user": 14,
    }  # fmt: skip
    assert document["by"] == []
    assert document["sections"]["user"][-1]["user"] is None


def test_an_empty_answer_is_one_too() -> None:
    """No rows, a cost of 0, and averages that nobody can know."""
    document = json.loads(render_json(empty(), Order()))
    assert document["totals"]["cost"] == 0
    assert document["totals"]["success_rate"] is None


def test_hostile_names_are_inert_and_unchanged_in_json() -> None:
    """Escapes decode to the name as it was."""
    report = table(("user",), Row((HOSTILE[:-1],), figures(1)))
    report = replace(report, query=replace(report.query, filters=Filters(user=(HOSTILE,))))
    text = render_json(report, Order())
    assert text.replace("\n", "").isprintable()
    assert json.loads(text)["rows"][0]["user"] == HOSTILE[:-1]


def test_csv_and_json_hold_the_same_figures() -> None:
    """One row model stands behind both, and the unknown is an empty cell."""
    report = overview()
    sections = json.loads(render_json(report, Order()))["sections"]
    rows = [list(row.values())[1:] for rows in sections.values() for row in rows]
    read = [list(row.values())[2:] for row in parsed(render_csv(report, Order()))[1:]]
    assert [[None if cell == "" else float(cell) for cell in row] for row in read] == rows


def test_csv_loads_as_it_is() -> None:
    """Every column of figures arrives as numbers, the rows add up, and no total is among them."""
    report = table(("model",), *(Row((name,), figures(2, 10, dollars=0.0000005)) for name in "ab"))
    frame = pd.read_csv(StringIO(render_csv(report, Order())))
    assert frame["calls"].sum() == 4
    assert frame["cost"].tolist() == [0.0000005, 0.0000005]
    assert "e" not in render_csv(report, Order()).splitlines()[1].split(",", 1)[1]


def test_hostile_names_are_inert_in_csv() -> None:
    """Text is no formula and moves no cursor; negative numbers would stay numbers."""
    names = [HOSTILE, "=1+1", "+1", "-1", "@x", "\tx", "\rx", 'a,"b"']
    text = render_csv(table(("user",), *(Row((name,), figures(1)) for name in names)), Order())
    assert text.replace("\n", "").isprintable()
    keys = [row["user"] for row in parsed(text)]
    assert all(key.startswith("'") for key in keys[:-1])
    assert keys[-1] == 'a,"b"'


def test_a_limit_cuts_rows_and_not_totals() -> None:
    """Totals are of all rows."""
    document = json.loads(render_json(overview(), Order(limit=1)))
    assert len(document["sections"]["operation"]) == 1
    assert document["totals"]["calls"] == 1_232
