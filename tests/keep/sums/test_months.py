import os
from datetime import UTC, date
from pathlib import Path

import pytest
from keeping import TODAY, ago, fill, turn
from writing import finish, python

from tokenusage.errors import LogsError
from tokenusage.keep.sums.final import summary_of
from tokenusage.keep.sums.months import Summary, read_summary, write_month
from tokenusage.keep.sums.summarise import summarise
from tokenusage.logs import list_logs
from tokenusage.read.summaries import SCHEMA, Month

DAY = date(2026, 10, 30)


def summed_up(logs: Path, day: date) -> Summary:
    return summary_of(summarise(logs, day, naive_zone=UTC, today=TODAY))


def put(logs: Path, *days: date) -> list[Summary]:
    """Write the summaries of days of one month, and return them."""
    summaries = [summed_up(logs, day) for day in days]
    write_month(logs, summaries, logs.stat())
    return summaries


def test_days_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Rows and account, in order of day, in whatever order they were written."""
    other = DAY.replace(day=2)
    (later,) = put(fill(tmp_path, DAY, other), DAY)
    (earlier,) = put(tmp_path, other)
    for expected in (earlier, later):
        found = read_summary(tmp_path, expected.of_day.day)
        assert found
        assert found.of_day == expected.of_day
        assert found.table.equals(expected.table)
    (file,) = list_logs(tmp_path).summaries
    with Month(file) as month:
        assert list(month.days) == [other, DAY]


def test_a_day_without_records_has_no_rows(tmp_path: Path) -> None:
    """Its account is kept, and the days beside it are found all the same."""
    empty = DAY.replace(day=1)
    fill(tmp_path, empty, count=0)
    put(fill(tmp_path, DAY), empty, DAY)
    found, beside = read_summary(tmp_path, empty), read_summary(tmp_path, DAY)
    assert found
    assert beside
    assert (found.of_day.rows, found.table.num_rows) == (0, 0)
    assert beside.of_day.rows == beside.table.num_rows > 0


def test_other_days_stay_as_they_are(tmp_path: Path) -> None:
    """Only the days that are given are replaced."""
    other = DAY.replace(day=2)
    put(fill(tmp_path, DAY, other, count=2), DAY, other)
    put(fill(tmp_path, DAY, count=5), DAY)
    for day, count in ((other, 2), (DAY, 5)):
        summary = read_summary(tmp_path, day)
        assert summary
        assert sum(summary.table["calls"].to_pylist()) == count


def test_a_month_that_says_it_already_stays(tmp_path: Path) -> None:
    """It is not written anew for days whose files are as they were."""
    put(fill(tmp_path, DAY), DAY)
    before = (tmp_path / "summary_2026-10.parquet").stat().st_mtime_ns
    put(tmp_path, DAY)
    assert (tmp_path / "summary_2026-10.parquet").stat().st_mtime_ns == before


def test_a_final_summary_is_replaced_by_a_final_one_alone(tmp_path: Path) -> None:
    """It is all that is left of its day."""
    turn(fill(tmp_path, DAY, ago(1)), keep_days=1, force=True)
    before = read_summary(tmp_path, DAY)
    put(fill(tmp_path, DAY, count=7), DAY)
    assert read_summary(tmp_path, DAY) == before
    assert before
    assert before.of_day.final


def test_a_damaged_month_is_not_replaced(tmp_path: Path) -> None:
    """It may hold the only sums of days that are gone; the sentence says what to do."""
    put(fill(tmp_path, DAY), DAY)
    path = tmp_path / "summary_2026-10.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    damaged = path.read_bytes()
    with pytest.raises(LogsError, match=r"summary_2026-10.parquet is damaged.*Move it away"):
        put(tmp_path, DAY)
    assert path.read_bytes() == damaged
    assert not list(tmp_path.glob(".tokenusage-*"))


def test_what_the_disk_has_changed_does_not_replace_anything(tmp_path: Path) -> None:
    """The new file is read back and compared before it takes the old one's place."""
    code = """
        import os, sys
        from datetime import UTC, date
        from pathlib import Path
        from keeping import NOW, TODAY
        from tokenusage.errors import SealError
        from tokenusage.keep.sums import months
        from tokenusage.keep.sums.final import summary_of
        from tokenusage.keep.sums.summarise import summarise
        logs, offset = Path(sys.argv[1]), int(sys.argv[2])
        day = date(2026, 10, 30)
        summary = summary_of(summarise(logs, day, naive_zone=NOW.tzinfo, today=TODAY))
        damaged = []
        def damage(event, arguments):
            if event != "open" or damaged or not str(arguments[0]).endswith(".tmp"):
                return
            # When it is opened for reading it has been written.
            if arguments[2] & os.O_ACCMODE == os.O_RDONLY:
                damaged.append(arguments[0])
                with open(arguments[0], "r+b") as file:
                    byte = os.pread(file.fileno(), 1, offset)[0]
                    os.pwrite(file.fileno(), bytes([byte ^ 0x55]), offset)
        sys.addaudithook(damage)
        try:
            months.write_month(logs, [summary], os.stat(logs))
        except SealError as error:
            print(error)
    """
    put(fill(tmp_path, DAY), DAY)
    fill(tmp_path, DAY, count=4)
    path = tmp_path / "summary_2026-10.parquet"
    before = path.read_bytes()
    for offset in (0, 60, len(before) // 2, len(before) - 20):
        said = finish(python(code, tmp_path, offset))
        assert "damaged on the disk; nothing was replaced" in said
    assert path.read_bytes() == before
    assert not list(tmp_path.glob(".tokenusage-*"))


def test_owner_group_and_mode_stay(tmp_path: Path) -> None:
    """A new file takes those of the log, a changed one its own: root's cron locks nobody out."""
    fill(tmp_path, ago(1))
    log = tmp_path / f"token_usage_{ago(1)}.jsonl"
    log.chmod(0o640)
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(log, 65534, 65533)
    turn(tmp_path)
    path = tmp_path / "summary_2026-11.parquet"
    status = path.stat()
    assert status.st_mode & 0o777 == 0o640
    assert not as_root or (status.st_uid, status.st_gid) == (65534, 65533)
    path.chmod(0o600)
    turn(fill(tmp_path, ago(1), count=9))
    assert path.stat().st_mode & 0o777 == 0o600
    assert not as_root or path.stat().st_gid == 65533


@pytest.mark.parametrize("library", ["duckdb", "polars"])
def test_other_programs_read_it_as_it_lies(tmp_path: Path, library: str) -> None:
    """The sums are columns like any other's."""
    module = pytest.importorskip(library)
    put(fill(tmp_path, DAY), DAY)
    path = str(tmp_path / "summary_2026-10.parquet")
    if library == "duckdb":
        found = module.sql(f"select sum(calls), sum(cost) from '{path}'").fetchall()[0]
    else:
        found = module.read_parquet(path).select("calls", "cost").sum().row(0)
    assert [float(number) for number in found] == [3, 3.3]
    assert SCHEMA.names[:2] == ["log_day", "day"]
