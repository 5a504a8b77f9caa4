from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from reports import HOSTILE, figures
from rich.cells import cell_len

from tokenusage.analyse.query import Filters, Period, Query
from tokenusage.analyse.report import Figures, Row
from tokenusage.analyse.window import Bucket, Groups, LastCall, Look
from tokenusage.read.ledger import Ledger, Rejection
from tokenusage.show.live import Screen, render_heading, render_line, render_screen

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
START = datetime(2026, 11, 22, 11, tzinfo=UTC)
QUERY = Query(Period(START, NOW, ZoneInfo("UTC"), "UTC", "window"), Filters(model=("gpt*",)))


def micro(moment: datetime) -> int:
    return round(moment.timestamp() * 10**6)


def call(
    seconds: int, user: str | None = "101", model: str = "gpt-4o-mini", **fields: bool
) -> LastCall:
    cost = None if model == "own" else 285_000_000
    time = micro(NOW - timedelta(seconds=seconds))
    failed, hit = fields.get("failed", False), fields.get("hit", False)
    return LastCall(time, user, "rag_answer", model, 1_400, cost, 2_340_000, failed, hit)


def look() -> Look:
    """An hour with failures, an unpriced model, and more users than fit."""
    mini = figures(1_201, 781_000, 64_200, 0.1488, failed=10, seconds=0.97, cache_hits=5)
    own = figures(31, 9_000, 200, unpriced=31)
    users = tuple(
        Row((f"{n}@example.com",), figures(100 - n, 1_000, 10, 0.001 * (50 - n))) for n in range(50)
    )
    last = (call(1), call(2, None, "own"), call(3, HOSTILE, failed=True), call(9, hit=True))
    return Look(
        now=NOW,
        course=tuple(
            Bucket(micro(START) + n * 60_000_000, figures(n, n, 0, 0.001 * (n % 7)))
            for n in range(61)
        ),
        totals=mini.plus(own),
        minute=figures(21, 12_400, 900, 0.0021, failed=1),
        new=figures(2, 100, 10, 0.0002, unpriced=1),
        users=64,
        groups={
            "model": Groups((Row(("gpt-4o-mini",), mini), Row(("own",), own)), 0, Figures()),
            "user": Groups(users, 14, figures(300, 5, 5, 0.01)),
            "operation": Groups((Row((HOSTILE,), mini),), 0, Figures()),
        },
        last=last,
        ledger=Ledger(
            files=2,
            records=1_237,
            rejected=1,
            rejections=[Rejection("token_usage_2026-11-22.jsonl", 12, "is not JSON")],
        ),
    )


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_screen_is_as_it_was_looked_at(width: int) -> None:
    """Rendered anew it is the text that somebody has approved."""
    screen = Screen(width, 32, "model", terminal=False)
    text = render_screen(look(), QUERY, "logs", screen) + "\n"
    assert text == (GOLDEN / f"watch-{width}.txt").read_text()


@pytest.mark.parametrize("by", ["user", "operation", "model", "from"])
@pytest.mark.parametrize("height", [5, 12, 24, 50])
@pytest.mark.parametrize("width", [60, 100])
def test_screen_is_never_higher_or_wider_than_the_terminal(
    by: str, height: int, width: int
) -> None:
    """The keys are on it always; what users wrote is inert."""
    shown = render_screen(look(), QUERY, "logs", Screen(width, height, by, terminal=False))
    lines = shown.split("\n")
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    assert "q quit" in lines[-1]
    assert shown.replace("\n", "").isprintable()


def test_rows_that_have_no_room_are_added_up() -> None:
    """So that the totals are those of the rows."""
    shown = render_screen(look(), QUERY, "logs", Screen(100, 30, "user", terminal=False))
    assert "0@example.com" in shown
    assert any(line.endswith("more") or " more " in line for line in shown.split("\n"))


def test_pause_is_said() -> None:
    """In words, beside its colour."""
    shown = render_screen(look(), QUERY, "logs", Screen(80, 24, "model", paused=True))
    assert "PAUSED, still reading" in shown.split("\n")[-1]


def test_window_without_calls_says_so() -> None:
    """And the keys are named all the same."""
    empty = [Bucket(micro(START), Figures()), Bucket(micro(START) + 1_000_000, Figures())]
    groups = dict.fromkeys(("user", "operation", "model"), Groups((), 0, Figures()))
    nothing = Look(NOW, tuple(empty), Figures(), Figures(), Figures(), 0, groups, (), Ledger())
    shown = render_screen(nothing, QUERY, "logs", Screen(80, 24, "model", terminal=False))
    assert "No calls in this window yet." in shown


def test_line_for_a_pipe_stands_under_its_heading() -> None:
    """The time in the zone asked for, and what came in."""
    line = render_line(look(), ZoneInfo("Europe/Berlin"))
    assert line.split() == [
        "2026-11-22",
        "13:00:05",
        "2",
        "0",
        "110",
        "≥",
        "0.0002",
        "21",
        "0.0021",
    ]
    assert len(line) == len(render_heading())
