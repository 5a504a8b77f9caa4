import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import HOSTILE, NOW, figures, rows, table
from rich.cells import cell_len

from tokenusage.analyse.report import Report, Row
from tokenusage.show.columns import find_column
from tokenusage.show.report.chart import (
    FILLS,
    PLAIN_FILLS,
    Drawing,
    divided,
    measured,
    render_chart,
    render_chart_markdown,
)

GOLDEN = Path(__file__).parent / "golden"
COST = find_column("cost", percentiles=False)
MODELS = ("gpt-4o-mini", "anthropic/claude-sonnet-4-5-20250929", "own", "b", "c", "d", "e", "f")


def by_day() -> Report:
    """Return a week with a day without calls, one without a price and one that is tiny."""
    return table(
        ("day",),
        *rows(
            ("2026-11-16", figures(1_200, 2_400_000, 90_000, 12.4)),
            ("2026-11-17", figures(800, 900_000, 40_000, 6.2, unpriced=31)),
            ("2026-11-19", figures(3, 900, 40, 0.0001)),
            ("2026-11-20", figures(9, 900, 40, unpriced=9)),
            ("2026-11-21", figures(1_000, 900_000, 40_000, 9.3)),
        ),
    )


def by_model() -> Report:
    """Return days with calls of eight models, the first of them the dearest."""
    groups = [
        Row((f"2026-11-{day}", model), figures(10 * n, 1_000 * n, 10, n * day / 40))
        for day in (17, 18, 21)
        for n, model in enumerate(reversed(MODELS), 1)
    ]
    return table(("day", "model"), *groups)


def rendered(report: Report, width: int, *, terminal: bool = False, blocks: bool = True) -> str:
    """Return a chart of the cost at noon of 2026-11-22."""
    drawing = Drawing(COST, blocks)
    return render_chart(report, drawing, width=width, terminal=terminal, now=NOW)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_chart_looks_as_it_was_approved(width: int) -> None:
    """The whole page, as text, at each width."""
    assert rendered(by_day(), width) == (GOLDEN / f"chart_{width}.txt").read_text()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_stacked_chart_looks_as_it_was_approved(width: int) -> None:
    """With a legend, and the smallest models together."""
    assert rendered(by_model(), width) == (GOLDEN / f"stacked_{width}.txt").read_text()


def test_bars_are_as_long_as_their_figures() -> None:
    """Half the cost is half the bar, a little is the thinnest mark, and nothing is none."""
    bars = {line[:10]: line.count("█") for line in rendered(by_day(), 90).splitlines()}
    assert abs(bars["2026-11-16"] - 2 * bars["2026-11-17"]) <= 1
    lines = rendered(by_day(), 90).splitlines()
    assert [line[-1] for line in lines if line.startswith("2026-11-19")] == ["▏"]
    assert [line.split() for line in lines if line.startswith("2026-11-18")] == [
        ["2026-11-18", "0"]
    ]


def test_lines_keep_to_the_width() -> None:
    """From 60 columns on nothing is wider than the terminal, whatever a letter's width."""
    wide = [Row(("2026-11-21", f"模型{n}" * 4), figures(1, dollars=1)) for n in range(6)]
    for report in (by_day(), by_model(), table(("day", "model"), *wide)):
        for width in range(60, 201, 7):
            text = rendered(report, width)
            assert max(map(cell_len, text.splitlines())) <= width


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=7).filter(any), st.integers(1, 200))
def test_segments_fill_the_bar_and_each_is_seen_where_there_is_room(
    parts: list[int], length: int
) -> None:
    """What is nothing has no segment, and what is larger has no shorter one."""
    cells = divided(parts, length)
    assert sum(cells) == length
    assert all(part or not cell for part, cell in zip(parts, cells, strict=True))
    if length >= sum(map(bool, parts)):
        assert all(cell or not part for part, cell in zip(parts, cells, strict=True))
    in_order = [cell for _, cell in sorted(zip(parts, cells, strict=True))]
    assert in_order == sorted(in_order)


def test_series_are_told_apart_without_colour() -> None:
    """Every entry of the legend has a fill of its own that the bars have too."""
    text = rendered(by_model(), 120)
    assert all(text.count(fill) >= 2 for fill in FILLS)
    assert len(set(FILLS)) == len(set(PLAIN_FILLS)) == len(FILLS) == len(PLAIN_FILLS)
    plain = rendered(by_model(), 120, blocks=False)
    assert not set(plain) & set("█▒░")
    assert all(fill in plain for fill in PLAIN_FILLS)


def test_a_pipe_gets_neither_colour_nor_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets both, and NO_COLOR takes the one."""
    monkeypatch.setenv("TERM", "xterm-256color")
    assert not re.search(r"[\x1b─]", rendered(by_model(), 100))
    assert "\x1b[36m█" in rendered(by_model(), 100, terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = rendered(by_model(), 100, terminal=True)
    assert "─" in plain
    assert "36m" not in plain


def test_without_a_known_cost_the_calls_are_drawn() -> None:
    """What was asked for comes first."""
    unpriced = figures(3, unpriced=3)
    assert measured(None, unpriced).name == "calls"
    assert measured(None, figures(3, dollars=1)).name == "cost"
    assert measured(COST, unpriced) is COST


def test_the_last_bars_are_shown_and_the_others_counted() -> None:
    """Those before have their figures in a line, so that the column adds up."""
    text = render_chart(
        by_day(), Drawing(COST, limit=2), width=80, terminal=False, now=NOW
    ).splitlines()
    assert [line.split()[:3] for line in text[5:8]] == [
        ["5", "earlier", "2,012"], ["2026-11-21", "1,000", "940,000"], ["2026-11-22", "0"],
    ]  # fmt: skip


def test_hostile_names_are_inert() -> None:
    """In the legend of a page and in the block of code of a document."""
    report = table(("day", "user"), Row(("2026-11-21", f"```{HOSTILE}"), figures(1, dollars=1)))
    assert rendered(report, 200).replace("\n", "").isprintable()
    document = render_chart_markdown(report, Drawing(COST), width=100, now=NOW)
    assert document.replace("\n", "").isprintable()
    assert document.count("\n```") == 2
