import re
from dataclasses import replace
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
from tokenusage.show.live import Screen, render_screen
from tokenusage.show.live_lines import notes, render_heading, render_line

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
        more_users=False,
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
        unpriced=45,
        since=START - timedelta(days=1),
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


@pytest.mark.parametrize(("width", "said"), [(60, "[p PAUSED]"), (80, "PAUSED, still reading")])
def test_pause_is_said(width: int, said: str) -> None:
    """In words, beside its colour; the keys that still work are named."""
    shown = render_screen(
        look(), QUERY, "logs", Screen(width, 24, "model", paused=True, terminal=False)
    )
    footer = shown.split("\n")[-1]
    assert said in footer
    assert "[m model]" in footer
    assert footer.endswith("q quit")


def test_window_without_calls_says_so() -> None:
    """And the keys are named all the same."""
    empty = tuple(Bucket(micro(START) + n * 1_000_000, Figures()) for n in range(2))
    none = Figures()
    groups = dict.fromkeys(("user", "operation", "model"), Groups((), 0, none))
    nothing = replace(look(), course=empty, totals=none, groups=groups, last=())
    shown = render_screen(nothing, QUERY, "logs", Screen(80, 24, "model", terminal=False))
    assert "No calls in this window yet." in shown


def test_line_for_a_pipe_stands_under_its_heading() -> None:
    """The time in the zone asked for, and what came in; a caption says what it is of."""
    line = render_line(look(), ZoneInfo("Europe/Berlin"), 200)
    expected = "2026-11-22 13:00:05 2 0 110 ≥ 0.0002 21 0.0021"
    assert line.split() == expected.split()
    *caption, _, head = render_heading(look(), QUERY, "logs", 200).splitlines()
    assert "".join(caption) == (
        "Live usage · 2026-11-22 11:00:00 to 12:00:05 UTC · logs/ · model gpt*"
    )
    assert len(line) == len(head) + 1


@pytest.mark.parametrize(("width", "last"), [(60, "Cost $"), (80, "Calls/min"), (94, "$/min")])
def test_line_leaves_out_what_has_no_room(width: int, last: str) -> None:
    """The rates first, the cost never; large amounts stay in their column."""
    head = render_heading(look(), QUERY, "logs", width).splitlines()[-1]
    dear = replace(look(), new=figures(2, 10, 10, 3_000_000, unpriced=1))
    line = render_line(dear, ZoneInfo("UTC"), width)
    assert head.endswith(last)
    assert len(line) - 1 == len(head) <= width
    assert "  ≥ 3,000,000.00" in line


@pytest.mark.parametrize("height", [24, 50])
@pytest.mark.parametrize("shown", [3, 10, 30])
def test_rows_and_their_rest_are_all_groups(height: int, shown: int) -> None:
    """However many there are, and however high the terminal is."""
    all_rows = tuple(Row((f"m{n}",), figures(1, 1)) for n in range(shown))
    groups = {**look().groups, "model": Groups(all_rows, 20, figures(20, 20))}
    crowded = replace(look(), groups=groups, totals=figures(shown + 20, shown + 20))
    screen = render_screen(crowded, QUERY, "logs", Screen(80, height, "model", terminal=False))
    rest = re.search(r"(?m)^([0-9]+) more +([0-9]+)", screen)
    assert rest is not None
    rows = len(re.findall(r"(?m)^m[0-9]+ ", screen))
    assert int(rest[1]) == int(rest[2]) == shown + 20 - rows


def test_last_calls_take_the_room_that_groups_leave() -> None:
    """On a terminal of the usual height all of them."""
    many = replace(look(), last=tuple(call(n) for n in range(10)))
    screen = render_screen(many, QUERY, "logs", Screen(80, 30, "model", terminal=False))
    assert screen.count("rag_answer") == 10


def test_more_users_than_are_told_apart_are_at_least_so_many() -> None:
    """It is a lower bound, and says so."""
    crowded = replace(look(), users=10_001, more_users=True)
    assert "≥ 10,001 users" in render_screen(crowded, QUERY, "logs", Screen(100, 30, "model"))


def test_what_makes_lines_short_is_told_apart() -> None:
    """How much, and where to look; and that the logs had to be read anew."""
    assert notes(replace(look(), anew=True)) == [
        "read anew: the logs were changed, or the clock was set back",
        "1 rejected",
        "rejected: token_usage_2026-11-22.jsonl:12: is not JSON",
    ]
