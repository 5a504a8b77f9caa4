import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.read.follow import REMEMBERED, Mark, mark_at, read_on, torn_line
from tokenusage.read.segments import LONGEST_LINE, ListingChangedError


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A file that grows, and a descriptor that reads it."""
    path = tmp_path / "log"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    yield path, descriptor
    os.close(descriptor)


def read(descriptor: int, mark: Mark) -> tuple[bytes, Mark]:
    lines = b""
    for appended in read_on(descriptor, mark, os.fstat(descriptor).st_size):
        lines, mark = lines + appended.lines, appended.mark
    return lines, mark


@given(content=st.binary(max_size=600), cuts=st.lists(st.integers(0, 600), max_size=5))
def test_every_line_is_read_once_wherever_the_writes_are_cut(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cuts: list[int]
) -> None:
    """Whole lines in order; what is behind the last newline waits."""
    path = tmp_path_factory.mktemp("log") / "log"
    path.touch()
    descriptor = os.open(path, os.O_RDONLY)
    found, mark = b"", Mark()
    for end in [*sorted(cuts), len(content)]:
        path.write_bytes(content[:end])
        lines, mark = read(descriptor, mark)
        found += lines
    assert found == content[: content.rfind(b"\n") + 1]
    assert torn_line(descriptor, mark, len(content)) == content[len(found) :]
    assert mark == mark_at(descriptor, len(content))
    os.close(descriptor)


def test_truncated_file_is_noticed(log: tuple[Path, int]) -> None:
    """What was read is not there any more."""
    path, descriptor = log
    path.write_bytes(b"one\ntwo\n")
    _, mark = read(descriptor, Mark())
    path.write_bytes(b"")
    with pytest.raises(ListingChangedError):
        read(descriptor, mark)


def test_file_that_was_truncated_and_grew_past_the_place_is_noticed(log: tuple[Path, int]) -> None:
    """The bytes before the place where reading stopped are others."""
    path, descriptor = log
    path.write_bytes(b"one\ntwo\n")
    _, mark = read(descriptor, Mark())
    path.write_bytes(b"six\nten\nnew\n")
    with pytest.raises(ListingChangedError):
        read(descriptor, mark)


def test_line_that_is_too_long_is_passed_over(log: tuple[Path, int]) -> None:
    """It is said, and the line behind it is read."""
    path, descriptor = log
    path.write_bytes(b"x" * (LONGEST_LINE + 1) + b"\nnext\n")
    first, second = read_on(descriptor, Mark(), path.stat().st_size)
    assert (first.too_long, first.mark.offset) == (True, LONGEST_LINE + 2)
    assert len(first.mark.before) == REMEMBERED
    assert second.lines == b"next\n"


def test_line_longer_than_a_step_is_read_whole(log: tuple[Path, int]) -> None:
    """Up to the longest line that there is."""
    path, descriptor = log
    path.write_bytes(b"x" * (LONGEST_LINE - 1) + b"\n")
    lines, _ = read(descriptor, Mark())
    assert len(lines) == LONGEST_LINE
