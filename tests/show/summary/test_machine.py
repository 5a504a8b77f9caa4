import csv
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
from keeping import turn
from reports import HOSTILE
from summaries import NOW, at, shop, summary_of, write

from tokenusage.show.schema import schema_text
from tokenusage.show.summary.machine import render_csv, render_json


def numbers(document: dict[str, Any]) -> set[tuple[str, str, str, float | None]]:
    """Return every figure of a document as the lines of a CSV have them."""
    found: set[tuple[str, str, str, float | None]] = set()

    def add(section: str, key: str, values: dict[str, Any]) -> None:
        figures = {k: v for k, v in values.items() if v is None or isinstance(v, int | float)}
        figures = {k: v for k, v in figures.items() if k not in {"start", "end", "before"}}
        found.update((section, key, name, value) for name, value in figures.items())

    for period in document["periods"]:
        add("period", period["name"], period)
        add("items", period["name"], period["items"])
        if period["before"] is not None:
            add("before", period["name"], period["before"])
            add("change", period["name"], period["change"])
    for operation in document["operations"]:
        add("operation", operation["operation"], operation)
    for section in ("tokens", "sessions", "tasks", "cache", "projection"):
        add(section, "", document[section])
    return found


def test_csv_holds_the_figures_of_json(tmp_path: Path) -> None:
    """Each of them once, with its section and its key."""
    summary = summary_of(shop(tmp_path / "logs"), means=("tag.x",))
    rows = list(csv.DictReader(StringIO(render_csv(summary))))
    lines = {
        (r["section"], r["key"], r["figure"], float(r["value"]) if r["value"] else None)
        for r in rows
    }
    assert len(lines) == len(rows)
    assert lines == numbers(json.loads(render_json(summary)))


def test_json_of_days_of_sums_fits_its_schema(tmp_path: Path) -> None:
    """What can't be told is null, and the days are named."""
    logs = write(tmp_path / "logs", at(timedelta(days=31)), at(timedelta(hours=1)))
    turn(logs, now=NOW, keep_days=7, force=True)
    document = json.loads(render_json(summary_of(logs)))
    jsonschema.Draft202012Validator(json.loads(schema_text("summary"))).validate(document)
    assert document["periods"][3]["before"]["end"] == "2026-10-23T00:00:00+00:00"
    assert document["ledger"]["unanswered_days"] == []
    parts = [*document["periods"][3:], document["sessions"], document["cache"]]
    assert [part["missing_days"] for part in parts] == [[], *[["2026-10-22"]] * 3]


def test_names_are_no_formulas(tmp_path: Path) -> None:
    """A spreadsheet shows an operation as it is written."""
    call = at(timedelta(minutes=1), operation_type=HOSTILE.replace("\ud800", ""))
    text = render_csv(summary_of(write(tmp_path / "logs", call)))
    assert "operation,'=1+1 \\x1b[31m" in text
    assert text.replace("\n", "").isprintable()
