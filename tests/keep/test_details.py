"""The details of days, kept: made by rotate, bound to their files, thrown away with them."""

import os
import shutil
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from detailing import PLAN, days_with_details, gathered, groups
from doctoring import fix, found
from keeping import NOW, add_late, ago, contents, done, fill, lines, names, totals, turn
from killing import has_strace, kill_everywhere
from support import record, write_day

from tokenusage.keep.plan import Action, Wishes, files_by_day
from tokenusage.keep.rotate import rotate
from tokenusage.keep.sums.detailed import detailed_days
from tokenusage.logs import list_logs
from tokenusage.read.gather import gather
from tokenusage.read.scan import Scan
from tokenusage.read.segments import ListingChangedError

NAME = "details_2026-11.parquet"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with seven days of records in sessions, today's among them."""
    logs = tmp_path / "logs"
    for number in range(7):
        of_day = [line | {"session_id": f"s{line['user_id']}"} for line in lines(ago(number), 5)]
        write_day(logs, str(ago(number)), of_day)
    return logs


def test_rotate_keeps_details_of_closed_days(logs: Path) -> None:
    """Then they are read instead of the records, and say the same."""
    before = groups(logs)
    turn(logs)
    assert days_with_details(logs) == {ago(n) for n in range(1, 7)}
    assert groups(logs) == before
    assert len(gathered(logs).table) == 5  # today's


def test_a_question_without_them_opens_none(logs: Path) -> None:
    """Reports are answered as they were."""
    before = totals(logs)
    turn(logs)
    (logs / NAME).write_bytes(b"?")
    assert totals(logs) == before


def test_an_older_rotation_gets_them_without_new_summaries(logs: Path) -> None:
    """The next run makes what is missing, and the one after it finds nothing to do."""
    turn(logs)
    before = (logs / "summary_2026-11.parquet").stat().st_mtime_ns
    (logs / NAME).unlink()
    assert set(done(turn(logs)).values()) == {Action.SUMMARISE}
    assert len(days_with_details(logs)) == 6
    assert (logs / "summary_2026-11.parquet").stat().st_mtime_ns == before
    everything = dict(contents(logs))
    assert not turn(logs).results
    assert dict(contents(logs)) == everything


def test_a_day_that_repeats_an_id_is_not_tried_again(logs: Path) -> None:
    """It is read by its records; the next run finds nothing to do."""
    write_day(logs, str(ago(3)), [*lines(ago(3)), lines(ago(3))[0]])
    before = groups(logs)
    turn(logs)
    assert ago(3) not in days_with_details(logs)
    assert groups(logs) == before
    assert not turn(logs).results


@pytest.mark.parametrize("change", ["late", "rewritten", "spill", "zone"])
def test_details_that_no_longer_fit_are_ignored(logs: Path, change: str) -> None:
    """The records are read, until the next rotation; no figure is an old one."""
    turn(logs)
    path = logs / f"token_usage_{ago(3)}.jsonl"
    match change:
        case "late":
            add_late(logs, ago(3), 100)
        case "rewritten":
            path.write_bytes(path.read_bytes().replace(b'"s0"', b'"s9"'))
        case "spill":
            path.with_suffix(".host-1-a.jsonl").write_bytes(
                path.read_bytes().replace(b'"id":"', b'"id":"x')
            )
        case _:
            shutil.copy(path, logs / "copy")
            (logs / "copy").rename(path)
    assert ago(3) not in days_with_details(logs)
    expected = groups(logs)
    turn(logs)
    assert ago(3) in days_with_details(logs)
    assert groups(logs) == expected


def test_they_are_bound_to_the_zone_of_naive_times(logs: Path) -> None:
    """Under another one those are other moments."""
    tokyo = ZoneInfo("Asia/Tokyo")
    turn(logs)
    rotate(logs, now=NOW, naive_zone=tokyo, wishes=Wishes())
    assert days_with_details(logs) == set()
    turn(logs)
    assert len(days_with_details(logs)) == 6


def test_they_fit_in_their_own_zone_alone(logs: Path) -> None:
    """Whatever the sums beside them say."""
    turn(logs)
    listing = list_logs(logs)
    of_day = detailed_days(listing)[ago(3)]
    files = files_by_day(listing)[ago(3)]
    assert of_day.fits(files, UTC)
    assert not of_day.fits(files, ZoneInfo("Asia/Tokyo"))


def test_sealing_a_day_binds_them_anew(logs: Path) -> None:
    """In the same run, to the sealed file."""
    before = groups(logs)
    turn(logs)
    turn(logs, seal_after=2)
    assert len(list(logs.glob("token_usage_*.parquet"))) == 4
    assert len(days_with_details(logs)) == 6
    assert groups(logs) == before


def test_removed_days_lose_theirs_in_the_same_run(logs: Path) -> None:
    """Of them the final sums are left, and no session."""
    turn(logs)
    turn(logs, keep_days=4)
    assert days_with_details(logs) == {ago(n) for n in range(1, 5)}
    assert set(pq.read_table(logs / NAME)["log_day"].to_pylist()) == days_with_details(logs)
    found_ = gathered(logs)
    assert found_.ledger.summary_only_days == [str(ago(6)), str(ago(5))]
    assert found_.summary
    assert found_.details
    turn(logs, keep_days=1, now=NOW + timedelta(days=7), force=True)
    assert NAME not in names(logs)


