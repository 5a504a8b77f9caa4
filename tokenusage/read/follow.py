"""What was appended to a log file since it was last looked at.

Only whole lines are handed on; a torn last line waits for its end. A file is known
again by the bytes before the place where reading stopped. Nothing here needs
pyarrow: a prompt can't wait for it.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tokenusage.read.segments import LONGEST_LINE, SEGMENT_BYTES, ListingChangedError

REMEMBERED: Final = 256
"""Bytes by which a place in a file is known again: most of a line, its id included."""

_STEP: Final = 256 << 10


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a file was read."""

    offset: int = 0
    """Behind the last whole line that was read."""
    before: bytes = b""
    """The bytes before it, at most `REMEMBERED`."""


@dataclass(frozen=True, slots=True)
class Appended:
    """Lines that were appended to a file."""

    lines: bytes
    """Whole lines, each with its newline; empty where one was too long to be read."""
    mark: Mark
    """Where to read on."""

    @property
    def too_long(self) -> bool:
        """Whether this stands for a line longer than `LONGEST_LINE`."""
        return not self.lines


def read_on(descriptor: int, mark: Mark, end: int) -> Iterator[Appended]:
    """Yield the whole lines between `mark` and byte `end` of an open file, in order.

    Raises:
        ListingChangedError: the file no longer holds what was read of it.
        OSError: it can't be read.
    """
    remembered = len(mark.before)
    if end < mark.offset or _read(descriptor, mark.offset - remembered, remembered) != mark.before:
        raise ListingChangedError
    offset, before = mark.offset, mark.before
    while offset < end:
        data = _read(descriptor, offset, min(SEGMENT_BYTES, end - offset))
        data = data[: data.rfind(b"\n") + 1]
        stop = offset + len(data) if data else _end_of_line(descriptor, offset, end)
        if stop is None:
            return
        if not data and stop - offset <= LONGEST_LINE:
            data = _read(descriptor, offset, stop - offset)
        offset = stop
        before = (before + data)[-REMEMBERED:] if data else _bytes_before(descriptor, offset)
        yield Appended(data, Mark(offset, before))


def torn_line(descriptor: int, mark: Mark, end: int) -> bytes:
    """Return what stands behind `mark`, a line without its newline; nothing where it is too long.

    Raises:
        OSError: the file can't be read.
    """
    length = end - mark.offset
    return _read(descriptor, mark.offset, length) if 0 < length <= LONGEST_LINE else b""


def mark_at(descriptor: int, size: int) -> Mark:
    """Return the mark behind the last whole line in the first `size` bytes of a file.

    Raises:
        OSError: the file can't be read.
    """
    stop = size
    while stop > 0:
        start = max(stop - _STEP, 0)
        newline = _read(descriptor, start, stop - start).rfind(b"\n")
        if newline >= 0:
            offset = start + newline + 1
            return Mark(offset, _bytes_before(descriptor, offset))
        stop = start
    return Mark()


def _end_of_line(descriptor: int, offset: int, end: int) -> int | None:
    """Return where the line that begins at `offset` ends, None where it does not yet."""
    while offset < end:
        data = _read(descriptor, offset, min(_STEP, end - offset))
        newline = data.find(b"\n")
        if newline >= 0:
            return offset + newline + 1
        if not data:
            return None
        offset += len(data)
    return None


def _bytes_before(descriptor: int, offset: int) -> bytes:
    start = max(offset - REMEMBERED, 0)
    return _read(descriptor, start, offset - start)


def _read(descriptor: int, start: int, length: int) -> bytes:
    """Return so many bytes of a file from `start` on, fewer where it ends."""
    data = os.pread(descriptor, length, start)
    # A file system may give less than it has.
    while len(data) < length and (
        more := os.pread(descriptor, length - len(data), start + len(data))
    ):
        data += more
    return data
