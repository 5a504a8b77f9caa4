import csv
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from reports import HOSTILE, NOW, empty, figures, overview, rows, table
from rich.cells import cell_len

from tokenusage.analyse.compare import Comparison, compare
from tokenusage.analyse.mean import Mean
from tokenusage.analyse.period import compared_period
from tokenusage.analyse.report import Report, Row
from tokenusage.read.ledger import Ledger
from tokenusage.show.columns import find_column
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.comparison import render_comparison, render_comparison_markdown
from tokenusage.show.report.comparison_machine import (
    render_comparison_csv,
    render_comparison_json,
)

GOLDEN = Path(__file__).parent / "golden"


def against(report: Report, before: Report) -> Comparison:
    """Return a comparison with the period before."""
    period = compared_period("previous", report.query.period, NOW)
    return compare(report, replace(before, query=replace(before.query, period=period)), NOW)


def overviews() -> Comparison:
    """Return the overview of a week against a smaller one, with other models and days."""
    small = figures(150, 180_000, 20_000, 0.04, failed=1, seconds=2)
    sections = {
        "operation": rows(("rag_answer", small)),
        "model": rows(("gpt-4o-mini", small), ("gpt-4o", figures(3, 10, 10, 0.1))),
        "day": rows(("2026-11-11", small), ("2026-11-12", figures(3, 10, 10, 0.1))),
        "user": rows(("0@example.com", small)),
    }
    totals = figures(153, 180_010, 20_010, 0.14, failed=1, seconds=2)
    return against(overview(), replace(overview(), sections=sections, totals=totals))


def by_model() -> Comparison:
    """Return models of which one is new, one gone, one unpriced and one the same."""
    now = rows(
        ("anthropic/claude-sonnet-4-5-20250929", figures(1_200, 10**7, 10**5, 1_234.5)),
        ("gpt-4o-mini", figures(80, 9_000, 400, 62.25, unpriced=31)),
        ("new", figures(2, 20, 2, 0.5)),
        ("own", figures(5, 20, 2, unpriced=5)),
        ("same", figures(1, 20, 2, 0.25)),
    )
    before = rows(
        ("anthropic/claude-sonnet-4-5-20250929", figures(800, 10**7, 10**5, 1_000)),
        ("gpt-4o-mini", figures(100, 10_000, 500, 70)),
        ("gone", figures(2, 20, 2, 0.5)),
        ("own", figures(4, 20, 2, unpriced=4)),
        ("same", figures(1, 20, 2, 0.25)),
    )
    return against(table(("model",), *now), table(("model",), *before))


def rendered(comparison: Comparison, width: int, *, terminal: bool = False) -> str:
    """Return a comparison as tables, at noon of 2026-11-22."""
    command = "tokenusage report"
    return render_comparison(
        comparison, Order(), width=width, terminal=terminal, now=NOW, command=command
    )


def cells(comparison: Comparison, name: str) -> list[str]:
    """Return what a wide page has in the row of this name."""
    lines = rendered(comparison, 220).splitlines()
    return next(re.split(r"\s{2,}", line)[1:] for line in lines if line.startswith(name))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_overview_looks_as_it_was_approved(width: int) -> None:
    """The whole page, as text, at each width."""
    assert rendered(overviews(), width) == (GOLDEN / f"comparison_{width}.txt").read_text()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_table_by_model_looks_as_it_was_approved(width: int) -> None:
    """The difference and the change of the cost are there at each width."""
    assert rendered(by_model(), width) == (GOLDEN / f"comparison_by_model_{width}.txt").read_text()


def test_new_and_gone_rows_are_said_to_be() -> None:
    """And what has no price has no difference."""
    assert {"+0.50", "▲ new"} < set(cells(by_model(), "new"))
    assert cells(by_model(), "gone")[:3] == ["0", "2", "-2"]
    assert "▼ gone" in cells(by_model(), "gone")
    assert cells(by_model(), "own")[8:12] == ["—", "—", "—", "—"]
    assert cells(by_model(), "same")[8:12] == ["0.25", "0.25", "0", "="]


def test_short_sides_are_marked() -> None:
    """So is their difference, and a line says what the marks mean."""
    assert cells(by_model(), "gpt-4o-mini")[8:11] == ["≥ 62.25", "70.00", "≈-7.75"]
    assert "≥ and ≈: calls without a price" in rendered(by_model(), 200)


def test_a_day_that_has_not_come_has_not_shrunk() -> None:
    """It is held against nothing, though the other period is whole."""
    call = figures(1, 10, 10, 0.1)
    now = table(("day",), *rows(("2026-11-16", call)))
    before = table(("day",), *rows(("2026-10-01", call), ("2026-10-07", call)))
    october = compared_period("2026-10-01..2026-10-10", now.query.period, NOW)
    report = replace(before, query=replace(before.query, period=october))
    early = compare(now, report, datetime(2026, 11, 17, tzinfo=UTC))
    assert cells(early, "2026-11-16")[3:4] == ["="]
    assert cells(early, "2026-11-22 (10-07)")[:4] == ["0", "1", "—", "—"]
    (_, ahead) = json.loads(render_comparison_json(early, Order()))["rows"]
    assert (ahead["difference"]["calls"], ahead["change"]["calls"]) == (None, None)


def test_averages_that_have_no_room_are_missed() -> None:
    """Somebody has asked for them."""
    graded = figures(1, dollars=1)._replace(means=(Mean(10**324, 1),))
    report = table(("model",), *rows(("a", graded)))
    report = replace(report, query=replace(report.query, means=("tag.grade",)))
    sentence = "Means need a wider terminal, or --format csv."
    assert sentence in rendered(against(report, report), 60)
    assert sentence not in rendered(against(report, report), 220)


