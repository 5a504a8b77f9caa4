"""What a killed rotation has left."""

import shutil
from pathlib import Path

import pytest
from keeping import ago, fill, names, totals, turn


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with ten days of records, today's among them."""
    return fill(tmp_path / "logs", *map(ago, range(10)))


def test_leftovers_of_a_killed_run_are_removed(logs: Path) -> None:
    """Temporary files, and sources that a sealed file or a final summary has taken in."""
    saved = logs.parent / "saved"
    shutil.copytree(logs, saved)
    before = totals(logs)
    path = logs / f"token_usage_{ago(4)}.jsonl"
    linked = logs.parent / "kept-inode"
    linked.hardlink_to(path)
    turn(logs, keep_days=3)
    linked.rename(path)
    (logs / ".tokenusage-0123456789abcdef.tmp").write_bytes(b"half")
    assert totals(logs) == before
    assert not turn(logs).results
    assert f"token_usage_{ago(4)}.jsonl" not in names(logs)
    assert not [name for name in names(logs) if name.endswith(".tmp")]
    assert totals(logs) == before


def test_another_file_of_that_name_is_no_leftover(logs: Path) -> None:
    """An inode number is used again: the content decides, and it counts as late records."""
    path = logs / f"token_usage_{ago(4)}.jsonl"
    length = path.stat().st_size
    linked = logs.parent / "kept-inode"
    linked.hardlink_to(path)
    turn(logs, keep_days=3)
    linked.rename(path)
    path.write_bytes(path.read_bytes().replace(f"{ago(4)}-".encode(), b"2026-11-1x-"))
    assert path.stat().st_size == length
    calls = totals(logs)["totals"]["calls"]
    assert calls == 33
    turn(logs, keep_days=3)
    assert not path.exists()
    assert totals(logs)["totals"]["calls"] == 33
