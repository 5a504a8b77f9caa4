import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import HOSTILE, NOW, empty, figures, overview, table
from rich.cells import cell_len

from tokenusage.analyse.report import Figures, Report, Row
from tokenusage.read.ledger import Ledger
from tokenusage.show.report.arrange import Order, table_blocks
from tokenusage.show.report.cells import cells_of
from tokenusage.show.report.table import render_table

GOLDEN = Path(__file__).parent / "golden"


def rendered(report: Report, width: int = 100, *, terminal: bool = False) -> str:
    """Return a report as a table, at noon of 2026-11-22."""
    return render_table(
        report,
        Order(),
        width=width,
        terminal=terminal,
        today=NOW.date(),
        command="tokenusage report",
    )


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_the_overview_looks_as_it_was_approved(width: int) -> None:
    """The whole page, as text, at each width."""
    assert rendered(overview(), width) == (GOLDEN / f"overview_{width}.txt").read_text()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_a_table_by_two_dimensions_looks_as_it_was_approved(width: int) -> None:
    """Names share the width, percentiles leave first."""
    assert rendered(grouped(), width) == (GOLDEN / f"by_day_model_{width}.txt").read_text()


def grouped() -> Report:
    """Return a report by day and model, with percentiles and a hidden rest."""
    day = [f"2026-11-{n:02}" for n in range(1, 21)]
    models = ("gpt-4o-mini", "anthropic/claude-sonnet-4-5-20250929", None)
    percentiles = (0.5, 2.25, 13.75)
    keys = [(date, model) for date in day for model in models]
    groups = [Row(key, figures(1_000, 10**6, 5_000, 3.5, percentiles=percentiles)) for key in keys]
    totals = figures(60_000, 6 * 10**7, 300_000, 210, percentiles=percentiles)
    return table(("day", "model"), *groups, totals=totals, percentiles=True)


COUNTS = st.integers(0, 10**15)
GROUPS = st.builds(
    figures,
    st.integers(1, 10**9),
    COUNTS,
    COUNTS,
    st.floats(0, 10**6),
    seconds=st.floats(0, 10**4),
    unpriced=st.sampled_from([0, 1]),
    cache_hits=st.integers(0, 10**7),
)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.text(max_size=60), GROUPS), min_size=1, max_size=3), st.integers(60, 200)
)
def test_no_figure_is_ever_cut(groups: list[tuple[str, Figures]], width: int) -> None:
    """At every width each figure of a column that stayed is there whole, and the cost stays."""
    report = table(("user",), *(Row((name,), group) for name, group in groups))
    cells = cells_of(report, table_blocks(report, Order(), NOW.date()))
    head, *lines = rendered(report, width).split("\n\n")[1].splitlines()
    columns = [column for column in cells.columns if column.header in re.split(r"\s{2,}", head)]
    assert "cost" in {column.name for column in columns}
    for line, row in zip(lines, report.rows, strict=True):
        shown = re.split(r"\s{2,}|(?<=\")\s", line)[-len(columns) :]
        assert shown == [cells.text(column, row.figures) for column in columns]


def test_lines_keep_to_the_width() -> None:
    """From 60 columns on nothing is wider than the terminal."""
    for width in range(60, 201, 7):
        assert max(map(cell_len, rendered(overview(), width).splitlines())) <= width


def test_a_pipe_gets_neither_colour_nor_rules() -> None:
    """A terminal gets both."""
    assert not re.search(r"[\x1b─]", rendered(overview()))
    assert "─" in rendered(overview(), terminal=True)


def test_no_color_keeps_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR takes the colours and nothing else."""
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = rendered(overview(), terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = rendered(overview(), terminal=True)
    assert re.search(r"\x1b\[[0-9;]*3[16]m", coloured)
    assert not re.search(r"\x1b\[[0-9;]*3[16]m", plain)
    assert "─" in plain


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_names_are_inert(terminal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """No control character of a name reaches the terminal, and its markup is text."""
    report = table(("user", f"tag.{HOSTILE}"), Row((HOSTILE, HOSTILE), figures(1)))
    text = re.sub(r"\x1b\[[0-9;]*m", "", rendered(report, 200, terminal=terminal))
    assert text.replace("\n", "").isprintable()
    assert "\\x1b[31m[red]\\u202egnp\\n\\x9b2J\\x07|<b>" in text


def test_what_is_unpriced_stays_visible() -> None:
    """A sum that lacks prices says so where it stands."""
    text = rendered(overview())
    assert "≥ $0.1488 (31 calls unpriced)" in text
    assert "≥ 0.0652" in text


def test_where_nothing_is_priced_there_is_no_share() -> None:
    """Unknown is a dash, never 0."""
    report = table(("model",), Row(("own",), figures(5, 10, 10, unpriced=5)))
    line = next(line for line in rendered(report).splitlines() if line.startswith("own"))
    assert re.split(r"\s{2,}", line)[-4:-2] == ["—", "—"]
    assert "cost unknown (5 calls unpriced)" in rendered(report)


def test_an_empty_period_names_the_newest_day() -> None:
    """The hint works when it is typed."""
    text = rendered(empty())
    assert "No calls in this period." in text
    assert "  tokenusage report --since 2024-12-26\n" in text


def test_filters_that_leave_nothing_are_named_as_the_cause() -> None:
    """Another period would not help there."""
    assert "The filters leave out all of its 12 records." in rendered(
        empty(ledger=Ledger(filtered=12))
    )


def test_a_directory_without_files_hints_at_samples() -> None:
    """There is no newest day to name."""
    assert "tokenusage demo" in rendered(empty(newest_day=None))


def test_rejected_lines_can_be_found() -> None:
    """File and line stand under the table, and how many more there are."""
    text = rendered(overview())
    assert "rejected: token_usage_2026-11-20.jsonl:12: is not JSON\n" in text
    assert "rejected: 1 more\n" in text
