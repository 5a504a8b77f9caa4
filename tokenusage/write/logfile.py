"""One open log file: its lock, its torn tail, its one write a call."""

import os
import stat
from contextlib import suppress
from datetime import date
from errno import EBADF, EINVAL, EIO, EMLINK, ENOLCK, ENOSYS, ENOTSUP
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Self

from tokenusage.write.forks import renew_after_fork
from tokenusage.write.modes import set_mode

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

_HAS_PREAD: Final = hasattr(os, "pread")  # one call less under the lock; not on Windows
_sync_data = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync

_NO_LOCKS: Final = frozenset({ENOLCK, ENOSYS, ENOTSUP})


class NoLocksError(OSError):
    """The file system has no locks, or none left."""


class NotSyncedError(OSError):
    """Everything was written, but may not be on the disk."""


class LogFile:
    """A log file of one day, open for appending; not thread-safe by itself.

    It closes when nobody uses it any more, so that no thread's descriptor becomes
    another file's under its hands; and at once in a forked child.
    """

    __slots__ = ("__weakref__", "_descriptor", "_device", "_end", "_inode", "_path", "day")

    def __init__(self, path: Path, descriptor: int, day: date) -> None:
        self._descriptor = descriptor
        status = os.fstat(descriptor)
        self._device = status.st_dev
        self._inode = status.st_ino
        renew_after_fork(self)
        self._path = os.fsencode(path)
        self.day = day
        self._end = -1
        """Size after our own last whole line; -1 where that isn't known."""
        if not stat.S_ISREG(status.st_mode):
            raise OSError(EINVAL, "not a regular file", str(path))
        if status.st_nlink > 1:
            raise OSError(EMLINK, "a hard link: it may be somebody else's file", str(path))

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
        file = cls(path, os.open(path, _FLAGS | _SAFETY | os.O_CREAT | os.O_EXCL, mode), day)
        set_mode(file._descriptor, mode, path)
        return file

    @property
    def path(self) -> Path:
        """Where the file stood when it was opened."""
        return Path(os.fsdecode(self._path))

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
            False, with nothing in the file, where the lock was not had, another file
            stands at the path by now, or our descriptor was closed or became another's.

        Raises:
            NoLocksError: the file can't be locked; nothing was written.
            OSError: not all of `data` was written.
        """
        descriptor = self._descriptor
        if descriptor < 0:
            return False
        if deadline is None:
            return self._write(data)
        try:
            try:
                flock(descriptor, _TRY_LOCK)
            except OSError as error:
                if error.errno == EBADF or not self._wait_for_lock(error, deadline):
                    return False
            return self._write(data)
        finally:
            # Even if it is not held: an interrupt may have come between lock and knowing it.
            # In no function of our own: an interrupt could come at its beginning.
            try:
                flock(descriptor, LOCK_UN)
            except OSError:
                self.renew()  # the last close unlocks too

    def sync(self) -> None:
        """Wait until everything appended is on the disk.

        Raises:
            NotSyncedError: it may not be; asking again would not tell (fsync(2)).
        """
        try:
            _sync_data(self._descriptor)
        except OSError as error:
            raise NotSyncedError(error.errno, error.strerror, str(self.path)) from error

    def renew(self) -> None:
        """Close the file, which gives back its lock; appends find it gone from now on."""
        ours = self._is_ours()
        descriptor, self._descriptor = self._descriptor, -1
        if ours:
            # Whatever close says: the descriptor is gone, and every line was answered for.
            with suppress(OSError):
                os.close(descriptor)

    __del__ = renew

    def _write(self, data: bytes) -> bool:
        """Write `data` behind the last whole line; False where it is not in the path's file."""
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            return False
        if status.st_ino != self._inode or status.st_dev != self._device:
            return False
        size = status.st_size
        if size != self._end and size and not self._ends_a_line(size):
            data = b"\n" + data
        self._end = -1
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            if error.errno == EBADF:
                return False
            raise
        if written != len(data):
            missing = f"only {written} of {len(data)} bytes were written"
            raise OSError(EIO, missing, str(self.path))
        self._end = size + written
        # Where the write has ended tells for less than fstat whether it was in our file.
        if size and os.lseek(self._descriptor, 0, os.SEEK_CUR) == self._end:
            return True
        self._end = -1
        return self._is_ours()

    def _is_ours(self) -> bool:
        """Say whether the descriptor is still open, and our file's."""
        try:
            status = os.fstat(self._descriptor)
        except OSError:
            return False
        return status.st_ino == self._inode and status.st_dev == self._device

    def _ends_a_line(self, size: int) -> bool:
        """Say whether the last of `size` bytes is a newline."""
        if _HAS_PREAD:
            return os.pread(self._descriptor, 1, size - 1) == b"\n"
        # Nobody else uses this descriptor's position.
        os.lseek(self._descriptor, size - 1, os.SEEK_SET)
        return os.read(self._descriptor, 1) == b"\n"

    def _wait_for_lock(self, error: OSError, deadline: float) -> bool:
        """Try again for the lock that was refused with `error`, until `deadline` (monotonic)."""
        for attempt in count():
            if error.errno in _NO_LOCKS:
                raise NoLocksError(error.errno, error.strerror) from error
            if not isinstance(error, BlockingIOError):
                raise error
            # A lock is held for microseconds: whoever has it needs the processor more
            # than we need sleep. Unless its process is stopped, or its disk is.
            if attempt < YIELDS:
                os.sched_yield()
            else:
                sleep(PAUSE)
            try:
                flock(self._descriptor, _TRY_LOCK)
            except OSError as again:
                if monotonic() >= deadline:
                    return False
                error = again
            else:
                break
        return True
