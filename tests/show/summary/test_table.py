import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keeping import turn
from reports import HOSTILE
from rich.cells import cell_len
from summaries import NOW, at, shop, summary_of, write

from tokenusage.analyse.summary.page import Summary
from tokenusage.show.summary.sections import by_period, duration_text, of_all_time
from tokenusage.show.summary.table import render_table

GOLDEN = Path(__file__).parent / "golden"
MINUTE = timedelta(minutes=1)


def rendered(summary: Summary, width: int = 100, *, terminal: bool = False) -> str:
    """Return a summary as a page, of a directory that is called logs."""
    summary = replace(summary, logs="logs")
    return render_table(summary, width=width, terminal=terminal, command="tokenusage report")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_the_page_looks_as_it_was_approved(tmp_path: Path, width: int) -> None:
    """The whole page, as text, at each width."""
    text = rendered(summary_of(shop(tmp_path / "logs")), width)
    assert text == (GOLDEN / f"shop_{width}.txt").read_text()


@pytest.mark.parametrize("width", range(60, 201, 10))
def test_no_figure_is_cut(tmp_path: Path, width: int) -> None:
    """Lines keep to the width, and every figure in them is one that a section has."""
    summary = summary_of(shop(tmp_path / "logs"))
    text = rendered(summary, width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert "…" not in text
    for section in (*by_period(summary), *of_all_time(summary)):
        for label, figures in section.rows:
            cost = figures.get("cost") or figures.get("items")
            if cost:
                assert re.search(f"^{label}  .*{cost}(  |$)", text, re.MULTILINE)


def test_a_terminal_gets_rules_and_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets neither; what grows is marked by its arrow too."""
    monkeypatch.setenv("TERM", "xterm-256color")
    summary = summary_of(shop(tmp_path / "logs"))
    assert not re.search(r"[\x1b─]", rendered(summary))
    assert re.search(r"\x1b\[31m *▲ 100\.0%", rendered(summary, 120, terminal=True))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = rendered(summary, 120, terminal=True)
    assert not re.search(r"\x1b\[[0-9;]*3[1-6]m", plain)
    assert "▲ 100.0%" in plain


def test_hostile_names_are_inert(tmp_path: Path) -> None:
    """No control character of an operation or a tag reaches the terminal."""
    call = at(MINUTE, operation_type=HOSTILE.replace("\ud800", ""), tags={"a\x1b": 1})
    text = rendered(summary_of(write(tmp_path / "logs", call), means=("tag.a\x1b",)), 200)
    assert text.replace("\n", "").isprintable()
    assert "Mean a\\x1b" in text
    assert "=1+1 \\x1b[31m[red]" in text


def test_sections_with_nothing_to_say_are_left_out(tmp_path: Path) -> None:
    """No sessions, no items, no hits: no words about them."""
    text = rendered(summary_of(write(tmp_path / "logs", at(MINUTE))))
    assert not re.search("WORK|Items|CACHE|Unpriced|Cached", text)
    assert "TOKENS  90.9% input · 9.1% output\n" in text


def test_a_change_of_what_is_unpriced_is_about_right(tmp_path: Path) -> None:
    """It compares what is known."""
    calls = [at(n * MINUTE) for n in (1, 2, 70)] + [at(MINUTE, cost_estimate=None)]
    text = rendered(summary_of(write(tmp_path / "logs", *calls)), 120)
    assert re.search(r"^last hour .* ▲ 200\.0%  ▲ ≈100\.0%$", text, re.MULTILINE)


def test_days_of_sums_are_said_with_what_they_lack(tmp_path: Path) -> None:
    """Which figures are without them, and which periods."""
    logs = write(tmp_path / "logs", at(timedelta(days=31)), at(timedelta(hours=10)))
    turn(logs, now=NOW, keep_days=7, force=True)
    text = rendered(summary_of(logs, now=NOW))
    assert "from summaries, as UTC days: 2026-10-22\n" in text
    text = " ".join(text.split())
    lacking = "percentiles, sessions, tasks, tokens and prices of items and kinds of cache hits"
    assert f"not in {lacking}: 2026-10-22 " in text
    compared = "this month is compared with last month up to the end of 2026-10-22: "
    assert f"{compared}only a summary is left of that day" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.01, "<0.1 s"),
        (59.4, "59 s"),
        (59.9, "1 min"),
        (3_599, "1 h 00 min"),
        (13_320, "3 h 42 min"),
        (172_800, "2 d 00 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    """The two largest ones."""
    assert duration_text(seconds) == text


@given(st.floats(0, 10**9))
def test_a_duration_never_overflows_its_unit(seconds: float) -> None:
    """There are no 60 seconds, no 60 minutes and no 24 hours."""
    assert not re.search(r"\b60 (s|min)|\b24 h\Z", duration_text(seconds))
