"""From a log directory to the frame of calls and its ledger."""

from datetime import UTC, date
from pathlib import Path

import orjson
import pandas as pd
import pytest
from support import record, write_day

from tokenusage.errors import LogsError
from tokenusage.read.calls import frame_of
from tokenusage.read.forms import Plan
from tokenusage.read.gather import gather
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import Scan

TODAY = date(2026, 11, 22)
DAY = "2026-11-20"
LINE = orjson.dumps(record(f"{DAY}T10:00:00Z"))


def read(logs: Path, **bounds: int) -> tuple[pd.DataFrame, Ledger]:
    with Scan(logs, Plan(None, None, (), UTC, TODAY)) as scan:
        table, _, ledger, _ = gather(scan, **bounds)
        return frame_of(table, scan.plan.fields), ledger


def balance(ledger: Ledger) -> int:
    return (
        ledger.blank
        + ledger.rejected
        + ledger.duplicates
        + ledger.outside
        + ledger.filtered
        + ledger.records
    )


def test_every_line_is_accounted_for(tmp_path: Path) -> None:
    """Lines = blank + rejected + duplicates + outside + filtered + records."""
    outside = record("2026-11-20T00:00:00+00:00")
    twice = record(id="a")
    write_day(tmp_path, DAY, [b"", b"bad", outside, twice, twice, record(), b'{"torn' + b"{}"])
    frame, ledger = read(tmp_path, start=1_795_132_800_000_001 + 1)
    assert (ledger.lines, ledger.blank, ledger.rejected) == (7, 1, 2)
    assert (ledger.duplicates, ledger.outside, ledger.records) == (1, 1, 2)
    assert len(frame) == 2
    assert ledger.lines == balance(ledger)


def test_rejected_lines_are_findable(tmp_path: Path) -> None:
    """A rejection names its file, its line and its reason, across segments and salvage."""
    glued = b'{"timestamp":"20' + LINE
    write_day(tmp_path, DAY, [record(), b"bad", glued, record(), b"worse"])
    _, ledger = read(tmp_path)
    name = f"token_usage_{DAY}.jsonl"
    assert [(r.file, r.line) for r in ledger.rejections] == [(name, 2), (name, 3), (name, 5)]
    assert ledger.lines == 6 == balance(ledger)


def test_dirty_and_clean_files_give_the_same_frame(tmp_path: Path) -> None:
    """One bad line changes the way a file is read, not what is read from it."""
    records = [record(user_id=n % 3, cost_estimate=n / 7, id=f"{n:024}") for n in range(500)]
    write_day(tmp_path / "clean", DAY, records)
    write_day(tmp_path / "dirty", DAY, [b"bad", *records])
    clean, _ = read(tmp_path / "clean")
    dirty, ledger = read(tmp_path / "dirty")
    pd.testing.assert_frame_equal(clean, dirty)
    assert ledger.rejected == 1


def test_spill_files_are_part_of_their_day(tmp_path: Path) -> None:
    """Everything that begins with the day's name is the day, each id once."""
    write_day(tmp_path, DAY, [record(id="a"), record(id="b")])
    write_day(tmp_path, f"{DAY}.host-7-abc", [record(id="b"), record(id="c")])
    _, ledger = read(tmp_path)
    assert (ledger.files, ledger.records, ledger.duplicates) == (2, 3, 1)


def test_first_of_two_records_with_an_id_counts(tmp_path: Path) -> None:
    """First is by file name, then by line, and the rows keep that order."""
    write_day(tmp_path, DAY, [record(id="a", user_id=3), record(id="c", user_id=4)])
    write_day(
        tmp_path,
        f"{DAY}.host-7-abc",
        [record(id="a", user_id=1), record(user_id=2), record(id="a", user_id=5)],
    )
    assert read(tmp_path)[0]["user"].tolist() == ["1", "2", "4"]


