"""Holding log files still: while their locks are held, no writer appends to them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from errno import ENOLCK, ENOSYS, ENOTSUP
from time import monotonic, sleep
from typing import Final

from tokenusage.errors import HeldError
from tokenusage.logs import DayFile
from tokenusage.read.segments import ListingChangedError, open_regular

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows, where every writer has a file of its own
    HAS_LOCKS = False
else:
    HAS_LOCKS = True

PATIENCE: Final = 5.0
"""Seconds to wait for the locks: a writer holds one for microseconds, unless it is stopped."""

_PAUSE: Final = 0.001
_NO_LOCKS: Final = frozenset({ENOLCK, ENOSYS, ENOTSUP})


@contextmanager
def hold(
    files: Sequence[DayFile], patience: float = PATIENCE, *, growing: bool = False
) -> Iterator[None]:
    """Hold the locks of log files that are exactly as they were listed.

    With `growing`, they may have become longer meanwhile.

    Inside, a file may be replaced or removed: a writer that waits for its lock looks
    afterwards whether the file at its path is still the one it has opened. Where the
    file system has no locks, only what was listed is looked at: every writer has a
    file of its own there.

    Raises:
        HeldError: another process has kept a lock for `patience` seconds.
        ListingChangedError: a file has grown, is gone, or is another one by now.
        OSError: a file can't be opened for writing, or is no regular file.
    """
    deadline = monotonic() + patience
    with ExitStack() as stack:
        for file in files:
            try:
                descriptor = open_regular(os.fspath(file.path), os.O_RDWR | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                _lock(descriptor, file.name, deadline)
                status = os.lstat(file.path)
            except FileNotFoundError as error:
                raise ListingChangedError(file.name) from error
            same = os.path.samestat(status, os.fstat(descriptor))
            grown = status.st_size - file.size
            if not same or status.st_ino != file.inode or grown < 0 or (grown and not growing):
                raise ListingChangedError(file.name)
        yield


def _lock(descriptor: int, name: str, deadline: float) -> None:
    """Take the lock of an open file; closing it gives it back."""
    while HAS_LOCKS:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return
            if not isinstance(error, BlockingIOError):
                raise
            if monotonic() >= deadline:
                raise HeldError(
                    f"{name} stays locked by another process: try again when that is done."
                ) from error
            sleep(_PAUSE)
        else:
            return
