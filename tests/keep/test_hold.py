"""Holding log files still."""

import os
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tokenusage.errors import HeldError
from tokenusage.keep.hold import hold
from tokenusage.logs import DayFile
from tokenusage.read.segments import ListingChangedError
from tokenusage.write.logfile import LogFile

DAY = date(2026, 11, 20)


def day_file(path: Path) -> DayFile:
    path.write_bytes(b"a\n")
    status = path.stat()
    return DayFile.of(path, DAY, status)


def test_no_writer_appends_to_a_held_file(tmp_path: Path) -> None:
    """A writer does not have the lock while the file is held, and has it afterwards."""
    file = day_file(tmp_path / "x")
    writer = LogFile.open(file.path, DAY, 0o600)
    with hold([file]):
        assert not writer.append(b"b\n", deadline=0)
    assert writer.append(b"b\n", deadline=0)


def test_lock_that_is_never_had_is_said(tmp_path: Path) -> None:
    """A process that is stopped in the middle of an append can't stop everything."""
    file = day_file(tmp_path / "x")
    descriptor = os.open(file.path, os.O_RDWR)
    flock(descriptor, LOCK_EX)
    with pytest.raises(HeldError, match="x stays locked"), hold([file], patience=0.01):
        pass
    os.close(descriptor)


def test_file_that_is_no_longer_as_listed_is_not_held(tmp_path: Path) -> None:
    """One that has grown, one in its place and none at all are the same."""
    file = day_file(tmp_path / "x")
    file.path.write_bytes(b"a\nb\n")
    with pytest.raises(ListingChangedError), hold([file]):
        pass
    (tmp_path / "y").write_bytes(b"c\n")
    (tmp_path / "y").replace(file.path)
    with pytest.raises(ListingChangedError), hold([file]):
        pass
    file.path.unlink()
    with pytest.raises(ListingChangedError), hold([file]):
        pass


def test_symlink_is_not_held(tmp_path: Path) -> None:
    """What it points to may be anybody's."""
    file = day_file(tmp_path / "x")
    file.path.rename(tmp_path / "y")
    file.path.symlink_to(tmp_path / "y")
    with pytest.raises(OSError, match="symbolic"), hold([file]):
        pass


def test_locks_are_given_back_after_an_error(tmp_path: Path) -> None:
    """An exception inside leaves no file locked."""
    file = day_file(tmp_path / "x")
    with pytest.raises(KeyboardInterrupt), hold([file]):
        raise KeyboardInterrupt
    with hold([file], patience=0):
        pass