def test_both_ledgers_are_said() -> None:
    """With the notes of each."""
    one, other = table(("model",), *rows(("a", figures(1)))), table(("model",))
    ledger = Ledger(files=3, unanswered_days=["2026-11-10"])
    text = rendered(against(one, replace(other, ledger=ledger)), 120)
    assert "0 files · 0 records" in text
    assert "before: 3 files · 0 records" in text
    assert "before: not in these figures, only summaries are left: 2026-11-10" in text


def test_a_day_stands_beside_the_day_at_its_place() -> None:
    """No day is new or gone: it has calls or none."""
    now = table(("day",), *rows(("2026-11-16", figures(2)), ("2026-11-17", figures(1))))
    before = table(("day",), *rows(("2026-11-09", figures(1)), ("2026-11-11", figures(1))))
    comparison = against(now, before)
    assert cells(comparison, "2026-11-16 (11-09)")[:4] == ["2", "1", "+1", "▲ 100.0%"]
    assert cells(comparison, "2026-11-17 (11-10)")[:4] == ["1", "0", "+1", "▲ from 0"]
    assert cells(comparison, "2026-11-18 (11-11)")[:4] == ["0", "1", "-1", "▼ 100.0%"]


def test_rows_are_sorted_and_limited_as_asked() -> None:
    """By the period asked for; the rest adds up."""
    order = Order(find_column("calls", percentiles=False), ascending=True, limit=1)
    text = render_comparison(
        by_model(), order, width=200, terminal=False, now=NOW, command="tokenusage report"
    )
    names = [line.split()[:4] for line in text.splitlines() if re.match("gone|5 more", line)]
    assert names == [["gone", "0", "2", "-2"], ["5", "more", "1,288", "905"]]


def test_lines_keep_to_the_width() -> None:
    """From 60 columns on nothing is wider than the terminal."""
    for width in range(60, 201, 7):
        assert max(map(cell_len, rendered(overviews(), width).splitlines())) <= width


def test_directions_have_colours_beside_their_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe has the marks alone."""
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = rendered(by_model(), 100, terminal=True)
    assert re.search(r"\x1b\[31m +▲ 23.4%", coloured)
    assert "\x1b[32m▼ ≈11.1%" in coloured
    assert not re.search(r"[\x1b─]", rendered(by_model(), 100))


def test_nothing_in_either_period_is_said() -> None:
    """With a hint; nothing in one of them is a comparison."""
    some = table(("model",), *rows(("a", figures(1))))
    assert "No calls in this period." in rendered(against(empty(), empty()), 100)
    assert "No calls" not in rendered(against(table(("model",)), some), 100)


def test_an_unfinished_period_is_said_to_be() -> None:
    """It is held against a whole one."""
    assert "not over yet" in rendered(by_model(), 100)


def test_json_has_the_rows_of_the_report_and_the_other_side() -> None:
    """Null where a side has no such row, or nothing is known."""
    document = json.loads(render_comparison_json(by_model(), Order()))
    assert document["schema"] == "tokenusage.comparison/1"
    found = {row["model"]: row for row in document["rows"]}
    assert found["new"]["before"] is None
    assert (found["gone"]["calls"], found["gone"]["before"]["calls"]) == (0, 2)
    assert found["gpt-4o-mini"]["difference"]["cost"] == -7.75
    assert found["gpt-4o-mini"]["change"]["calls"] == -0.2
    assert found["new"]["change"]["calls"] is None
    assert found["own"]["difference"]["cost"] is None
    assert document["totals"]["before"]["calls"] == 907


def test_csv_has_the_same_figures() -> None:
    """Four columns for each; empty where nothing is known."""
    document = json.loads(render_comparison_json(by_model(), Order()))
    lines = list(csv.DictReader(StringIO(render_comparison_csv(by_model(), Order()))))
    for line, row in zip(lines, document["rows"], strict=True):
        known = row["difference"]["cost"]
        assert line["model"] == row["model"]
        assert line["cost_difference"] == ("" if known is None else f"{known}")
        assert line["calls_before"] == (
            "" if row["before"] is None else str(row["before"]["calls"])
        )


def test_csv_of_the_overview_has_sections_and_both_keys() -> None:
    """The totals come first."""
    text = render_comparison_csv(overviews(), Order())
    lines = list(csv.DictReader(StringIO(text)))
    assert (lines[0]["section"], lines[0]["calls"], lines[0]["calls_before"]) == (
        "total", "1232", "153",
    )  # fmt: skip
    days = {line["key"]: line["key_before"] for line in lines if line["section"] == "day"}
    assert days["2026-11-18"] == "2026-11-11"


def test_markdown_has_headings_and_every_column() -> None:
    """A document to hand on."""
    text = render_comparison_markdown(overviews(), Order(), now=NOW, command="tokenusage report")
    assert re.findall("^#+ .*$", text, re.MULTILINE) == [
        "## Token usage", "### By operation", "### By model", "### By day", "### By user",
    ]  # fmt: skip
    assert "| Day (before) | Calls | Before | +/- | Change | Total |" in text


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_names_are_inert(terminal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """In every format."""
    report = table(("user", f"tag.{HOSTILE}"), Row((HOSTILE, HOSTILE), figures(1)))
    comparison = against(report, report)
    page = re.sub(r"\x1b\[[0-9;]*m", "", rendered(comparison, 200, terminal=terminal))
    texts = [page, render_comparison_json(comparison, Order())]
    texts.append(render_comparison_csv(comparison, Order()))
    texts.append(render_comparison_markdown(comparison, Order(), now=NOW, command="x"))
    assert all(text.replace("\n", "").isprintable() for text in texts)
