from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from reports import NOW, figures, rows, table

from tokenusage.analyse.compare import Comparison, compare
from tokenusage.analyse.period import compared_period, make_period
from tokenusage.analyse.report import Report, Row
from tokenusage.errors import WrongUseError

LATER = datetime(2027, 1, 1, tzinfo=UTC)


def in_month(report: Report, month: str) -> Report:
    """Return a report as that of a month."""
    return replace(report, query=replace(report.query, period=make_period(now=NOW, month=month)))


def compared(by: tuple[str, ...], now: list[Row], before: list[Row]) -> Comparison:
    """Return a comparison of November with October."""
    one, other = table(by, *now), table(by, *before)
    return compare(in_month(one, "2026-11"), in_month(other, "2026-10"), LATER)


def test_rows_belong_together_by_their_keys() -> None:
    """What one period alone has stays, with nothing on the other side; dearest first."""
    one, other = figures(1, dollars=1), figures(2, dollars=2)
    result = compared(
        ("model",), [Row(("a",), one), Row((None,), other)], [Row(("a",), other), Row(("b",), one)]
    )
    assert [(pair.keys[0], pair.now, pair.before) for pair in result.rows] == [
        (None, other, None), ("a", one, other), ("b", None, one),
    ]  # fmt: skip


def test_times_are_paired_by_position() -> None:
    """The second day with the second day; the 31st has nothing to stand beside."""
    call = figures(1)
    result = compared(
        ("day",), [Row(("2026-11-02",), call)], [Row((f"2026-10-{d}",), call) for d in ("02", "31")]
    )
    assert [(pair.keys, pair.before_keys) for pair in result.rows] == [
        (("2026-11-02",), ("2026-10-02",)), ((None,), ("2026-10-31",)),
    ]  # fmt: skip
    assert result.rows[0].before == call


def test_a_time_and_a_name_are_paired_each_in_its_way() -> None:
    """Rows are in order of time, then the dearest first."""
    call = figures(1, dollars=1)
    now = [Row(("2026-11-03", "a"), call)]
    before = [Row(("2026-10-03", "a"), call), Row(("2026-10-01", "b"), call)]
    first, second = compared(("day", "model"), now, before).rows
    assert first.keys == ("2026-11-01", "b")
    assert first.now is None
    assert (second.keys, second.before_keys) == (("2026-11-03", "a"), ("2026-10-03", "a"))


def test_sides_are_the_rows_of_their_reports() -> None:
    """No row is lost and none invented: each side adds up to its totals."""
    now = [*rows(("a", figures(1, 5)), ("b", figures(2, 7)))]
    before = [*rows(("b", figures(3, 1)), ("c", figures(4, 2)))]
    result = compared(("user",), now, before)
    assert sum(pair.now.calls for pair in result.rows if pair.now) == 3
    assert sum(pair.before.prompt_tokens for pair in result.rows if pair.before) == 3
    assert result.totals.now == result.report.totals


@pytest.mark.parametrize(
    ("asked", "start", "label"),
    [
        ({"month": "2026-03"}, "2026-02-01", "2026-02"),
        ({"since": "2026-10-01", "until": "2026-10-31"}, "2026-09-01", "2026-09"),
        ({"days": 7}, "2026-11-09", "2026-11-09 to 2026-11-15"),
        ({"days": 1}, "2026-11-21", "2026-11-21"),
        ({"since": "2026-10-02", "until": "2026-10-03"}, "2026-09-30", "2026-09-30 to 2026-10-01"),
    ],
)
def test_previous_is_as_long_and_ends_where_the_period_begins(
    asked: dict[str, Any], start: str, label: str
) -> None:
    """Before a calendar month it is the whole month before, however long."""
    period = make_period(now=NOW, **asked)
    before = compared_period("previous", period, LATER)
    assert before.end == period.start
    assert before.start is not None
    assert (before.start.date().isoformat(), before.label) == (start, label)


@pytest.mark.parametrize(
    ("asked", "bounds", "label"),
    [
        (
            {"month": "2026-11"},
            ("2026-10-01", "2026-10-22"),
            "2026-10-01 to 2026-10-22 up to 12:00",
        ),
        ({"days": 7}, ("2026-11-09", "2026-11-15"), "2026-11-09 to 2026-11-15 up to 12:00"),
        ({"days": 1}, ("2026-11-21", "2026-11-21"), "2026-11-21 up to 12:00"),
    ],
)
def test_of_what_is_before_a_running_period_counts_as_much(
    asked: dict[str, Any], bounds: tuple[str, str], label: str
) -> None:
    """Up to the same day and time, so that a month that has begun has not shrunk."""
    before = compared_period("previous", make_period(now=NOW, **asked), NOW)
    assert before.start is not None
    assert before.start.date().isoformat() == bounds[0]
    assert before.end == datetime.fromisoformat(f"{bounds[1]}T12:00:00+00:00")
    assert before.label == label


def test_a_longer_month_than_the_one_before_is_held_against_all_of_it() -> None:
    """On its 31st day."""
    now = datetime(2026, 10, 31, 12, tzinfo=UTC)
    before = compared_period("previous", make_period(now=now, month="2026-10"), now)
    assert before.label == "2026-09"


def test_a_time_that_only_one_period_has_is_compared_with_nothing() -> None:
    """Nor one that has not come: it has not lost all of its calls."""
    call, days = figures(1), ("21", "22", "23", "31")
    one = in_month(table(("day",), Row(("2026-11-21",), call)), "2026-11")
    other = in_month(table(("day",), *(Row((f"2026-10-{d}",), call) for d in days)), "2026-10")
    result = compare(one, other, NOW)
    assert [pair.is_alone for pair in result.rows] == [False, False, True, True]


def test_hours_are_counted_in_hours() -> None:
    """Also over the night in which clocks change."""
    now = datetime(2027, 3, 28, 10, tzinfo=UTC)
    period = make_period(now=now, hours=24, tz="Europe/Berlin")
    before = compared_period("previous", period, now)
    assert before.label == "preceding 24 hours"
    assert before.start == datetime(2027, 3, 26, 10, tzinfo=UTC)


def test_dates_are_inclusive_and_of_the_same_zone() -> None:
    """A whole month gets its name."""
    period = make_period(now=NOW, days=7, tz="Europe/Berlin")
    before = compared_period("2026-10-01..2026-10-31", period, NOW)
    assert before.label == "2026-10"
    assert before.end == datetime(2026, 10, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("prevoius", "Did you mean previous"),
        ("2026-10-01", "takes previous, or dates"),
        ("2026-10-31..2026-10-01", "swap the dates"),
        ("2026-10-01..", "takes previous, or dates such as"),
        ("2026-10-01..October", "must be a date"),
    ],
)
def test_other_words_are_wrong_use(words: str, hint: str) -> None:
    """The sentence says what would be right."""
    with pytest.raises(WrongUseError, match=hint):
        compared_period(words, make_period(now=NOW), NOW)


def test_a_period_without_bounds_has_no_other() -> None:
    """Nor has the first one of all."""
    with pytest.raises(WrongUseError, match="use --days, --month, or --since with --until"):
        compared_period("previous", make_period(now=NOW, everything=True), NOW)
    with pytest.raises(WrongUseError, match="before 1970"):
        compared_period("previous", make_period(now=NOW, month="1970-01"), NOW)