def test_days_that_somebody_removed_lose_theirs(logs: Path) -> None:
    """The next run throws away what fits no file any more; nothing else is done."""
    turn(logs)
    (logs / f"token_usage_{ago(3)}.jsonl").unlink()
    assert not turn(logs).results
    assert ago(3) not in pq.read_table(logs / NAME)["log_day"].to_pylist()
    assert len(days_with_details(logs)) == 5


def test_a_damaged_footer_is_harmless(logs: Path) -> None:
    """Nobody is told; the records are read, and the next run makes the file anew."""
    before = groups(logs)
    turn(logs)
    (logs / NAME).write_bytes((logs / NAME).read_bytes()[:-9])
    assert days_with_details(logs) == set()
    assert groups(logs) == before
    assert not gathered(logs).ledger.refused
    assert found(logs)["no-details"].fixable
    assert not turn(logs).failures
    assert len(days_with_details(logs)) == 6


def test_damaged_rows_are_harmless(logs: Path) -> None:
    """The records are read; the doctor finds it, and can have them made anew."""
    before = groups(logs)
    turn(logs)
    content = bytearray((logs / NAME).read_bytes())
    content[100:300] = b"?" * 200
    (logs / NAME).write_bytes(content)
    assert groups(logs) == before
    assert gathered(logs).details is None
    assert found(logs)["damaged-details"].where == (NAME,)
    assert f"Removed damaged details: {NAME}" in fix(logs).done
    assert not {"damaged-details", "no-details", "unread-files"} & found(logs).keys()
    assert gathered(logs).details


def test_missing_details_are_a_note(logs: Path) -> None:
    """Not the same as missing summaries: reports are fast all the same."""
    turn(logs)
    (logs / NAME).unlink()
    finding = found(logs)["no-details"]
    assert finding.where == tuple(str(ago(n)) for n in range(6, 0, -1))
    assert "no-summary" not in found(logs)


def test_owner_group_and_mode_are_those_of_the_logs(logs: Path) -> None:
    """A changed file keeps its own."""
    for path in logs.iterdir():
        path.chmod(0o640)
    turn(logs)
    assert (logs / NAME).stat().st_mode & 0o777 == 0o640
    (logs / NAME).chmod(0o600)
    add_late(logs, ago(3), 100)
    turn(logs)
    assert (logs / NAME).stat().st_mode & 0o777 == 0o600


def test_what_is_no_file_is_not_replaced(logs: Path) -> None:
    """A link in their place leads somewhere else: that is said, and sums are made all the same."""
    (logs / NAME).symlink_to("/etc/hostname")
    outcome = turn(logs)
    assert len(outcome.failures) == 6
    assert f"{NAME} is not a regular file" in outcome.failures[0].why
    assert (logs / NAME).is_symlink()
    assert "summary_2026-11.parquet" in names(logs)


def test_a_failure_keeps_no_day_from_being_removed(logs: Path) -> None:
    """Its final sums are safe; retention does not wait for what only saves time."""
    os.mkfifo(logs / NAME)
    turn(logs, keep_days=4)
    assert f"token_usage_{ago(6)}.jsonl" not in names(logs)


def test_a_rotation_under_a_reader_is_noticed(logs: Path) -> None:
    """Details that are new since the directory was listed mean that it is read again."""
    turn(logs)
    add_late(logs, ago(3), 100)
    with Scan(logs, PLAN) as scan:
        (logs / NAME).unlink()
        with pytest.raises(ListingChangedError):
            scan.check_unchanged()
    scan = Scan(logs, PLAN)
    turn(logs)
    found_ = gather(scan)
    assert found_.details
    assert found_.ledger.records == 5


@pytest.mark.slow
@has_strace
def test_killed_anywhere_no_figure_is_wrong(tmp_path: Path) -> None:
    """Before each write, fsync, rename and unlink: a day is read by old, new or no details."""
    start = fill(tmp_path / "start", *map(ago, range(5)))
    turn(start)
    add_late(start, ago(3), 100)
    before: dict[Any, Any] = groups(start)
    killed = kill_everywhere(start, "from keeping import turn", "turn(logs, seal_after=2)", (60, 3))
    for logs in killed:
        assert groups(logs) == before, logs.name
        turn(logs, seal_after=2)
        assert groups(logs) == before, logs.name
        assert days_with_details(logs) == {ago(n) for n in range(1, 5)}


def test_records_of_the_last_hours_are_never_kept(tmp_path: Path) -> None:
    """Today's details would be old at once."""
    write_day(tmp_path, str(ago(0)), [record(f"{ago(0)}T01:00:00Z")])
    turn(tmp_path)
    assert names(tmp_path) == {f"token_usage_{ago(0)}.jsonl"}
    assert len(gathered(tmp_path, PLAN).table) == 1
