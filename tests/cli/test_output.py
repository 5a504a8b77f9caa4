from pathlib import Path

import pytest

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
