from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.errors import WrongUseError
from tokenusage.keep.plan import GRACE, Action, Plan, Wishes, make_plan
from tokenusage.logs import DayFile, Listing, day_file_name, sealed_name
from tokenusage.read.details import DetailsDay
from tokenusage.read.ledger import Account
from tokenusage.read.summaries import FileState, SummaryDay

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TODAY = NOW.date()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def raw(day: date, name: str | None = None, size: int = 100) -> DayFile:
    name = name or day_file_name(day)
    return DayFile(name, Path(name), day, size, inode=7, stamp=(1, 2))


def sealed(day: date) -> DayFile:
    return raw(day, sealed_name(day))


def spill(day: date) -> DayFile:
    return raw(day, f"token_usage_{day}.host-1-ab.jsonl")


def summary(*files: DayFile, final: bool = False) -> SummaryDay:
    states = () if final else tuple(map(FileState.of, files))
    return SummaryDay(files[0].day, 1, Account(), "UTC", states, final)


def planned(
    *files: DayFile,
    summaries: tuple[SummaryDay, ...] = (),
    details: dict[date, DetailsDay] | None = None,
    now: datetime = NOW,
    **wishes: Any,
) -> Plan:
    """Return the plan for these files; where there are summaries, there are details too."""
    listing = Listing(
        Path(),
        tuple(sorted(file for file in files if file.name.endswith(".jsonl"))),
        {file.day: file for file in files if file.name.endswith(".parquet")},
        (),
        (),
        (),
    )
    by_day = {found.day: found for found in summaries}
    if details is None:
        details = {
            day: DetailsDay(day, 1, found.zone, found.files) for day, found in by_day.items()
        }
    return make_plan(listing, by_day, details, now=now, zone=UTC, wishes=Wishes(**wishes))


def actions(plan: Plan) -> dict[date, str]:
    return {step.day: str(step.action) for step in plan.steps}


def test_a_closed_day_is_summarised_once() -> None:
    """Until its files change; the oldest comes first."""
    plan = planned(raw(ago(1)), raw(ago(2)), raw(ago(3)), summaries=(summary(raw(ago(2))),))
    assert list(actions(plan).items()) == [(ago(3), "summarise"), (ago(1), "summarise")]
    changed = planned(raw(ago(2), size=101), summaries=(summary(raw(ago(2))),))
    assert actions(changed) == {ago(2): "summarise"}


def test_a_day_without_details_is_summarised_again() -> None:
    """So is one whose details are of other files than it has now."""
    file = raw(ago(2))
    assert not planned(file, summaries=(summary(file),)).steps
    for details in ({}, {ago(2): DetailsDay(ago(2), 1, "UTC", ())}):
        plan = planned(file, summaries=(summary(file),), details=details)
        assert actions(plan) == {ago(2): "summarise"}


@pytest.mark.parametrize(("minutes", "is_open"), [(59, True), (60, False)])
def test_a_day_is_closed_an_hour_after_its_end(minutes: int, is_open: bool) -> None:  # noqa: FBT001 (a case)
    """Until then a call that ends late, or a slow clock, may still write to it."""
    midnight = datetime(2026, 11, 22, tzinfo=UTC)
    plan = planned(raw(ago(1)), raw(TODAY), now=midnight + timedelta(minutes=minutes), seal_after=0)
    assert (ago(1) in plan.open_days, TODAY in plan.open_days) == (is_open, True)


def test_nothing_is_sealed_or_removed_unless_asked_for() -> None:
    """However old it is."""
    assert set(actions(planned(*(raw(ago(n)) for n in range(1, 900)))).values()) == {"summarise"}


def test_keep_days_keeps_today_and_so_many_before_it() -> None:
    """Sealing does not come before removal."""
    plan = planned(*(raw(ago(n)) for n in range(5)), keep_days=2, seal_after=0)
    assert actions(plan) == {ago(4): "remove", ago(3): "remove", ago(2): "seal", ago(1): "seal"}


def test_sealing_takes_log_files_only() -> None:
    """A day that is sealed is left until a late log file stands beside it."""
    assert not planned(sealed(ago(3)), summaries=(summary(sealed(ago(3))),), seal_after=0).steps
    plan = planned(sealed(ago(3)), raw(ago(3)), summaries=(summary(sealed(ago(3))),), seal_after=0)
    assert actions(plan) == {ago(3): "seal"}


def test_late_records_of_a_final_day_wait_for_keep_days() -> None:
    """Its summary is never replaced, and it is never sealed."""
    late = raw(ago(40))
    final = summary(late, final=True)
    waits = planned(late, raw(ago(39)), raw(TODAY), summaries=(final,), seal_after=0, force=True)
    assert actions(waits)[ago(40)] == "leave"
    assert "only its sums are left" in waits.steps[0].why
    taken = planned(late, raw(TODAY), summaries=(final,), keep_days=39, force=True)
    assert actions(taken) == {ago(40): "remove"}


