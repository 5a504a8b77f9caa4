from reports import HOSTILE, NOW, empty, figures, overview, table

from tokenusage.analyse.report import Report, Row
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.markdown import render_markdown


def rendered(report: Report) -> str:
    """Return a report as Markdown, at noon of 2026-11-22."""
    return render_markdown(report, Order(), today=NOW.date(), command="tokenusage report")


def test_every_table_is_one_of_markdown() -> None:
    """Head, alignment and rows have the same number of cells; the total is the last row."""
    (report_table,) = [
        part for part in rendered(overview()).split("\n\n") if part.startswith("| Model")
    ]
    lines = report_table.splitlines()
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert lines[1].startswith("| --- | ---: |")
    assert lines[-1].startswith("| **Total** | 1,232 |")


def test_the_ledger_stands_under_the_tables() -> None:
    """Counts first, then where the rejected lines are."""
    *_, ledger, notes = rendered(overview()).split("\n\n")
    assert ledger.startswith("7 files · 1,237 records · 2 rejected · 31 unpriced")
    assert notes.startswith("- rejected: token_usage_2026-11-20.jsonl:12: is not JSON")


def test_hostile_names_are_inert() -> None:
    """A name opens no cell, no tag and no link."""
    text = rendered(table(("user",), Row((HOSTILE,), figures(1))))
    row = text.split("\n\n")[3].splitlines()[2]
    assert text.replace("\n", "").isprintable()
    assert r"\|\<b\>" in row
    assert r"\[red\]" in row


def test_a_tag_keeps_its_spelling() -> None:
    """In other letters it would be another tag."""
    assert "| tag.My_Tag | Day | Calls |" in rendered(
        table(("tag.My_Tag", "day"), Row(("x", "2026-11-20"), figures(1)))
    )


def test_an_empty_period_has_its_hint() -> None:
    """As code, to be copied."""
    assert "\n\n    tokenusage report --since 2024-12-26\n\n" in rendered(empty())
