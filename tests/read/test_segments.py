"""Cutting files into segments of whole lines."""

import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenusage.logs import DayFile
from tokenusage.read.segments import LONGEST_LINE, ListingChangedError, read_segment, segments


def day_file(path: Path) -> DayFile:
    status = path.stat()
    return DayFile.of(path, date(2026, 11, 20), status)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60).map(lambda b: b.replace(b"a", b"\n")), st.integers(1, 30))
def test_every_line_is_in_exactly_one_segment(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int
) -> None:
    """However a file is cut, its segments put together are the file."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(data)
    read = b""
    for segment in segments(day_file(path), size=size):
        chunk = read_segment(segment, bytearray(size + 1))
        assert bytes(chunk.data[-1:]) in {b"", b"\n"}
        read += bytes(chunk.data) + chunk.tail
    assert read == data


def test_line_far_longer_than_a_segment_is_read_whole(tmp_path: Path) -> None:
    """A long line comes from the segment in which it begins, and the others go on behind it."""
    path = tmp_path / "long.jsonl"
    path.write_bytes(b"a\n" + b"x" * 900_000 + b"\nb\n")
    chunks = [read_segment(s, bytearray(100_001)) for s in segments(day_file(path), size=100_000)]
    assert bytes(chunks[0].data) == b"a\n" + b"x" * 900_000 + b"\n"
    assert b"".join(bytes(chunk.data) for chunk in chunks[1:]) == b"b\n"


def test_endless_line_is_given_up_in_bounded_memory(tmp_path: Path) -> None:
    """A line of 2 GB is left out, and what stands before and behind it is not."""
    path = tmp_path / "endless.jsonl"
    with path.open("wb") as file:
        file.write(b"a\n")
        file.seek(2 << 30)
        file.write(b"\nb\n")
    pieces = list(segments(day_file(path)))
    first, last = pieces[0], pieces[-1]
    chunk = read_segment(first, bytearray(1 << 20))
    assert (bytes(chunk.data), chunk.too_long) == (b"a\n", True)
    assert memoryview(chunk.data.obj).nbytes < 3 * LONGEST_LINE
    assert bytes(read_segment(last, bytearray(1 << 20)).data) == b"b\n"


def test_growth_since_the_listing_is_noticed_but_not_read(tmp_path: Path) -> None:
    """A reader sees a file as long as it was when it was listed."""
    path = tmp_path / "growing.jsonl"
    path.write_bytes(b"a\nb")
    (segment,) = segments(day_file(path))
    path.write_bytes(b"a\nbbb\nc\n")
    chunk = read_segment(segment, bytearray(100))
    assert (bytes(chunk.data), chunk.tail, chunk.growing) == (b"a\n", b"b", True)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """A symlink or FIFO put in the file's place is not followed and hangs nobody."""
    path = tmp_path / "day.jsonl"
    path.write_bytes(b"a\n")
    (segment,) = segments(day_file(path))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(OSError, match="regular"):
        read_segment(segment, bytearray(100))
    path.unlink()
    with pytest.raises(ListingChangedError):
        read_segment(segment, bytearray(100))
    path.symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic link"):
        read_segment(segment, bytearray(100))
