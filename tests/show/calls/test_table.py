import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reports import HOSTILE, NOW
from rich.cells import cell_len

from tokenusage.analyse.calls import Call, Calls
from tokenusage.analyse.page import Page
from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Query
from tokenusage.read.ledger import Ledger, Rejection
from tokenusage.show.calls.markdown import render_markdown
from tokenusage.show.calls.table import render_table

GOLDEN = Path(__file__).parent / "golden"
TIME = 1_795_262_400_000_000  # 2026-11-21 12:00 UTC


def call(number: int = 0, **fields: Any) -> Call:
    """Return a call, each one an hour before the last one."""
    base: dict[str, Any] = {
        "time": TIME - number * 3_600_000_000,
        "user": "123",
        "operation": "rag_answer",
        "model": "gpt-4o-mini",
        "prompt_tokens": 1250,
        "completion_tokens": 150,
        "total_tokens": 1400,
        "cost": 0.000285,
        "response_time": 2.34,
        "success": True,
        "error_message": None,
        "usage_source": "provider",
        "query": "What is the meaning of life?",
        "id": f"{number:024x}",
    }
    return Call(**base | fields)


MIXED = (
    call(0),
    call(1, user="eval@example.com", model="anthropic/claude-sonnet-4-5-20250929", cost=0.0312),
    call(
        2,
        success=False,
        error_message="RateLimitError: Error code: 429 - try again in 2 seconds",
        prompt_tokens=0,
        completion_tokens=0,
        total_tokens=0,
        cost=0.0,
    ),
    call(3, operation="batch_embedding", cost=None, usage_source="estimated", query=None),
    call(4, user=None, response_time=None, usage_source="partial", prompt_tokens=1_234_567),
)


def calls(*rows: Call, **settings_: Any) -> Calls:
    """Return a page of calls, by default the second of many."""
    base: dict[str, Any] = {
        "query": Query(make_period(now=NOW)),
        "logs": "logs",
        "page": Page(number=2, limit=5),
        "rows": rows,
        "calls": 1232,
        "is_exact": True,
        "cache_hits": 20,
        "unpriced": 1,
        "ledger": Ledger(
            files=7,
            records=1252,
            rejected=1,
            rejections=[Rejection("token_usage_2026-11-20.jsonl", 12, "is not JSON")],
        ),
        "newest_day": date(2026, 11, 21),
    }
    return Calls(**base | settings_)


def rendered(page: Calls, width: int = 100, *, terminal: bool = False) -> str:
    return render_table(page, width=width, terminal=terminal, command="tokenusage calls")


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_page_looks_as_it_was_approved(width: int) -> None:
    """The whole page, as text, at each width."""
    assert rendered(calls(*MIXED), width) == (GOLDEN / f"calls_{width}.txt").read_text()


def test_markdown_looks_as_it_was_approved() -> None:
    """Every column, nothing shortened."""
    text = render_markdown(calls(*MIXED), command="tokenusage calls")
    assert text == (GOLDEN / "calls.md").read_text()


TEXTS = st.text(max_size=40)
ROWS = st.builds(
    call,
    user=st.none() | TEXTS,
    operation=TEXTS,
    model=TEXTS,
    query=st.none() | TEXTS,
    cost=st.none() | st.floats(0, 99),
    total_tokens=st.integers(0, 10**12),
    success=st.booleans(),
    error_message=st.none() | TEXTS,
)


@settings(max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(60, 200))
def test_no_line_is_wider_than_the_terminal(rows: list[Call], width: int) -> None:
    """Whatever users wrote, and every cost is there whole."""
    text = rendered(calls(*rows), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    assert re.search("Cost \\$ .*STATUS", text)


def test_failure_and_missing_price_stand_out() -> None:
    """In red on a terminal, and in words without it."""
    text = rendered(calls(*MIXED), 120, terminal=True)
    assert re.search(r"\x1b\[31mfailed", text)
    assert re.search(r"\x1b\[31m *—", text)
    assert "failed" in rendered(calls(*MIXED), 60)


def test_a_wide_terminal_shows_why_a_call_failed() -> None:
    """The beginning of the error stands behind the status."""
    assert "failed: RateLimitErr" in rendered(calls(*MIXED), 200)


@pytest.mark.parametrize("width", [60, 80, 100, 120, 140])
def test_where_all_failed_the_reason_stays(width: int) -> None:
    """Token columns leave for it, names shrink, and its beginning says the most."""
    failed = MIXED[2]
    long = call(3, success=False, error_message="Timeout: x", model="anthropic/claude-sonnet-4-5")
    assert "failed: Rat" in rendered(calls(failed, long), width)


def test_names_shrink_before_the_query_has_no_place() -> None:
    """And the year, which the period tells."""
    text = rendered(calls(call(model="anthropic/claude-sonnet-4-5", user="a" * 20)), 120)
    assert " QUERY\n" in text
    assert "\n11-21 12:00:00  " in text


def test_a_dear_call_leaves_the_cheap_ones_their_decimals() -> None:
    """They are read one by one, not added up."""
    text = rendered(calls(call(cost=1e6), call(1, cost=0.000285)))
    assert "1,000,000.000000" in text
    assert "0.000285" in text


@pytest.mark.parametrize("terminal", [False, True])
def test_hostile_texts_are_inert(terminal: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """No control character of a record reaches the terminal."""
    hostile = call(user=HOSTILE, model=HOSTILE, query=HOSTILE, success=False, error_message=HOSTILE)
    text = re.sub(r"\x1b\[[0-9;]*m", "", rendered(calls(hostile), 200, terminal=terminal))
    assert text.replace("\n", "").isprintable()
    assert render_markdown(calls(hostile), command="x").replace("\n", "").isprintable()


def test_estimates_are_said_to_be_such() -> None:
    """With two digits, which is what may be trusted."""
    text = rendered(calls(*MIXED, calls=466_729, is_exact=False))
    assert "about 470,000 calls · page 2 of about 93,000 · newest first" in text
    assert "read from the end · 7 files" in text


def test_a_page_beyond_the_end_says_which_is_the_last() -> None:
    """An answer like any other."""
    assert "There is no page 2: the last one is 1." in rendered(calls(calls=3))


def test_an_empty_period_names_the_newest_day() -> None:
    """The hint works when it is typed."""
    text = rendered(calls(calls=0, cache_hits=0))
    assert "No calls in this period." in text
    assert "  tokenusage calls --since 2026-11-21\n" in text


def test_the_year_is_there_unless_the_period_tells_it() -> None:
    """A narrow terminal saves it where all calls are of one year."""
    everything = Query(make_period(now=NOW, everything=True))
    assert "\n2026-11-21 12:00:00  " in rendered(calls(call(), query=everything), 60)
    assert "\n11-21 12:00:00  " in rendered(calls(call()), 60)


def test_times_are_those_of_the_zone() -> None:
    """The zone stands in the caption."""
    query = Query(make_period(now=NOW, tz="Asia/Tokyo"))
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(hours=9)
    assert f"{noon:%m-%d %H:%M:%S}  123" in rendered(calls(call(), query=query))
