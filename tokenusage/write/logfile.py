"""One open log file: its lock, its torn tail, its one write a call."""

import os
import stat
from datetime import date
from errno import EINVAL, EIO, EMLINK
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Self

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

    HAS_LOCKS = True
    _TRY_LOCK: Final = LOCK_EX | LOCK_NB
except ImportError:  # Windows
    HAS_LOCKS = False

YIELDS: Final = 50
"""Tries for a lock that is held before the first pause."""

PAUSE: Final = 0.001
"""Seconds between tries after that."""

_FLAGS: Final = os.O_RDWR | os.O_APPEND
_SAFETY: Final = sum(
    # No inheriting, no following of a symlink, no waiting for a FIFO's other end.
    getattr(os, flag, 0)
    for flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")
)

_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class LogFile:
    """A log file of one day, open for appending; not thread-safe by itself."""

    __slots__ = ("_descriptor", "_device", "_end", "_inode", "_path", "day")

    def __init__(self, path: Path, descriptor: int, day: date) -> None:
        self._path = os.fsencode(path)
        self._descriptor = descriptor
        self.day = day
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise OSError(EINVAL, "not a regular file", str(path))
        if status.st_nlink > 1:
            self.close()
            raise OSError(EMLINK, "a hard link: it may be somebody else's file", str(path))
        self._device = status.st_dev
        self._inode = status.st_ino
        self._end = -1
        """Size after our own last whole line; -1 where that isn't known."""

    @classmethod
    def open(cls, path: Path, day: date, mode: int) -> Self:
        """Open the file at `path`, made with exactly `mode` if there is none.

        Raises:
            OSError: it can't be opened, or is a symlink, FIFO, device, directory
                or hard link.
        """
        while True:
            try:
                return cls(path, os.open(path, _FLAGS | _SAFETY), day)
            except FileNotFoundError:
                try:
                    return cls.create(path, day, mode)
                except FileExistsError:
                    continue  # another process was faster

    @classmethod
    def create(cls, path: Path, day: date, mode: int) -> Self:
        """Make the file at `path` with exactly `mode`, whatever the umask.

        Raises:
            FileExistsError: there is something at `path`.
            OSError: it can't be made.
        """
        descriptor = os.open(path, _FLAGS | _SAFETY | os.O_CREAT | os.O_EXCL, mode)
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        return cls(path, descriptor, day)

    def append(self, data: bytes, deadline: float | None) -> bool:
        """Append whole lines with one write, under the file's lock.

        A torn line that somebody has left at the end is terminated first, so that
        it can't swallow ours. A short write is an error, and what was written
        stays: only the next append can tell whose tail it is.

        Args:
            data: One or more lines, each with its newline.
            deadline: When to stop waiting for the lock (monotonic); None appends
                without a lock.

        Returns:
            False, with nothing written, where the lock was not had or another file
            stands at the path by now.

        Raises:
            OSError: not all of `data` was written.
        """
        descriptor = self._descriptor
        if deadline is not None:
            try:
                flock(descriptor, _TRY_LOCK)
            except BlockingIOError:
                if not self._wait_for_lock(deadline):
                    return False
        try:
            status = os.lstat(self._path)
            if status.st_ino != self._inode or status.st_dev != self._device:
                return False
            size = status.st_size
            if size != self._end and size and os.pread(descriptor, 1, size - 1) != b"\n":
                data = b"\n" + data
            self._end = -1
            written = os.write(descriptor, data)
            if written != len(data):
                raise OSError(
                    EIO,
                    f"only {written} of {len(data)} bytes were written",
                    os.fsdecode(self._path),
                )
            self._end = size + written
        except FileNotFoundError:
            return False
        else:
            return True
        finally:
            if deadline is not None:
                flock(descriptor, LOCK_UN)

    def sync(self) -> None:
        """Wait until everything appended is on the disk.

        Raises:
            OSError: it may not be; asking again would not tell (fsync(2)).
        """
        _sync_data(self._descriptor)

    def close(self) -> None:
        """Close the file, which gives back its lock; once closed, does nothing."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()

    def _wait_for_lock(self, deadline: float) -> bool:
        """Try for the lock again and again until `deadline` (monotonic)."""
        for attempt in count():
            # A lock is held for microseconds: whoever has it needs the processor more
            # than we need sleep. Unless its process is stopped, or its disk is.
            if attempt < YIELDS:
                os.sched_yield()
            else:
                sleep(PAUSE)
            try:
                flock(self._descriptor, _TRY_LOCK)
            except BlockingIOError:
                if monotonic() >= deadline:
                    return False
            else:
                break
        return True
