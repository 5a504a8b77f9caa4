from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import NOW, figures, rows, table

from tokenusage.analyse.chart import MOST_SERIES, chart_of, check_chart
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.errors import WrongUseError


def cost(group: Figures) -> int:
    """Return what series are ranked by."""
    return group.cost_pico


def stacked(count: int) -> Report:
    """Return a report by day and user, of so many users."""
    groups = [Row(("2026-11-20", f"u{n:02}"), figures(1, dollars=n)) for n in range(count)]
    return table(("day", "user"), *groups)


def test_days_without_calls_are_on_the_axis() -> None:
    """From the period's first day to today; tomorrow had no chance."""
    report = table(("day",), *rows(("2026-11-18", figures(1)), ("2026-11-20", figures(2))))
    chart = chart_of(report, cost, NOW)
    days = [(bucket.key[8:], bucket.figures.calls) for bucket in chart.buckets]
    assert days == [("16", 0), ("17", 0), ("18", 1), ("19", 0), ("20", 2), ("21", 0), ("22", 0)]


def test_what_has_not_begun_is_not_on_the_axis() -> None:
    """Of a week that is asked for on its first day there is one."""
    report = table(("day",), *rows(("2026-11-16", figures(1))))
    chart = chart_of(report, cost, datetime(2026, 11, 16, 12, tzinfo=UTC))
    assert [bucket.key for bucket in chart.buckets] == ["2026-11-16"]


def test_a_long_period_runs_from_its_first_call_to_its_last() -> None:
    """A week has more hours than a screen has lines."""
    keys = ["2026-11-18T10:00:00+00:00", "2026-11-18T12:00:00+00:00"]
    chart = chart_of(table(("hour",), *rows(*((key, figures(1)) for key in keys))), cost, NOW)
    assert [bucket.key[11:13] for bucket in chart.buckets] == ["10", "11", "12"]


@pytest.mark.parametrize(("count", "named"), [(1, 1), (7, 7), (8, 6), (20, 6)])
def test_beyond_what_can_be_told_apart_there_are_others(count: int, named: int) -> None:
    """The largest keep their names, and never is one other called others."""
    chart = chart_of(stacked(count), cost, NOW)
    assert (len(chart.series), chart.others) == (named, count - named)
    assert chart.series[0][0] == f"u{count - 1:02}"
    assert all(len(bucket.parts) <= MOST_SERIES for bucket in chart.buckets)


@given(
    st.lists(st.tuples(st.integers(16, 22), st.integers(0, 12), st.integers(1, 99)), min_size=1),
    st.none() | st.integers(1, 9),
)
def test_parts_add_up_to_their_bucket_and_buckets_to_the_totals(
    calls: list[tuple[int, int, int]], limit: int | None
) -> None:
    """No call is lost among the others, or between two days."""
    found = {(f"2026-11-{day}", f"u{user}"): figures(number) for day, user, number in calls}
    report = table(("day", "user"), *(Row(key, group) for key, group in found.items()))
    chart = chart_of(report, cost, NOW, limit)
    assert all(together(bucket.parts) == bucket.figures for bucket in chart.buckets)
    shown = [bucket.figures for bucket in chart.buckets]
    assert together([chart.before, *shown]) == report.totals
    series = [group for _, group in chart.series]
    assert together([chart.rest, *series]) == report.totals
    assert len(shown) + chart.earlier == 7


@pytest.mark.parametrize("by", [(), ("model",), ("model", "day"), ("day", "model", "user")])
def test_only_a_time_and_one_more_dimension_have_a_chart(by: tuple[str, ...]) -> None:
    """The sentence names a --by that would do."""
    with pytest.raises(WrongUseError, match="--by day"):
        check_chart(by)
