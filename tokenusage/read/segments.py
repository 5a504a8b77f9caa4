"""Cutting day files into segments of whole lines, so that any size is read in bounded memory.

A line belongs to the segment in which it begins, wherever it ends; so segments
can be read in any order, by any thread, and no line is read twice.
"""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from typing import Final

from tokenusage.errors import LogsError
from tokenusage.logs import DayFile

SEGMENT_BYTES: Final = 8 << 20
"""How much of a file is read at a time: little enough to share evenly among threads."""

LONGEST_LINE: Final = 16 << 20
"""Bytes; a longer line is rejected. The logger's own end at `record.MAX_LINE_BYTES`."""

BUFFER_BYTES: Final = SEGMENT_BYTES + (1 << 20)
"""A buffer that holds a segment and the line across its end."""

LISTINGS: Final = 50
"""How often a directory is listed again when it changes while it is read: beside rotations
without a pause about every second reading has to begin anew."""

_STEP: Final = 256 << 10
_NEWLINE: Final = ord("\n")


@dataclass(frozen=True, slots=True)
class Segment:
    """Bytes ``[start, end)`` of a file, as long as it was when it was listed."""

    file: DayFile
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """The lines that begin in a segment."""

    data: memoryview
    """Whole lines, each with its newline; valid until the buffer is used again."""
    tail: bytes = b""
    """The file's last line where it has no newline."""
    growing: bool = False
    """Whether the file has grown past the segment since it was listed."""
    too_long: bool = False
    """Whether a line longer than `LONGEST_LINE` began here and was left out."""


class ListingChangedError(Exception):
    """The directory is no longer what was listed: list it again."""


def segments(file: DayFile, first: int = 0, size: int = SEGMENT_BYTES) -> Iterator[Segment]:
    """Yield the segments of a file from byte `first` on, of `size` bytes each, in order."""
    for start in range(first, file.size, size):
        yield Segment(file, start, min(start + size, file.size))


def read_segment(segment: Segment, buffer: bytearray) -> Chunk:
    """Read the lines that begin in `segment`, into `buffer` where they fit.

    Raises:
        ListingChangedError: the file is gone, or another one stands in its place.
        OSError: it can't be read, or is no regular file.
    """
    try:
        return _read_chunk(segment, buffer)
    except FileNotFoundError as error:
        raise ListingChangedError(segment.file.name) from error


def _read_chunk(segment: Segment, buffer: bytearray) -> Chunk:
    with open(segment.file.path, "rb", buffering=0, opener=open_regular) as file:
        status = os.fstat(file.fileno())
        if status.st_ino != segment.file.inode or status.st_size < segment.file.size:
            raise ListingChangedError(segment.file.name)
        # The byte before the segment tells whether a line begins at its start.
        length = _read(file, buffer, 0, max(segment.start - 1, 0), segment.end)
        begin = buffer.find(b"\n", 0, length) + 1 if segment.start else 0
        if begin == length or (segment.start and not begin):
            return Chunk(memoryview(b""))
        too_long = False
        if buffer[length - 1] != _NEWLINE:
            buffer, length, too_long = _finish_line(file, buffer, length, segment)
        growing = status.st_size > segment.file.size
    whole = max(buffer.rfind(b"\n", begin, length) + 1, begin)
    view = memoryview(buffer)
    tail = b"" if too_long else bytes(view[whole:length])
    return Chunk(view[begin:whole], tail, growing, too_long)


def _finish_line(
    file: FileIO, buffer: bytearray, length: int, segment: Segment
) -> tuple[bytearray, int, bool]:
    """Read on behind the segment until the line that `buffer` ends in does.

    Returns the buffer that holds it, the length of what it holds, and whether
    the line was given up as too long.
    """
    line = buffer.rfind(b"\n", 0, length) + 1
    end = segment.end
    while end < segment.file.size:
        if length - line > LONGEST_LINE:
            return buffer, length, True
        stop = min(end + _STEP, segment.file.size)
        if length + stop - end > len(buffer):
            # A new one: what still looks into the old one forbids to resize it.
            buffer = buffer[:length] + bytearray(max(length, _STEP))
        more = _read(file, buffer, length, end, stop)
        if not more:
            break
        newline = buffer.find(b"\n", length, length + more)
        if newline >= 0:
            return buffer, newline + 1, False
        length += more
        end += more
    return buffer, length, length - line > LONGEST_LINE


def _read(file: FileIO, buffer: bytearray, at: int, start: int, end: int) -> int:
    """Read bytes ``[start, end)`` of a file into `buffer` from `at`; return how many there were."""
    with memoryview(buffer)[at : at + end - start] as view:
        done = 0
        file.seek(start)
        while done < len(view) and (count := file.readinto(view[done:])):
            done += count
    return done


def lines_before(segment: Segment) -> int:
    """Return how many lines of the file begin before the first one that begins in a segment.

    Raises:
        ListingChangedError: the file is gone.
        LogsError: it can't be read.
    """
    if not segment.start:
        return 0
    count, left = 1, segment.start - 1
    try:
        with open(segment.file.path, "rb", buffering=0, opener=open_regular) as file:
            while left and (data := file.read(min(left, _STEP))):
                count += data.count(b"\n")
                left -= len(data)
    except FileNotFoundError as error:
        raise ListingChangedError(segment.file.name) from error
    except OSError as error:
        raise LogsError(f"{segment.file.path} can't be read: {error.strerror}.") from error
    return count


def ends_torn(file: DayFile) -> bool:
    """Return whether a log file ends in the middle of a line.

    Raises:
        OSError: it can't be read.
    """
    if not file.size:
        return False
    with open(file.path, "rb", opener=open_regular) as content:
        content.seek(-1, os.SEEK_END)
        return content.read(1) != b"\n"


def open_regular(path: str, flags: int) -> int:
    """Open a regular file, as an opener of `open`: a symlink is refused, a FIFO can't hang us."""
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return descriptor
