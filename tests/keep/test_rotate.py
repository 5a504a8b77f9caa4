import os
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from keeping import NOW, TODAY, add_late, ago, contents, done, fill, names, totals, turn
from writing import finish, python

from tokenusage.errors import BusyError, LogsError
from tokenusage.keep.lock import keeping
from tokenusage.keep.plan import Action, Wishes
from tokenusage.keep.rotate import plan_rotation


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with ten days of records, today's among them."""
    return fill(tmp_path / "logs", *map(ago, range(10)))


def test_summaries_change_no_log(logs: Path) -> None:
    """Without a wish every record stays where it was logged, and every figure what it was."""
    before, files = totals(logs), dict(contents(logs))
    outcome = turn(logs)
    assert done(outcome) == {ago(n): Action.SUMMARISE for n in range(1, 10)}
    assert outcome.results[0].records == 3
    after = dict(contents(logs))
    assert after.items() >= files.items()
    assert set(after) - set(files) == {"summary_2026-11.parquet", "details_2026-11.parquet"}
    assert totals(logs) == before


def test_a_second_run_finds_nothing_to_do(logs: Path) -> None:
    """Whatever the first one was asked for."""
    everything: list[dict[str, Any]] = [{}, {"seal_after": 5}, {"seal_after": 5, "keep_days": 7}]
    for wishes in everything:
        turn(logs, **wishes)
        before = dict(contents(logs))
        assert not turn(logs, **wishes).results
        assert dict(contents(logs)) == before


@pytest.mark.parametrize("by", ["user", "model", "operation", "provider"])
def test_figures_are_the_same_in_every_form(logs: Path, by: str) -> None:
    """Seven days of records, two of them sealed; three of which only the sums are left."""
    before = totals(logs, by)
    outcome = turn(logs, keep_days=6, seal_after=4)
    assert list(done(outcome).values()) == ["remove"] * 3 + ["seal"] * 2 + ["summarise"] * 4
    assert names(logs) == {
        "summary_2026-11.parquet",
        "details_2026-11.parquet",
        *(f"token_usage_{ago(n)}.parquet" for n in (5, 6)),
        *(f"token_usage_{ago(n)}.jsonl" for n in range(5)),
    }
    assert totals(logs, by) == before


def test_months_are_written_one_by_one(logs: Path) -> None:
    """Days of several months, in one run."""
    before = totals(fill(logs, *map(ago, range(20, 90, 10))))
    turn(logs, keep_days=15, force=True)
    assert {name for name in names(logs) if name.startswith("summary")} == {
        f"summary_2026-{month}.parquet" for month in ("09", "10", "11")
    }
    assert totals(logs) == before


@pytest.mark.parametrize("wishes", [{}, {"seal_after": 2}, {"keep_days": 2}])
def test_a_late_record_counts_once_with_the_rest(logs: Path, wishes: dict[str, Any]) -> None:
    """For a day that is summarised, sealed or only a summary; before and after the next run."""
    turn(logs, **wishes)
    add_late(logs, ago(5), 100)
    calls = totals(logs)["totals"]["calls"]
    assert calls == 31
    before = totals(logs)
    assert done(turn(logs, **wishes)).keys() == {ago(5)}
    assert totals(logs) == before
    add_late(logs, ago(5), 101)
    turn(logs, **wishes)
    assert totals(logs)["totals"]["calls"] == 32


def test_a_final_day_waits_with_what_came_late(logs: Path) -> None:
    """Where no record may be removed it stays, is counted, and its day is not summed up again."""
    turn(logs, keep_days=2)
    add_late(logs, ago(5), 100)
    before = totals(logs)
    (left,) = turn(logs).results
    assert (left.done, left.day) == (Action.LEAVE, ago(5))
    assert totals(logs) == before


