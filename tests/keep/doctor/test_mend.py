"""What is mended, and that nothing else is touched."""

from pathlib import Path

import pytest
from doctoring import (
    DAY,
    STRAY,
    everything,
    fill,
    fix,
    found,
    look,
    path_of,
    setup,
    tidy,
    with_stray,
)
from keeping import TODAY, ago, totals, turn
from support import write_day

from tokenusage.errors import BusyError
from tokenusage.keep.doctor.mend import mend
from tokenusage.keep.lock import keeping


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with a record in the wrong day's file, and nothing else wrong."""
    return with_stray(tmp_path / "logs")


def test_looking_changes_nothing(logs: Path) -> None:
    """Not a byte, not a time, not even a lock file."""
    (logs / ".tokenusage-1f.tmp").touch()
    logs.chmod(0o777)
    before = everything(logs)
    assert any(finding.fixable for finding in look(logs).findings)
    assert everything(logs) == before


def test_healthy_directory_is_not_touched(tmp_path: Path) -> None:
    """There is nothing to mend, so nothing is locked."""
    fill(tmp_path, TODAY)
    before = everything(tidy(tmp_path))
    mended = fix(tmp_path)
    assert (mended.done, mended.failed) == ([], [])
    assert everything(tmp_path) == before


def test_missing_directory_is_made_as_configured(tmp_path: Path) -> None:
    """With the permissions that the logger would give it, whatever the umask."""
    mended = fix(tmp_path / "a" / "logs", directory_mode=0o750)
    assert (tmp_path / "a" / "logs").stat().st_mode & 0o777 == 0o750
    assert mended.done == ["Made the directory, with the permissions 0750"]


def test_permissions_become_as_configured(logs: Path) -> None:
    """Those of the directory and of every file; set-group-ID stays."""
    logs.chmod(0o2777)
    path_of(logs, TODAY).chmod(0o666)
    fix(logs)
    assert logs.stat().st_mode & 0o7777 == 0o2700
    assert path_of(logs, TODAY).stat().st_mode & 0o777 == 0o600
    assert "permissions" not in found(logs)


def test_link_is_not_followed(logs: Path, tmp_path: Path) -> None:
    """What it leads to may be anybody's, and so may be the file with a second name."""
    secret = tmp_path / "secret"
    secret.write_text("")
    secret.chmod(0o644)
    path_of(logs, ago(3)).symlink_to(secret)
    path_of(logs, ago(2)).hardlink_to(secret)
    mended = fix(logs)
    assert secret.stat().st_mode & 0o777 == 0o644
    assert any("second name" in sentence for sentence in mended.failed)


def test_torn_tail_is_ended(logs: Path) -> None:
    """By a newline and nothing else."""
    path = path_of(logs, DAY)
    before = path.read_bytes() + b'{"timestamp":'
    path.write_bytes(before)
    mended = fix(logs)
    assert f"Ended the last line of {path.name}" in mended.done
    assert path.read_bytes().endswith(b'\n{"timestamp":\n')
    assert "torn-tails" not in found(logs)


def test_one_run_leaves_no_permissions_to_mend(logs: Path, tmp_path: Path) -> None:
    """Neither of a file that was one with another name, nor of the summary."""
    path_of(logs, DAY).chmod(0o666)
    (tmp_path / "elsewhere").hardlink_to(path_of(logs, DAY))
    assert fix(logs).failed == []
    assert {path.stat().st_mode & 0o777 for path in logs.iterdir()} == {0o600}
    assert not any(finding.fixable for finding in look(logs).findings)
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o666


def test_mending_twice_changes_nothing_more(logs: Path) -> None:
    """The second time finds nothing to do."""
    fix(logs)
    before = everything(logs)
    assert fix(logs).done == []
    assert everything(logs) == before


def test_spill_file_whose_writer_may_be_alive_is_left(logs: Path) -> None:
    """It has no lock that could be asked."""
    path = write_day(logs, f"{ago(1)}.web-7-1f", [STRAY])
    before = path.read_bytes()
    fix(tidy(logs))
    assert path.read_bytes() == before


def test_leftovers_go_and_summaries_come(logs: Path) -> None:
    """As at every rotation; no record is removed."""
    (logs / ".tokenusage-1f.tmp").touch()
    mended = fix(logs)
    assert not (logs / ".tokenusage-1f.tmp").exists()
    assert "Removed leftovers of a killed run: 1" in mended.done
    assert "Made summaries of closed days: 2" in mended.done
    assert found(logs).keys() == {"rejected-lines"}


def test_file_that_was_taken_in_goes(logs: Path, tmp_path: Path) -> None:
    """A sealed file holds its records; its torn tail and its strays are left alone until then."""
    path = path_of(logs, DAY)
    path.write_bytes(path.read_bytes() + b"{")
    (tmp_path / "kept").hardlink_to(path)
    turn(logs, seal_after=1)
    figures = totals(logs)
    (tmp_path / "kept").rename(path)
    assert f"Ended the last line of {path.name}" not in fix(logs).done
    assert not path.exists()
    assert totals(logs) == figures


def test_nothing_is_done_beside_a_rotate(logs: Path) -> None:
    """It is told that another is at work."""
    logs.chmod(0o777)
    with keeping(logs):
        before = everything(logs)
        with pytest.raises(BusyError):
            mend(setup(logs), look(logs))
        assert everything(logs) == before
