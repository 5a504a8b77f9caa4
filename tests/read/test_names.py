from pathlib import Path

import pytest
from support import record, run, write_day

from tokenusage.errors import LogsError
from tokenusage.read.names import names_in


def test_names_come_from_the_log_files_once_and_in_order(tmp_path: Path) -> None:
    """Numbers are texts, null is no name, and lines that are no records say nothing."""
    lines = [record(user_id=user) for user in (7, "b", None, "7", "a")]
    broken = [b"", b"null", b"[1]", b'{"user_id": {"x": 1}}', b'{"user_id": "torn', b"\xff\x00"]
    write_day(tmp_path, "2026-11-20", [*broken, *lines])
    assert names_in(tmp_path, "user_id") == ["7", "a", "b"]
    assert names_in(tmp_path, "model_name") == ["gpt-4o-mini"]


def test_only_the_end_of_the_newest_files_is_read(tmp_path: Path) -> None:
    """A megabyte, across files; the line that begins before it is left out."""
    write_day(tmp_path, "2026-11-18", [record(user_id="oldest")])
    filler = record(user_id="between", query="x" * 2000)
    write_day(tmp_path, "2026-11-19", [record(user_id="older"), *[filler] * 500])
    write_day(tmp_path, "2026-11-20", [record(user_id="newest")])
    assert names_in(tmp_path, "user_id") == ["between", "newest"]


def test_summaries_have_the_names_of_days_that_are_gone(tmp_path: Path) -> None:
    """One column of them is read."""
    for day, user in (("2026-10-31", "old"), ("2026-11-01", "new")):
        write_day(tmp_path / "logs", day, [record(f"{day}T10:00:00+00:00", user_id=user)])
    assert run("rotate", "--keep-days", "1", "--force", cwd=tmp_path).returncode == 0
    assert not list((tmp_path / "logs").glob("*.jsonl"))
    assert names_in(tmp_path / "logs", "user_id") == ["new", "old"]


def test_what_is_no_summary_says_nothing(tmp_path: Path) -> None:
    """A damaged file does not keep the others from being read."""
    write_day(tmp_path, "2026-11-20", [record()])
    (tmp_path / "summary_2026-10.parquet").write_bytes(b"PAR1 no more")
    assert names_in(tmp_path, "user_id") == ["1"]


def test_without_a_directory_there_are_no_names(tmp_path: Path) -> None:
    """Who asks decides what that means."""
    with pytest.raises(LogsError):
        names_in(tmp_path / "none", "user_id")