def test_a_file_that_was_rewritten_in_place_is_summed_up_anew(logs: Path) -> None:
    """Also with its old size, inode and time of change: the time of its entry tells."""
    turn(logs)
    path = logs / f"token_usage_{ago(3)}.jsonl"
    status = path.stat()
    with path.open("r+b") as file:
        content = file.read().replace(b'"total_tokens":110', b'"total_tokens":990')
        file.seek(0)
        file.write(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    changed = path.stat()
    assert (changed.st_size, changed.st_ino, changed.st_mtime_ns) == (
        status.st_size,
        status.st_ino,
        status.st_mtime_ns,
    )
    expected = totals(logs)
    assert expected["totals"]["total_tokens"] == 27 * 110 + 3 * 990
    assert done(turn(logs)) == {ago(3): Action.SUMMARISE}
    assert totals(logs) == expected


def test_lines_that_are_no_records_stay_counted(logs: Path) -> None:
    """When their day is sealed they stand in a file beside it, and go with it."""
    with (logs / f"token_usage_{ago(8)}.jsonl").open("ab") as file:
        file.write(b"oops\n")
    before = totals(logs)
    turn(logs, seal_after=3)
    assert (logs / f"rejected_{ago(8)}.jsonl").read_bytes() == b"oops\n"
    assert totals(logs) == before
    turn(logs, keep_days=5)
    assert not (logs / f"rejected_{ago(8)}.jsonl").exists()
    assert totals(logs) == before
    assert before["ledger"]["rejected"] == 1


def test_a_day_of_nothing_but_rejected_lines_stays_counted(logs: Path) -> None:
    """Sealed and removed, like any other."""
    (logs / f"token_usage_{ago(8)}.jsonl").write_bytes(b"oops\n")
    before = totals(logs)
    turn(logs, seal_after=3)
    assert totals(logs) == before
    turn(logs, keep_days=5)
    assert totals(logs) == before


def test_yesterday_is_not_sealed_under_a_writer(logs: Path) -> None:
    """Where its last line has no end, it may still be being written."""
    with (logs / f"token_usage_{ago(1)}.jsonl").open("ab") as file:
        file.write(b'{"timestamp":')
    outcome = turn(logs, seal_after=0)
    assert not (logs / f"token_usage_{ago(1)}.parquet").exists()
    assert (logs / f"token_usage_{ago(2)}.parquet").exists()
    assert "may still be being written" in outcome.results[-1].why
    later = turn(logs, seal_after=0, now=NOW + timedelta(days=1))
    assert done(later)[ago(1)] is Action.SEAL


def test_a_clock_that_has_jumped_removes_nothing(logs: Path) -> None:
    """Neither does one that came back; what it wrote while it was wrong is kept too."""
    fill(logs, ago(-60))
    before = totals(logs)
    for now in (NOW, NOW + timedelta(days=60), NOW - timedelta(days=60)):
        outcome = turn(logs, now=now, keep_days=1, seal_after=0)
        assert not {"remove", "seal"} & set(done(outcome).values())
        assert "days lie between" in outcome.doubt or now < NOW
    assert totals(logs) == before
    assert "remove" in done(turn(logs, keep_days=1, force=True)).values()


def test_only_the_names_decide(logs: Path) -> None:
    """Files that look old or new by their times are kept and removed by their dates."""
    for number in range(10):
        moment = (NOW - timedelta(days=400 - 50 * number)).timestamp()
        os.utime(logs / f"token_usage_{ago(number)}.jsonl", (moment, moment))
    turn(logs, keep_days=4)
    assert {name for name in names(logs) if name.endswith("jsonl")} == {
        f"token_usage_{ago(number)}.jsonl" for number in range(5)
    }


def test_a_day_that_cannot_be_summed_up_does_not_stop_the_others(logs: Path) -> None:
    """It is named, its records stay, the next run tries again; cron has nothing to complain of."""
    stranger = (logs / f"token_usage_{ago(2)}.jsonl").read_bytes()
    with (logs / f"token_usage_{ago(5)}.jsonl").open("ab") as file:
        file.write(stranger.replace(f"{ago(2)}-".encode(), b"x-"))
    before = totals(logs)
    outcome = turn(logs, keep_days=2)
    assert not outcome.failures
    left = {result.day: result.why for result in outcome.results if result.done is Action.LEAVE}
    assert "doctor --fix" in left[ago(5)]
    assert [f"token_usage_{ago(n)}.jsonl" in names(logs) for n in (4, 5, 6)] == [False, True, False]
    assert totals(logs) == before


def test_a_damaged_month_keeps_the_records(logs: Path) -> None:
    """Their sums could not be put there, so they are not removed."""
    turn(logs)
    path = logs / "summary_2026-11.parquet"
    path.write_bytes(b"PAR1 something else PAR1")
    before = dict(contents(logs))
    outcome = turn(logs, keep_days=2)
    assert len(outcome.failures) == 9
    assert "Move it away" in outcome.failures[0].why
    assert dict(contents(logs)) == before


def test_two_at_once_do_not_meet(logs: Path) -> None:
    """The second one is told so, and touches nothing."""
    before = dict(contents(logs))
    with keeping(logs), pytest.raises(BusyError, match="at work"):
        turn(logs, keep_days=1)
    assert dict(contents(logs)) == before


def test_a_plan_changes_nothing(logs: Path) -> None:
    """Not even a lock is left, so that it can be asked of a directory that one only may read."""
    before = dict(contents(logs))
    plan = plan_rotation(logs, now=NOW, naive_zone=UTC, wishes=Wishes(keep_days=4, seal_after=2))
    assert {str(step.action) for step in plan.steps} == {"remove", "seal", "summarise"}
    assert plan.open_days == (TODAY,)
    assert dict(contents(logs)) == before
    assert not (logs / ".tokenusage.lock").exists()


def test_there_has_to_be_a_directory(tmp_path: Path) -> None:
    """One sentence, and none is made."""
    with pytest.raises(LogsError, match="no log directory"):
        turn(tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_live_writers_lose_nothing(tmp_path: Path) -> None:
    """Late records of old days, from many processes, while rotation runs again and again."""
    logs = fill(tmp_path / "logs", *map(ago, range(6)))
    code = """
        import sys
        from datetime import timedelta
        from keeping import NOW, ago
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        now = NOW
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), clock=lambda: now)
        sent = 0
        for number in range(600):
            now = NOW - timedelta(days=number % 6)
            told = tracker.record(model_name="m", operation_type="x", user_id=sys.argv[2])
            sent += told is not None
        print(sent)
    """
    writers = [python(code, logs, f"writer {number}") for number in range(3)]
    turns = 0
    while any(writer.poll() is None for writer in writers):
        turn(logs, keep_days=2 + turns % 4, seal_after=turns % 3)
        turns += 1
    sent = sum(int(finish(writer)) for writer in writers)
    turn(logs, keep_days=2)
    assert (sent, turns > 1) == (1800, True)
    assert totals(logs)["totals"]["calls"] == 18 + 1800


def test_an_empty_file_goes_without_a_summary(tmp_path: Path) -> None:
    """Nothing of it could be final; what comes late for its day is a record like any other."""
    logs = fill(tmp_path, ago(1), ago(2))
    (logs / f"token_usage_{ago(6)}.jsonl").touch()
    assert not turn(logs, keep_days=3).failures
    assert not [name for name in names(logs) if str(ago(6)) in name]
    fill(logs, ago(6))
    found = totals(logs)
    assert found["totals"]["calls"] == 9
    assert found["ledger"]["unanswered_days"] == []
