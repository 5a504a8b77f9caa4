"""From a question and a log directory to exact figures."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import FIELD_LINE, record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Query
from tokenusage.analyse.report import Report
from tokenusage.errors import WrongUseError
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

LINE = orjson.dumps(record())
MIDNIGHT = datetime(2026, 11, 19, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ask(logs: Path, *by: str, filters: Filters | None = None, **options: Any) -> Report:
    names = ("days", "since", "until", "hours", "tz")
    period: dict[str, Any] = {name: options.pop(name) for name in names if name in options}
    if not period.keys() - {"tz"}:
        period["everything"] = True
    query = Query(make_period(now=NOW, **period), filters or Filters(), by, **options)
    scan = Scan(logs, plan(query, naive_zone=UTC, now=NOW))
    return answer(query, scan, prices=PriceTable(), now=NOW)


def table(report: Report) -> dict[tuple[str | None, ...], int]:
    return {row.keys: row.figures.calls for row in report.rows}


def test_line_of_2024_is_found_by_its_user_and_operation(tmp_path: Path) -> None:
    """The line from the field answers the question it was logged for, as logged."""
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    filters = Filters(user=("123",), operation=("rag_answer",))
    totals = ask(tmp_path, filters=filters, since="2024-12-01").totals
    assert (totals.calls, totals.total_tokens, totals.cost) == (1, 1400, 0.000285)


def test_current_cost_is_the_list_price(tmp_path: Path) -> None:
    """--cost current shows what the call costs by the list, not what was logged."""
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    assert ask(tmp_path, cost="current").totals.cost == 0.0002775
    assert ask(tmp_path, "provider", cost="effective").totals.cost == 0.0002775


def test_cache_hit_is_no_call(tmp_path: Path) -> None:
    """A hit counts in cache_hits alone: in no average, no total, no failure."""
    hit = record(cache="session", success=False, response_time=9.0)
    write_day(tmp_path, "2026-11-20", [record(), hit])
    totals = ask(tmp_path).totals
    assert (totals.calls, totals.cache_hits, totals.failed) == (1, 1, 0)
    assert (totals.total_tokens, totals.avg_response_time) == (110, 0.5)


@pytest.mark.parametrize("cache", [False, "", None])
def test_call_that_was_not_cached_is_a_call(tmp_path: Path, cache: Any) -> None:
    """A cache that says no is no hit, and costs what was logged."""
    write_day(tmp_path, "2026-11-20", [record(cache=cache)])
    totals = ask(tmp_path).totals
    assert (totals.calls, totals.cache_hits, totals.cost) == (1, 0, 0.001)


@pytest.mark.parametrize("tags", ["x", 5, [1], None])
def test_tags_that_are_no_object_have_no_names(tmp_path: Path, tags: Any) -> None:
    """Something else in the place of tags is a call without tags."""
    write_day(tmp_path, "2026-11-20", [record(tags=tags)])
    assert table(ask(tmp_path, "tag.a")) == {(None,): 1}


def test_deep_nesting_costs_nobody_but_itself(tmp_path: Path) -> None:
    """At any depth a line is counted or rejected, and the others are reported."""
    deep = [
        LINE.replace(b'"user_id":1', b'"user_id":' + b"[" * depth + b"]" * depth)
        for depth in (900, 970, 990, 1010, 1022, 1030, 100_000)
    ]
    write_day(tmp_path, "2026-11-20", [LINE, *deep])
    ledger = ask(tmp_path, "session").ledger
    assert ledger.records + ledger.rejected == 8
    assert ledger.records >= 1


def test_unknown_cost_is_not_zero(tmp_path: Path) -> None:
    """A group in which nothing is priced has no cost, one with some has the known sum."""
    calls = [record(model_name="a", cost_estimate=None), record(model_name="b")]
    write_day(tmp_path, "2026-11-20", [*calls, record(model_name="b", cost_estimate=None)])
    rows = {row.keys[0]: row.figures for row in ask(tmp_path, "model").rows}
    assert (rows["a"].cost, rows["a"].avg_cost, rows["a"].unpriced) == (None, None, 1)
    assert (rows["b"].cost, rows["b"].avg_cost, rows["b"].unpriced) == (0.001, 0.001, 1)


def test_sums_beyond_64_bits_are_exact(tmp_path: Path) -> None:
    """Ten calls of a million dollars each are ten million and one digit more."""
    calls = [record(cost_estimate=10**6) for _ in range(12)] + [record(cost_estimate=1e-12)]
    write_day(tmp_path, "2026-11-20", calls)
    assert ask(tmp_path).totals.cost_pico == 12 * 10**18 + 1


def test_days_are_those_of_the_zone(tmp_path: Path) -> None:
    """A call just before UTC midnight is of the next day in Berlin, wherever it is filed."""
    write_day(tmp_path, "2026-11-20", [record("2026-11-20T23:30:00Z")])
    assert table(ask(tmp_path, "day")) == {("2026-11-20",): 1}
    berlin: dict[str, Any] = {"tz": "Europe/Berlin", "since": "2026-11-21", "until": "2026-11-21"}
    assert table(ask(tmp_path, "day", **berlin)) == {("2026-11-21",): 1}
    assert table(ask(tmp_path, "hour", **berlin)) == {("2026-11-21T00:00:00+01:00",): 1}


def test_hours_that_come_twice_are_two(tmp_path: Path) -> None:
    """Where clocks go back, both hours have rows of their own, told apart by their offset."""
    night = [record("2026-10-25T00:30:00Z"), record("2026-10-25T01:30:00Z")]
    write_day(tmp_path, "2026-10-25", night)
    hours = table(ask(tmp_path, "hour", tz="Europe/Berlin"))
    assert hours == {("2026-10-25T02:00:00+02:00",): 1, ("2026-10-25T02:00:00+01:00",): 1}


def test_weeks_months_and_years_are_named_as_iso_names_them(tmp_path: Path) -> None:
    """The first of January can be of the last week of the year before."""
    write_day(tmp_path, "2027-01-01", [record("2027-01-01T10:00:00Z")])
    report = ask(tmp_path, "week", "month", "year")
    assert table(report) == {("2026-W53", "2027-01", "2027"): 1}


def test_tags_and_unknown_fields_are_dimensions_and_filters(tmp_path: Path) -> None:
    """tag.NAME groups and filters; --where takes any field, known or not."""
    calls = [record(tags={"team": "a", "n": 1}, plan="pro"), record(tags={"team": "b"}), record()]
    write_day(tmp_path, "2026-11-20", calls)
    assert table(ask(tmp_path, "tag.team")) == {("a",): 1, ("b",): 1, (None,): 1}
    for where in (("tag.n", "1"), ("plan", "pro"), ("tag.team", "a")):
        report = ask(tmp_path, filters=Filters(where=(where,)))
        assert (report.totals.calls, report.ledger.filtered) == (1, 2)


@pytest.mark.parametrize(
    ("name", "value", "calls"),
    [
        ("prompt_tokens", "100", 2),
        ("cost_estimate", "0.001", 1),
        ("response_time", "0.5", 2),
        ("success", "false", 1),
        ("timestamp", "2026-11-20T13:00:00+01:00", 2),
        ("id", "x", 1),
        ("user", "1", 2),
        ("error_message", "boom", 1),
        ("items", "3", 1),
        ("dropped", "2", 1),
        ("failed", "x", 1),
        ("time", "1", 1),
    ],
)
def test_where_compares_every_field(tmp_path: Path, name: str, value: str, calls: int) -> None:
    """Numbers are compared as numbers, moments as moments, the rest as text."""
    other = record(id="x", success=False, cost_estimate=None, error_message="boom", items=3)
    other |= {"dropped": 2, "failed": "x", "time": 1}
    write_day(tmp_path, "2026-11-20", [record(), other])
    assert ask(tmp_path, filters=Filters(where=((name, value),))).totals.calls == calls


def test_where_that_can_not_match_is_wrong_use(tmp_path: Path) -> None:
    """A number compared with a word is a mistake, not an empty report."""
    write_day(tmp_path, "2026-11-20", [record()])
    for where in (
        ("prompt_tokens", "many"),
        ("cost_estimate", "inf"),
        ("response_time", "nan"),
        ("items", "-1"),
        ("success", "yes"),
        ("timestamp", "now"),
    ):
        with pytest.raises(WrongUseError):
            ask(tmp_path, filters=Filters(where=(where,)))


def test_models_are_matched_by_globs(tmp_path: Path) -> None:
    """--model takes names and globs, repeated for more, upper and lower case alike."""
    names = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-5")
    write_day(tmp_path, "2026-11-20", [record(model_name=name) for name in names])
    report = ask(tmp_path, "model", filters=Filters(model=("GPT-4o*", "claude-?onnet-4-5")))
    assert len(report.rows) == 3
    assert ask(tmp_path, filters=Filters(model=("gpt-4o",))).totals.calls == 1


def test_percentiles_are_linear_between_records(tmp_path: Path) -> None:
    """p50, p95 and p99 of the response time are those of the calls of each group."""
    calls = [record(response_time=n / 10, user_id=n % 2) for n in range(101)]
    write_day(tmp_path, "2026-11-20", [*calls, record(cache="session", response_time=99.0)])
    report = ask(tmp_path, "user", percentiles=True)
    assert report.totals.percentiles == pytest.approx((5.0, 9.5, 9.9))
    assert all(row.figures.percentiles for row in report.rows)


def test_drops_and_estimates_reach_the_ledger(tmp_path: Path) -> None:
    """What writers could not write, and what was estimated, stands beside the totals."""
    calls = [record(dropped=3), record(usage_source="estimated", user_id=2), record(dropped="x")]
    write_day(tmp_path, "2026-11-20", calls)
    ledger = ask(tmp_path, filters=Filters(user=("2",))).ledger
    assert (ledger.dropped, ledger.estimated, ledger.records) == (3, 1, 1)


def test_only_files_of_the_period_are_opened(tmp_path: Path) -> None:
    """Days are pruned by file name, one more on each side where zones differ."""
    for day in range(10, 20):
        write_day(tmp_path, f"2026-11-{day}", [record(f"2026-11-{day}T12:00:00Z")])
    assert ask(tmp_path, since="2026-11-14", until="2026-11-15").ledger.files == 2
    report = ask(tmp_path, since="2026-11-14", until="2026-11-15", tz="Asia/Tokyo")
    assert (report.ledger.files, report.totals.calls, report.ledger.outside) == (5, 2, 3)


CALLS = st.lists(
    st.builds(
        record,
        st.integers(0, 3 * 86_400 - 1).map(lambda s: f"{MIDNIGHT + timedelta(seconds=s):%FT%TZ}"),
        user_id=st.integers(0, 3) | st.none(),
        model_name=st.sampled_from(["a", "b", "c"]),
        operation_type=st.sampled_from(["x", "y"]),
        cost_estimate=st.floats(0, 1000) | st.none(),
        response_time=st.floats(0, 100) | st.none(),
        total_tokens=st.integers(0, 10**12),
        cache=st.sampled_from([None, None, "session"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(CALLS, st.randoms())
def test_sums_are_the_same_along_every_dimension_and_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, calls: list[dict[str, Any]], random: Any
) -> None:
    """Sums over users = sums over models = sums over days = totals, whatever the order."""
    logs = tmp_path_factory.mktemp("logs")
    write_day(logs, "2026-11-20", calls)
    report = ask(logs, tz="America/New_York")
    for rows in report.sections.values():
        for name in (
            "calls",
            "failed",
            "cost_pico",
            "response_micro",
            "total_tokens",
            "cache_hits",
        ):
            assert sum(getattr(row.figures, name) for row in rows) == getattr(report.totals, name)
    random.shuffle(calls)
    write_day(logs, "2026-11-20", calls)
    assert ask(logs, tz="America/New_York").totals == report.totals


@settings(max_examples=40, deadline=None)
@given(CALLS, st.sampled_from(["2026-11-19", "2026-11-20", "2026-11-21"]))
def test_neighbouring_periods_add_up(
    tmp_path_factory: pytest.TempPathFactory, calls: list[dict[str, Any]], middle: str
) -> None:
    """What is until a day, on it and since the next is everything, nothing twice."""
    logs = tmp_path_factory.mktemp("logs")
    write_day(logs, "2026-11-20", calls)
    day = date.fromisoformat(middle)
    before, after = str(day - timedelta(days=1)), str(day + timedelta(days=1))
    periods: tuple[dict[str, Any], ...] = (
        {"until": before},
        {"since": middle, "until": middle},
        {"since": after},
    )
    parts = [ask(logs, tz="Asia/Kolkata", **period).totals for period in periods]
    whole = ask(logs, tz="Asia/Kolkata").totals
    for name in ("calls", "cost_pico", "response_micro", "unpriced", "cache_hits"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)
