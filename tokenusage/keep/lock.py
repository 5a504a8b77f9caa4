"""The one lock of everything that changes what stands in a log directory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tokenusage.errors import BusyError, LogsError

try:
    from fcntl import LOCK_EX, LOCK_NB, flock

    HAS_LOCKS = True
except ImportError:  # Windows
    HAS_LOCKS = False

NAME: Final = ".tokenusage.lock"
"""The file that is locked; it is empty, and stays."""

_FLAGS: Final = sum(
    getattr(os, flag, 0) for flag in ("O_RDWR", "O_CREAT", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK")
)


@contextmanager
def keeping(logs: Path) -> Iterator[None]:
    """Be the only one that changes the directory `logs`, as long as the context lasts.

    It keeps nobody from logging or reading. The lock ends with its process, however
    that ends.

    Raises:
        BusyError: another one is at work.
        LogsError: the directory can't be locked.
    """
    if not HAS_LOCKS:
        raise LogsError(
            "This system has no locks (flock), and log files are only changed under one."
        )
    try:
        descriptor = os.open(logs / NAME, _FLAGS, 0o600)
    except OSError as error:
        raise LogsError(f"{str(logs)!r} can't be locked: {error.strerror}.") from error
    try:
        _open_like(descriptor, logs)
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"Another rotate, forget or doctor --fix is at work in {str(logs)!r}."
            ) from error
        except OSError as error:
            raise LogsError(f"{str(logs)!r} can't be locked: {error.strerror}.") from error
        yield
    finally:
        os.close(descriptor)


def _open_like(descriptor: int, logs: Path) -> None:
    """Give the lock file to whoever the directory belongs to: root's cron locks nobody out."""
    like = logs.stat()
    if os.fstat(descriptor).st_uid == os.geteuid():
        with suppress(PermissionError):
            os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, like.st_mode & 0o666)
