from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import turn
from summaries import NOW, at, named, report_of, shop, summary_of, sums, write
from support import record, write_day

from tokenusage.analyse.query import Filters

DAY = timedelta(days=1)
ONE_DIRECTORY = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

RECORDS = st.lists(
    st.builds(
        at,
        st.timedeltas(-DAY, 70 * DAY)
        | st.sampled_from([timedelta(), DAY, 2 * DAY, timedelta(hours=1), timedelta(hours=9.5)]),
        operation_type=st.sampled_from(["a", "b"]),
        model_name=st.sampled_from(["m", "n"]),
        user_id=st.sampled_from([1, 2]),
        prompt_tokens=st.integers(0, 10**12),
        cost_estimate=st.none() | st.floats(0, 10**6),
        response_time=st.none() | st.floats(0, 10**5),
        success=st.booleans(),
        cache=st.sampled_from([None, "session", "persistent", "x"]),
        items=st.none() | st.integers(0, 10**6),
        session_id=st.sampled_from([None, "s", "t"]),
        task_id=st.sampled_from([None, "u"]),
        batch_id=st.sampled_from([None, "p", "q"]),
        tags=st.fixed_dictionaries({"grade": st.floats(-9, 9) | st.just("none")}),
        id=st.uuids().map(str),
    ),
    max_size=30,
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/New_York"])


@pytest.mark.slow
@ONE_DIRECTORY
@given(records=RECORDS, tz=ZONES, rotated=st.booleans())
def test_a_period_is_the_report_of_the_same_period(
    tmp_path: Path, *, records: list[dict[str, Any]], tz: str, rotated: bool
) -> None:
    """Every figure is the report's, percentiles too, and so is what it is compared with."""
    logs = clean(tmp_path, records)
    if rotated:
        turn(logs, now=NOW)
    summary = summary_of(logs, tz=tz)
    for period in summary.periods:
        alike = report_of(logs, period.period, percentiles=True).totals
        assert period.figures._replace(means=()) == alike
        if period.before:
            assert sums(period.previous) == report_of(logs, period.before).totals
    assert summary.operations == report_of(logs, summary.query.period, by=("operation",)).rows


@pytest.mark.slow
@ONE_DIRECTORY
@given(RECORDS, ZONES)
def test_rotation_changes_nothing(tmp_path: Path, records: list[dict[str, Any]], tz: str) -> None:
    """Sums and details tell the same as the records, in every section."""
    logs = clean(tmp_path, records)
    before = summary_of(logs, tz=tz)
    turn(logs, now=NOW)
    after = summary_of(logs, tz=tz)
    assert after == before


@pytest.mark.slow
@ONE_DIRECTORY
@given(RECORDS)
def test_filters_and_means_are_those_of_the_report(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    """A filtered summary counts the calls that a filtered report counts."""
    logs = clean(tmp_path, records)
    turn(logs, now=NOW)
    asked: dict[str, Any] = {"filters": Filters(user=("1",)), "means": ("tag.grade",)}
    for period in summary_of(logs, **asked).periods:
        assert sums(period.figures) == report_of(logs, period.period, **asked).totals


def clean(directory: Path, records: list[dict[str, Any]]) -> Path:
    """Write records into an empty directory; what is None is left out."""
    logs = directory / "logs"
    if logs.exists():
        for path in logs.iterdir():
            path.unlink()
    optional = {"cache", "items", "session_id", "task_id", "batch_id"}
    kept = [{k: v for k, v in r.items() if v is not None or k not in optional} for r in records]
    return write(logs, *kept)


def test_periods_equal_reports_where_days_have_every_form(tmp_path: Path) -> None:
    """Sums alone, sums and details, and records beside each other."""
    logs = shop(tmp_path / "logs")
    turn(logs, now=NOW, keep_days=25)
    summary = summary_of(logs)
    assert summary.ledger.summary_only_days
    for period in summary.periods:
        assert sums(period.figures) == report_of(logs, period.period).totals


def test_days_of_which_only_sums_are_left_count(tmp_path: Path) -> None:
    """Their calls are in the totals; what sums don't tell is without them."""
    logs = shop(tmp_path / "logs")
    whole = summary_of(logs)
    turn(logs, now=NOW, keep_days=7)
    summary = summary_of(logs)
    assert sums(summary.totals) == sums(whole.totals)
    assert summary.ledger.summary_only_days[0] == "2026-10-13"
    assert (named(summary, "all_time").items.items, summary.tasks.number) == (60, 0)
    assert (summary.cache.hits, summary.cache.unknown) == (3, 1)
    assert named(summary, "this_month").missing_days == ("2026-11-13",)
    assert list(summary.periods[-1].missing_days) == summary.ledger.summary_only_days


@pytest.mark.parametrize("tz", ["UTC", "America/New_York"])
def test_a_month_is_compared_where_its_days_are_removed(tmp_path: Path, tz: str) -> None:
    """Of last month's day that this time divides only the sum is left: it counts whole."""
    logs = write(tmp_path / "logs", *(at(n * DAY) for n in (30, 31, 32, 51)), at(DAY / 9))
    turn(logs, now=NOW, keep_days=7, force=True)
    summary = summary_of(logs, tz=tz)
    month = named(summary, "this_month")
    assert (month.figures.calls, sums(month.previous)) == (
        1, report_of(logs, month.before or month.period).totals,
    )  # fmt: skip
    assert (month.previous and month.previous.calls, str(month.whole_day)) == (3, "2026-10-22")
    assert summary.ledger.unanswered_days == []


def test_hours_are_compared_with_nothing_where_a_day_is_removed(tmp_path: Path) -> None:
    """A whole day says nothing of some hours of it; no figure that prints is short of it."""
    logs = write(tmp_path / "logs", at(2 * DAY), at(timedelta(minutes=1)))
    turn(logs, now=NOW, keep_days=1, force=True)
    summary = summary_of(logs)
    day = named(summary, "last_24_hours")
    assert (day.figures.calls, day.previous, day.uncompared_days) == (1, None, ("2026-11-20",))
    assert (day.change_in_calls, summary.ledger.unanswered_days) == (None, [])


def test_sums_that_do_not_answer_are_named(tmp_path: Path) -> None:
    """What asks for records is without the days that have none, as a report is."""
    logs = write(tmp_path / "logs", at(31 * DAY), at(timedelta(minutes=1)))
    turn(logs, now=NOW, keep_days=7, force=True)
    summary = summary_of(logs, cost="current")
    assert summary.totals.calls == 1
    assert summary.ledger.unanswered_days == ["2026-10-22"]
    assert named(summary, "all_time").unanswered_days == ("2026-10-22",)


def test_means_leave_the_other_figures_as_they_are(tmp_path: Path) -> None:
    """They are of records; the sums of days without records count all the same."""
    graded = [at(ago, tags={"grade": g}) for ago, g in ((31 * DAY, 9), (DAY / 9, 1))]
    logs = write(tmp_path / "logs", *graded)
    turn(logs, now=NOW, keep_days=7, force=True)
    totals = summary_of(logs, means=("tag.grade",)).totals
    assert totals._replace(means=()) == summary_of(logs).totals
    assert [mean.value for mean in totals.means] == [1.0]


def test_a_stranger_in_the_sums_is_read_by_record(tmp_path: Path) -> None:
    """A record without an id may stand in the file of a day that no period divides."""
    logs = write(tmp_path / "logs", at(20 * DAY))
    write_day(logs, "2026-11-02", [at(20 * DAY), at(31 * DAY), at(31 * DAY - 2 * DAY / 24)])
    turn(logs, now=NOW)
    before = named(summary_of(logs), "this_month")
    assert before.previous is not None
    assert before.previous.calls == report_of(logs, before.before or before.period).totals.calls


def test_the_ledger_accounts_for_all_lines(tmp_path: Path) -> None:
    """Rejected, repeated and filtered lines are told, whatever form their day has."""
    logs = shop(tmp_path / "logs")
    write_day(logs, "2026-11-15", [record("2026-11-15T01:00:00Z", id="x", user_id=7)] * 2 + [b"no"])
    turn(logs, now=NOW)
    ledger = summary_of(logs, filters=Filters(user=("1",))).ledger
    assert (ledger.rejected, ledger.duplicates, ledger.filtered) == (1, 1, 1)
    assert ledger.lines == ledger.records + 3


def test_what_is_projected_is_the_pace_so_far(tmp_path: Path) -> None:
    """Cost so far, divided by the part of the month that is over."""
    summary = summary_of(shop(tmp_path / "logs"))
    elapsed = (21 * 24 + 9.5) / (30 * 24)
    assert summary.projection.elapsed == pytest.approx(elapsed)
    cost = named(summary, "this_month").figures.cost
    assert cost is not None
    assert summary.projection.cost == pytest.approx(cost / elapsed)


def test_recomputed_costs_are_those_of_the_report(tmp_path: Path) -> None:
    """Every section is at the prices that are asked for."""
    logs = shop(tmp_path / "logs")
    summary = summary_of(logs, cost="current")
    alike = report_of(logs, summary.query.period, cost="current")
    assert sums(summary.totals) == alike.totals
    assert summary.totals != summary_of(logs).totals


def test_an_empty_directory_has_a_summary(tmp_path: Path) -> None:
    """Nothing is divided by nothing."""
    (tmp_path / "logs").mkdir()
    summary = summary_of(tmp_path / "logs")
    assert (summary.totals.calls, summary.prompt_share, summary.projection.cost) == (0, None, 0)
