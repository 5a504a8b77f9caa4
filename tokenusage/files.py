"""Putting a new file in the place of an old one, so that a crash leaves one of them whole.

The order is what makes it safe: the new file is written under a temporary name and
synced, renamed, and the directory synced. Only then may what it was made from be
removed.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

TEMPORARY_PREFIX: Final = ".tokenusage-"
TEMPORARY_SUFFIX: Final = ".tmp"


def temporary_path(directory: Path) -> Path:
    """Return a new name in `directory` that no reader looks at; leftovers are known by it."""
    return directory / f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"


def put_in_place(temporary: Path, target: Path, like: os.stat_result | None) -> None:
    """Make `temporary` durable and rename it to `target`, also durably.

    Args:
        temporary: a finished file in the directory of `target`.
        target: where it belongs; what stands there is replaced.
        like: whose owner, group and mode it takes, so that root's cron locks nobody
            out; but nobody else may write to it. None keeps those that it has.

    Raises:
        OSError: it could not be done; `target` is the old file or the new one.
    """
    if like is not None:
        # Nobody but root can give files away, or need.
        with suppress(PermissionError):
            os.chown(temporary, like.st_uid, like.st_gid)
        temporary.chmod(like.st_mode & 0o664)
    sync(temporary)
    temporary.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a directory, are on the disk.

    Raises:
        OSError: they may not be.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