def test_id_is_a_duplicate_within_a_utc_day_only(tmp_path: Path) -> None:
    """An id may come again on another day, and in the wrong day's file it is still found."""
    write_day(tmp_path, DAY, [record(id="a"), record("2026-11-21T12:00:00Z", id="a")])
    write_day(tmp_path, "2026-11-21", [record("2026-11-21T13:00:00Z", id="a")])
    frame, ledger = read(tmp_path)
    assert (ledger.records, ledger.duplicates) == (2, 1)
    assert frame["time"].tolist() == [1_795_176_000_000_000, 1_795_262_400_000_000]


def test_records_without_an_id_all_count(tmp_path: Path) -> None:
    """Two equal lines are two calls where nothing says otherwise."""
    write_day(tmp_path, DAY, [record(), record(), record(id="a"), record(id="a")])
    assert read(tmp_path)[1].records == 3


def unterminated(logs: Path, day: str, last: bytes) -> Ledger:
    path = write_day(logs, day, [record(f"{day}T12:00:00Z")])
    path.write_bytes(path.read_bytes() + last)
    return read(logs)[1]


def test_whole_record_without_a_newline_counts(tmp_path: Path) -> None:
    """No strict prefix of a record is one, so a whole one is whole."""
    assert unterminated(tmp_path, DAY, LINE).records == 2


def test_torn_line_is_in_flight_on_its_day_and_rejected_later(tmp_path: Path) -> None:
    """Half a line in today's and yesterday's file is not counted yet; in older ones it is lost."""
    assert unterminated(tmp_path / "a", "2026-11-21", LINE[:50]).lines == 1
    older = unterminated(tmp_path / "b", "2026-11-20", LINE[:50])
    assert (older.lines, older.rejected) == (2, 1)


def test_totals_never_shrink_while_a_file_grows(tmp_path: Path) -> None:
    """A reader beside a writer counts each line once, as soon as it is whole."""
    path = write_day(tmp_path, "2026-11-22", [record(f"2026-11-22T1{n}:00:00Z") for n in range(3)])
    data = path.read_bytes()
    counts = []
    for cut in range(0, len(data) + 1, 7):
        path.write_bytes(data[:cut])
        _, ledger = read(tmp_path)
        assert ledger.rejected == 0
        counts.append(ledger.records)
    assert counts == sorted(counts)


def test_empty_directory_and_empty_files_are_empty_frames(tmp_path: Path) -> None:
    """No logs are no calls."""
    assert len(read(tmp_path)[0]) == 0
    write_day(tmp_path, DAY, [])
    frame, ledger = read(tmp_path)
    assert (len(frame), ledger.files) == (0, 1)


def test_file_that_can_not_be_read_says_so(tmp_path: Path) -> None:
    """What is no log is refused by name, what is missing is an error."""
    (tmp_path / f"token_usage_{DAY}.jsonl").symlink_to("/etc/hostname")
    _, ledger = read(tmp_path)
    assert ledger.refused == [f"token_usage_{DAY}.jsonl is not a regular file and was not read"]
    with pytest.raises(LogsError, match="There is no log directory"):
        read(tmp_path / "missing")


def test_directory_that_changes_under_the_reader_is_read_again(tmp_path: Path) -> None:
    """A file that was replaced or removed after the listing is found as it is now."""
    path = write_day(tmp_path, DAY, [record()])
    gone = write_day(tmp_path, "2026-11-19", [record("2026-11-19T12:00:00Z")])
    scan = Scan(tmp_path, Plan(None, None, (), UTC, TODAY))
    gone.unlink()
    path.rename(tmp_path / f"token_usage_{DAY}.1.jsonl")
    write_day(tmp_path, DAY, [record(), record()])
    assert gather(scan).ledger.records == 3


def test_large_files_are_read_by_threads_in_order(tmp_path: Path) -> None:
    """Beyond one segment the rows still come in order of file and line, rejections numbered."""
    padding = "x" * 2000
    for day in ("2026-11-19", DAY):
        lines = [record(f"{day}T10:00:00Z", user_id=n, query=padding) for n in range(2000)]
        write_day(tmp_path, day, [*lines, b"bad"])
    frame, ledger = read(tmp_path)
    assert frame["user"].astype(int).tolist() == [*range(2000), *range(2000)]
    assert [r.line for r in ledger.rejections] == [2001, 2001]
