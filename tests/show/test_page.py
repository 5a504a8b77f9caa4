import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reports import NOW, figures, rows, table
from summaries import at, summary_of, write

from tokenusage.analyse.calls import Call, Calls
from tokenusage.analyse.compare import compare
from tokenusage.analyse.page import Page
from tokenusage.analyse.period import compared_period, make_period
from tokenusage.analyse.query import Query
from tokenusage.analyse.ranking import MEASURES, RANKED, rank
from tokenusage.analyse.report import Figures, Row
from tokenusage.read.ledger import Ledger
from tokenusage.show.calls.table import render_table as render_calls
from tokenusage.show.columns import find_column
from tokenusage.show.page import hint, page
from tokenusage.show.ranking import render_table as render_ranking
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.chart import Drawing, render_chart
from tokenusage.show.report.comparison import render_comparison
from tokenusage.show.report.table import render_table as render_report
from tokenusage.show.summary.table import render_table as render_summary

COMMAND = "tokenusage report"
COST = find_column("cost", percentiles=False)
WIDEST = 2000

Render = Callable[[int, bool], str]
"""Renders a page at a width, for a terminal or not."""

COUNTS = st.integers(0, 10**15)
FIGURES = st.builds(
    figures,
    st.integers(1, 10**12),
    COUNTS,
    COUNTS,
    st.floats(0, 10**9),
    failed=st.integers(0, 1),
    seconds=st.floats(0, 10**6),
    unpriced=st.integers(0, 1),
    cache_hits=st.integers(0, 10**12),
)


def cells(text: str) -> set[str]:
    """Return what stands in the cells of the tables of a page, bars and rules left out."""
    plain = re.sub(r"\x1b\[[0-9;]*m|[─█▏▎▍▌▋▊▉]", "", text)
    lines = [line for line in plain.splitlines() if "  " in line]
    return {cell for line in lines for cell in re.split(" {2,}| · ", line.strip())}


def assert_whole(render: Render, width: int) -> None:
    """Compare a page with the one that has room for everything."""
    for terminal in (False, True):
        whole, text = cells(render(WIDEST, terminal)), render(width, terminal)
        assert cells(text) <= whole
        assert "…" not in text


def tables_of(groups: list[Figures], measure: str) -> list[Render]:
    """Return every page of a report that has a table."""
    days = table(("day",), *rows(*zip(["2026-11-18", "2026-11-19"], groups, strict=False)))
    models = table(("model",), *rows(*zip("abc", groups, strict=False)))
    before = table(("model",), *rows(*zip("cba", groups, strict=False)))
    earlier = replace(before.query, period=compared_period("previous", before.query.period, NOW))
    comparison = compare(models, replace(before, query=earlier), NOW)
    people = [Row((name, "e@x"), group) for name, group in zip("abc", groups, strict=False)]
    ranking = rank(table(RANKED["users"], *people), "users", measure, 2)
    return [
        lambda width, terminal: render_report(
            models, Order(), width=width, terminal=terminal, today=NOW.date(), command=COMMAND
        ),
        lambda width, terminal: render_ranking(
            ranking, width=width, terminal=terminal, blocks=True, command=COMMAND
        ),
        lambda width, terminal: render_comparison(
            comparison, Order(), width=width, terminal=terminal, now=NOW, command=COMMAND
        ),
        lambda width, terminal: render_chart(
            days, Drawing(COST), width=width, terminal=terminal, now=NOW
        ),
    ]


LARGE = figures(10**12, 10**15, 10**15, 10.0**9, failed=10**11, unpriced=1, seconds=10.0**6)


@example(groups=[LARGE], width=40, measure="tokens")
@settings(max_examples=40, deadline=None)
@given(st.lists(FIGURES, min_size=1, max_size=3), st.integers(40, 200), st.sampled_from(MEASURES))
def test_no_figure_of_a_table_is_cut(groups: list[Figures], width: int, measure: str) -> None:
    """A table that is wider than the terminal can be read, a number that is cut can't."""
    for render in tables_of(groups, measure):
        assert_whole(render, width)


CALLS = st.builds(
    Call,
    time=st.integers(0, 2**48),
    user=st.just("ann"),
    operation=st.just("rag"),
    model=st.just("gpt"),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    total_tokens=COUNTS,
    cost=st.none() | st.floats(0, 10**6),
    response_time=st.none() | st.floats(0, 10**6),
    success=st.just(value=True),
    error_message=st.none(),
    usage_source=st.just("provider"),
    query=st.none(),
    id=st.none(),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(CALLS, min_size=1, max_size=3), st.integers(40, 200))
def test_no_figure_of_a_call_is_cut(found: list[Call], width: int) -> None:
    """Nor is one of a single call."""
    query = Query(make_period(now=NOW, everything=True))
    listed = Calls(
        query, "logs", Page(), tuple(found), len(found), is_exact=True,
        cache_hits=0, unpriced=0, ledger=Ledger(), newest_day=None,
    )  # fmt: skip

    def render(width: int, terminal: bool) -> str:  # noqa: FBT001 - as a `Render` is
        return render_calls(listed, width=width, terminal=terminal, command=COMMAND)

    assert_whole(render, width)


@pytest.mark.parametrize("width", range(40, 201, 16))
def test_no_figure_of_a_summary_is_cut(tmp_path: Path, width: int) -> None:
    """However large: every section is there, of calls that cost millions."""
    dear = {"cost_estimate": 10**6, "total_tokens": 10**12, "prompt_tokens": 10**12}
    more = {"session_id": "s", "task_id": "t", "batch_id": "b", "items": 7}
    ago = timedelta(minutes=1)
    calls = [at(n * ago, operation_type="rag", **dear, **more) for n in range(1, 9)]
    calls += [at(ago, operation_type="rag", cost_estimate=None, **more)]
    summary = summary_of(write(tmp_path / "logs", *calls))

    def render(width: int, terminal: bool) -> str:  # noqa: FBT001 - as a `Render` is
        return render_summary(summary, width=width, terminal=terminal, command=COMMAND)

    assert_whole(render, width)


def test_a_hint_is_whole() -> None:
    """It is there to be copied."""
    command = f"tokenusage report --logs {'x' * 90}"
    assert f"{command}\n" in page([hint(["No calls.", command])], 60, terminal=False)
