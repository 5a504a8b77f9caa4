"""Sealing days: what was logged is there in every form, whatever comes in between."""

import os
from pathlib import Path

import orjson
import pytest
from sealing import NAME, footer, lines, names, seal_day, sealed_lines
from support import record, write_day

from tokenusage.errors import SealError
from tokenusage.read.ledger import Rejection
from tokenusage.read.segments import LONGEST_LINE


def test_day_becomes_one_file(tmp_path: Path) -> None:
    """The log file is gone, and the sealed one gives its lines back in their order."""
    write_day(tmp_path, "2026-11-20", lines(*range(100)))
    done = seal_day(tmp_path)
    assert names(tmp_path) == {f"{NAME}.parquet"}
    assert sealed_lines(tmp_path) == lines(*range(100))
    assert done is not None
    assert (done.records, done.rejected) == (100, 0)
    assert done.after == (tmp_path / f"{NAME}.parquet").stat().st_size < done.before


def test_day_without_log_files_is_left_alone(tmp_path: Path) -> None:
    """There is nothing to take in, whether or not the day is sealed."""
    assert seal_day(tmp_path) is None
    write_day(tmp_path, "2026-11-20", lines(1))
    seal_day(tmp_path)
    before = (tmp_path / f"{NAME}.parquet").stat().st_mtime_ns
    assert seal_day(tmp_path) is None
    assert (tmp_path / f"{NAME}.parquet").stat().st_mtime_ns == before


def test_late_records_come_behind_what_is_sealed(tmp_path: Path) -> None:
    """A second sealing takes in new files, spill files among them, in order of name."""
    write_day(tmp_path, "2026-11-20", lines(1, 2))
    seal_day(tmp_path)
    write_day(tmp_path, "2026-11-20", lines(5))
    (tmp_path / f"{NAME}.host-1-a.jsonl").write_bytes(b"\n".join(lines(3, 4)) + b"\n")
    done = seal_day(tmp_path)
    assert done is not None
    assert done.records == 3
    assert sealed_lines(tmp_path) == lines(1, 2, 3, 4, 5)
    assert [source.name for source in footer(tmp_path).sources] == [
        f"{NAME}.host-1-a.jsonl",
        f"{NAME}.jsonl",
    ]


def test_sources_that_outlived_their_sealing_are_not_taken_in_twice(tmp_path: Path) -> None:
    """Killed between putting in place and removing, it removes at the next run."""
    path = write_day(tmp_path, "2026-11-20", lines(1, 2))
    os.link(path, tmp_path / "kept")
    seal_day(tmp_path)
    (tmp_path / "kept").rename(path)
    done = seal_day(tmp_path)
    assert done is not None
    assert done.records == 0
    assert sealed_lines(tmp_path) == lines(1, 2)
    assert names(tmp_path) == {f"{NAME}.parquet"}


def test_what_was_appended_behind_a_taken_in_prefix_is_late(tmp_path: Path) -> None:
    """Of a source that outlived its sealing, only the new lines are taken in."""
    path = write_day(tmp_path, "2026-11-20", lines(1, 2))
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    os.link(path, tmp_path / "kept")
    seal_day(tmp_path)
    (tmp_path / "kept").rename(path)
    with path.open("ab") as file:
        file.write(b"\n" + lines(3)[0] + b"\n")
    assert seal_day(tmp_path) is not None
    assert sealed_lines(tmp_path) == lines(1, 2, 3)


def test_lines_that_are_no_records_are_kept_byte_for_byte(tmp_path: Path) -> None:
    """They go to a file of their own; later ones come behind them."""
    torn, (one, two) = b'{"timestamp":"2026', lines(1, 2)
    write_day(tmp_path, "2026-11-20", [one, b"\xff\x00", b"", torn + two, b"null"])
    done = seal_day(tmp_path)
    assert done is not None
    assert (done.records, done.rejected) == (2, 3)
    write_day(tmp_path, "2026-11-20", [b"x"])
    seal_day(tmp_path)
    rejected = tmp_path / "rejected_2026-11-20.jsonl"
    assert rejected.read_bytes() == b"\xff\x00\n" + torn + b"\nnull\nx\n"
    account = footer(tmp_path).account
    assert (account.lines, account.blank, account.rejected) == (7, 1, 4)
    assert [rejection.line for rejection in account.rejections] == [1, 2, 3, 4]
    assert account.rejections[0] == Rejection(rejected.name, 1, "is not UTF-8")
    assert footer(tmp_path).rejected_bytes == rejected.stat().st_size


