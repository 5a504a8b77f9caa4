import signal
from pathlib import Path

import pytest
from support import record, write_day
from writing import python

from tokenusage.cli.output import write_whole
from tokenusage.errors import TokenUsageError, WrongUseError


def test_a_new_file_is_as_open_as_the_umask_lets_it(tmp_path: Path) -> None:
    """A report is for handing on."""
    write_whole(tmp_path / "a", "text")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").read_text() == "text"
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it points to is replaced."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_only_a_regular_file_is_replaced(tmp_path: Path) -> None:
    """A device or a directory stays what it is."""
    for path in (Path("/dev/null"), tmp_path):
        with pytest.raises(WrongUseError, match="not a regular file"):
            write_whole(path, "text")
    with pytest.raises(WrongUseError, match="needs the name of a file"):
        write_whole(Path(), "text")


def test_names_of_logs_are_refused(tmp_path: Path) -> None:
    """Calls would be lost or counted twice; a link of another name is no way round."""
    log = write_day(tmp_path, "2026-11-20", [record()])
    (tmp_path / "link").symlink_to(log)
    before = log.read_bytes()
    for name in (log.name, "link", "token_usage_2026-11-20.new.jsonl", ".tokenusage.lock"):
        with pytest.raises(WrongUseError, match="has a name that log directories keep"):
            write_whole(tmp_path / name, "text")
    assert log.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {log.name, "link"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_that_ends_the_program_leaves_nothing(tmp_path: Path, number: int) -> None:
    """Nor is it another program afterwards: only while a file is written it is told."""
    assert _written_beside(tmp_path, number, "SIG_DFL") == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    """As under nohup."""
    assert _written_beside(tmp_path, signal.SIGHUP, "SIG_IGN") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def _written_beside(directory: Path, number: int, handler: str) -> int:
    """Write a file in a process that sends itself a signal; return its exit code."""
    code = f"""
        import os, signal, sys
        from pathlib import Path
        from tokenusage.cli.output import whole_file
        signal.signal({number}, signal.{handler})
        with whole_file(Path(sys.argv[1]) / "file") as file:
            os.kill(os.getpid(), {number})
        assert signal.getsignal({number}) is signal.{handler}
    """
    process = python(code, directory)
    process.communicate(timeout=60)
    return process.returncode


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    """The old content and no temporary file."""
    old = tmp_path / "old"
    old.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(old, "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert old.read_text() == "old"
    with pytest.raises(TokenUsageError, match="can't be written: No such file or directory"):
        write_whole(tmp_path / "nowhere" / "file", "text")
