import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import HOSTILE, empty, figures, table
from rich.cells import cell_len

from tokenusage.analyse.ranking import MEASURES, RANKED, Ranking, rank
from tokenusage.analyse.report import Figures, Row
from tokenusage.show.ranking import render_csv, render_markdown, render_table

GOLDEN = Path(__file__).parent / "golden"


def ranking(*groups: tuple[str, str | None, Figures], by: str = "cost", limit: int = 10) -> Ranking:
    """Return a ranking of users."""
    rows = (Row((user, email), group) for user, email, group in groups)
    return rank(table(RANKED["users"], *rows), "users", by, limit)


def people(by: str = "cost") -> Ranking:
    """Return four of five users, with failures, unpriced calls and one without an e-mail."""
    return ranking(
        ("101", "ana@example.com", figures(1060, 126_555, 15_105, 12.5, failed=12)),
        ("nightly-indexer@batch.eu-west-1.example.com", None, figures(16, 25 * 10**7, 0, 4.25)),
        ("102", "ben@example.com", figures(67, 90_333, 10_776, 0.59, unpriced=2, seconds=2.5)),
        ("103", "chloe@example.com", figures(38, 35_460, 3_976, unpriced=38)),
        ("104", "dan@example.com", figures(2, 460, 76, 0.0001)),
        by=by,
        limit=4,
    )  # fmt: skip


def rendered(
    ranking: Ranking, width: int = 100, *, terminal: bool = False, blocks: bool = True
) -> str:
    """Return a ranking as a table."""
    return render_table(
        ranking, width=width, terminal=terminal, blocks=blocks, command="tokenusage top users"
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_ranking_looks_as_it_was_approved(width: int) -> None:
    """The whole page, as text, at each width."""
    assert rendered(people(), width) == (GOLDEN / f"top_users_{width}.txt").read_text()


COUNTS = st.integers(0, 10**15)
GROUPS = st.builds(
    figures,
    st.integers(1, 10**9),
    COUNTS,
    COUNTS,
    st.floats(0, 10**6),
    seconds=st.floats(0, 10**4),
    unpriced=st.sampled_from([0, 1]),
)


@settings(max_examples=60)
@given(st.lists(GROUPS, min_size=1, max_size=4), st.integers(60, 200), st.sampled_from(MEASURES))
def test_no_figure_is_cut_and_what_is_ranked_by_stays(
    groups: list[Figures], width: int, by: str
) -> None:
    """At every width the cost and the figure that decides are there, and every figure whole."""
    wide, narrow = (
        rendered(ranking(*((f"u{n}", None, g) for n, g in enumerate(groups)), by=by), size)
        for size in (400, width)
    )
    header = {"tokens": "Total", "calls": "Calls", "failures": "Failed", "response_time": "Avg s"}
    head = narrow.split("\n\n")[1].splitlines()[0]
    assert "Cost $" in head
    assert header.get(by, "") in head
    # A bar is as long as there is room; a figure is the same at every width.
    numbers = r"[≥><]? ?[\d,.]*\d%?|—"
    for line in narrow.split("\n\n")[1].splitlines()[1:]:
        user = line.split()[1]
        (whole,) = re.findall(rf"^\d+ +{user} .*", wide, re.MULTILINE)
        assert set(re.findall(numbers, line)) <= set(re.findall(numbers, whole))


def test_lines_keep_to_the_width() -> None:
    """From 60 columns on nothing is wider than the terminal."""
    for width in range(60, 201, 7):
        assert max(map(cell_len, rendered(people(), width).splitlines())) <= width


def test_a_pipe_gets_neither_colour_nor_rules() -> None:
    """A terminal gets both; failures are red there."""
    assert not re.search(r"[\x1b─]", rendered(people()))
    assert "─" in rendered(people(), terminal=True)


def test_emails_stand_there_only_where_there_are_some() -> None:
    """A column of dashes, or of the user's own name again, says nothing."""
    assert "EMAIL" in rendered(people())
    assert "EMAIL" not in rendered(ranking(("a@x", "a@x", figures(1)), ("b", None, figures(1))))


def test_the_header_says_what_shares_are_of() -> None:
    """Of the time, where the average response time decides."""
    assert "% of time" in rendered(people("response_time"), 120)
    assert "Top users by average response time" in rendered(people("response_time"))
    assert "% of failed" in rendered(people("failures"), 120)


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_names_are_inert(terminal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """No control character of a name reaches the terminal or the page."""
    hostile = ranking((HOSTILE, HOSTILE, figures(1)))
    text = re.sub(r"\x1b\[[0-9;]*m", "", rendered(hostile, 200, terminal=terminal))
    assert text.replace("\n", "").isprintable()
    page = render_markdown(hostile, command="tokenusage top users")
    assert page.replace("\n", "").isprintable()
    assert "\\|\\<b\\>" in page
    assert render_csv(hostile).splitlines()[1].startswith("1,'=1+1 \\x1b[31m[red]")


def test_an_empty_answer_says_what_to_type() -> None:
    """In the table and on the page."""
    nothing = rank(empty(), "users", "cost", 10)
    hint = "tokenusage top users --since 2024-12-26"
    assert f"  {hint}\n" in rendered(nothing)
    assert f"    {hint}\n" in render_markdown(nothing, command="tokenusage top users")
