import os
from pathlib import Path

import pytest
from writing import python

from tokenusage.errors import BusyError, LogsError
from tokenusage.keep.lock import NAME, keeping

HOLD = """
    import sys
    from pathlib import Path
    from tokenusage.keep.lock import keeping
    with keeping(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


def test_another_process_keeps_us_out_until_it_ends(tmp_path: Path) -> None:
    """The second one is told that the first is at work; killed, the first leaves no lock."""
    first = python(HOLD, tmp_path)
    assert first.stdout
    assert first.stdout.readline() == "held\n"
    with pytest.raises(BusyError, match="at work in") as caught, keeping(tmp_path):
        pass
    assert caught.value.exit_code == 75
    first.kill()
    first.communicate()
    with keeping(tmp_path):
        pass


def test_the_lock_is_given_back(tmp_path: Path) -> None:
    """Also when what was done under it failed."""
    with pytest.raises(ZeroDivisionError), keeping(tmp_path):
        raise ZeroDivisionError
    with keeping(tmp_path):
        pass


def test_the_lock_keeps_nobody_out_for_good(tmp_path: Path) -> None:
    """Its file is as open as the directory, and belongs to whom the directory belongs."""
    tmp_path.chmod(0o770)
    if os.geteuid() == 0:
        os.chown(tmp_path, 65534, 65534)
    with keeping(tmp_path):
        pass
    status, of_directory = (tmp_path / NAME).stat(), tmp_path.stat()
    assert status.st_mode & 0o777 == 0o660
    assert (status.st_uid, status.st_gid) == (of_directory.st_uid, of_directory.st_gid)


@pytest.mark.parametrize("target", ["nowhere", "victim"])
def test_a_link_in_its_place_is_refused(tmp_path: Path, target: str) -> None:
    """Nothing is made or changed at its other end."""
    (tmp_path / "victim").write_text("mine")
    (tmp_path / NAME).symlink_to(tmp_path / target)
    with pytest.raises(LogsError, match="can't be locked"), keeping(tmp_path):
        pass
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "victim").stat().st_mode & 0o777 == 0o644