def test_rejected_lines_of_a_killed_run_do_no_harm(tmp_path: Path) -> None:
    """What the sealed file does not call its own is replaced."""
    write_day(tmp_path, "2026-11-20", [*lines(1), b"x"])
    (tmp_path / "rejected_2026-11-20.jsonl").write_bytes(b"x\nof a run that was killed\n")
    seal_day(tmp_path)
    assert (tmp_path / "rejected_2026-11-20.jsonl").read_bytes() == b"x\n"


def test_unterminated_last_line_counts_where_it_is_a_whole_record(tmp_path: Path) -> None:
    """Nobody is going to end it any more."""
    path = write_day(tmp_path, "2026-11-20", lines(1))
    (tmp_path / f"{NAME}.host-1-a.jsonl").write_bytes(lines(2)[0][:-1])
    path.write_bytes(lines(1)[0])
    seal_day(tmp_path)
    assert sealed_lines(tmp_path) == lines(1)
    assert (tmp_path / "rejected_2026-11-20.jsonl").read_bytes() == lines(2)[0][:-1] + b"\n"


def test_symlink_in_the_place_of_rejected_lines_is_not_followed(tmp_path: Path) -> None:
    """What it points to may be anybody's: it is neither taken over nor written to."""
    write_day(tmp_path, "2026-11-20", [*lines(1), b"x"])
    seal_day(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret\n")
    (tmp_path / "rejected_2026-11-20.jsonl").unlink()
    (tmp_path / "rejected_2026-11-20.jsonl").symlink_to(tmp_path / "secret")
    write_day(tmp_path, "2026-11-20", [b"y"])
    with pytest.raises(SealError):
        seal_day(tmp_path)
    assert (tmp_path / "secret").read_bytes() == b"secret\n"


@pytest.mark.slow
def test_endless_line_is_copied_and_what_stands_behind_it_sealed(tmp_path: Path) -> None:
    """A line too long to be looked at is rejected, byte for byte."""
    endless = b'{"x":"' + b"y" * (LONGEST_LINE + 5) + b'"}'
    write_day(tmp_path, "2026-11-20", [*lines(1), endless, *lines(2)])
    done = seal_day(tmp_path)
    assert done is not None
    assert (done.records, done.rejected) == (2, 1)
    assert sealed_lines(tmp_path) == lines(1, 2)
    assert (tmp_path / "rejected_2026-11-20.jsonl").read_bytes() == endless + b"\n"


def test_new_files_take_mode_and_owner_of_the_old(tmp_path: Path) -> None:
    """A team's group can read a sealed day as it could the log file."""
    path = write_day(tmp_path, "2026-11-20", [*lines(1), b"x"])
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 54321)
    before = path.stat()
    seal_day(tmp_path)
    for name in (f"{NAME}.parquet", "rejected_2026-11-20.jsonl"):
        after = (tmp_path / name).stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode,
            before.st_uid,
            before.st_gid,
        )


def test_other_programs_read_a_sealed_day(tmp_path: Path) -> None:
    """DuckDB and polars see the same columns as pyarrow, as the file lies."""
    duckdb = pytest.importorskip("duckdb")
    polars = pytest.importorskip("polars")
    write_day(tmp_path, "2026-11-20", [*lines(*range(50)), orjson.dumps(record(tags={"a": 1}))])
    seal_day(tmp_path)
    path = tmp_path / f"{NAME}.parquet"
    totals = duckdb.sql(f"select sum(total_tokens), count(id), max(tags) from '{path}'").fetchall()
    assert totals == [(51 * 110, 50, '{"a":1}')]
    frame = polars.read_parquet(path)
    assert frame["cost_estimate"].to_list() == [0.001] * 51
    assert frame["timestamp"][0].isoformat() == "2026-11-20T12:00:00+00:00"


def test_sealing_again_and_again_changes_no_line(tmp_path: Path) -> None:
    """What is taken over from a sealed file is what was there."""
    for number in range(4):
        write_day(tmp_path, "2026-11-20", lines(number))
        seal_day(tmp_path)
    assert sealed_lines(tmp_path) == lines(0, 1, 2, 3)
    assert footer(tmp_path).account.lines == 4