@pytest.mark.parametrize("wish", ["keep_days", "seal_after"])
def test_spill_files_are_left_for_two_whole_days(wish: str) -> None:
    """Their writers have no lock that could be asked; the summary is made all the same."""
    files = [spill(ago(n)) for n in range(1, 4)]
    wishes: dict[str, Any] = {wish: 1}
    plan = planned(*files, **wishes)
    touched = {"keep_days": "remove", "seal_after": "seal"}[wish]
    assert actions(plan) == {ago(3): touched, ago(2): "summarise", ago(1): "summarise"}
    assert (
        plan.steps[1].why
        == f"a writer without lock may still be at its file, until {TODAY + timedelta(1)}"
    )


@pytest.mark.parametrize(
    ("logged", "doubtful"),
    [
        ([1, 2], False),
        ([7, 14], False),
        ([8, 9], True),  # nothing was logged for long, or the clock is ahead
        ([-8, -7, 1], True),  # or it was
        ([-8, 0, 1], True),
        ([-7, 0], False),
        ([0, 8], True),  # it has jumped since the last record but one
        ([0, 7], False),
        ([400], True),
    ],
)
def test_a_jump_of_the_clock_removes_nothing(logged: list[int], *, doubtful: bool) -> None:
    """More than 7 days between the newest logged day and the one before it, or the clock."""
    files = [raw(ago(n)) for n in [*logged, 300, 301]]
    plan = planned(*files, keep_days=30, seal_after=1)
    assert bool(plan.doubt) == doubtful
    assert ("remove" in actions(plan).values()) != doubtful
    assert "remove" in actions(planned(*files, keep_days=30, force=True)).values()


def test_the_doubt_is_said_in_a_sentence() -> None:
    """With both days, and what to do."""
    plan = planned(raw(ago(20)), keep_days=3)
    assert plan.doubt == (
        "Nothing is sealed or removed: 20 days lie between the newest logged day, 2026-11-02, "
        "and the clock's, 2026-11-22. If no clock has jumped, use --force."
    )
    assert actions(plan) == {ago(20): "summarise"}
    assert plan.steps[0].why == "the clock may have jumped"
    assert not planned(raw(ago(20))).doubt, "where nothing is to be removed"


def test_days_of_summaries_are_logged_days() -> None:
    """Where all older records are gone, the gap is not as large as it looks."""
    final = summary(raw(ago(3)), final=True)
    assert not planned(raw(ago(2)), raw(ago(9)), summaries=(final,), keep_days=1).doubt


def test_an_empty_file_is_no_logged_day() -> None:
    """A writer that found the disk full has left one."""
    assert not planned(raw(ago(-300), size=0), raw(ago(2)), raw(ago(1)), keep_days=1).doubt


@pytest.mark.parametrize("wishes", [{"keep_days": 0}, {"keep_days": -1}, {"seal_after": -1}])
def test_wishes_have_bounds(wishes: dict[str, Any]) -> None:
    """Nobody can ask for today to be touched."""
    with pytest.raises(WrongUseError, match="--"):
        Wishes(**wishes)


days = st.dates(min_value=date(1, 1, 1)) | st.integers(-40, 400).map(ago)
files = st.lists(st.tuples(days, st.sampled_from([raw, spill, sealed])), max_size=20).map(
    lambda picked: list({file.name: file for file in (kind(day) for day, kind in picked)}.values())
)
moments = st.datetimes(
    datetime(2026, 11, 1), datetime(2026, 12, 31), timezones=st.timezones() | st.just(UTC)
)
numbers = st.none() | st.integers(1, 500)


@given(files, moments, numbers, numbers, st.booleans())
def test_what_is_open_is_never_touched(
    found: list[DayFile],
    now: datetime,
    keep: int | None,
    seal: int | None,
    force: bool,  # noqa: FBT001 (drawn)
) -> None:
    """And nothing is removed or sealed that is younger than was asked for."""
    plan = planned(*found, now=now, keep_days=keep, seal_after=seal, force=force)
    for step in plan.steps:
        end = datetime.combine(step.day, datetime.min.time(), UTC)
        assert end <= now - GRACE - timedelta(days=1)
        age = (now.astimezone(UTC).date() - step.day).days
        if step.action is Action.REMOVE:
            assert keep is not None
            assert age > keep
        if step.action is Action.SEAL:
            assert seal is not None
            assert age > seal
        if step.action in {Action.REMOVE, Action.SEAL} and not force:
            assert not plan.doubt
    everything = {step.day for step in plan.steps} | set(plan.open_days)
    assert everything == {file.day for file in found}, "no summary fits yet"


@given(files, moments, st.integers(1, 500), st.integers(0, 500))
def test_who_keeps_more_days_loses_fewer(
    found: list[DayFile], now: datetime, keep: int, more: int
) -> None:
    """What is removed for the larger number is removed for the smaller one too."""
    few, many = (
        {
            d
            for d, action in actions(planned(*found, now=now, keep_days=n)).items()
            if action == "remove"
        }
        for n in (keep, keep + more)
    )
    assert many <= few
