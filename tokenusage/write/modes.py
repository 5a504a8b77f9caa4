"""Permissions of what the logger makes: exactly as configured, where that is allowed."""

import logging
import os
import stat
from pathlib import Path
from typing import Final

logger = logging.getLogger("tokenusage")

_warned: Final[set[int]] = set()
"""Modes whose refusal was warned of in this process."""


def set_mode(target: int | Path, mode: int, path: Path) -> None:
    """Give `target`, a new file's descriptor or a new directory, exactly `mode`.

    A file system that refuses (vfat, some FUSE) costs a warning for each mode, and
    no record: what is made has the mode then that the umask leaves it.
    """
    try:
        if isinstance(target, Path):
            target.chmod(mode)
        elif hasattr(os, "fchmod"):  # not on Windows
            os.fchmod(target, mode)
    except OSError as error:
        if stat.S_IMODE(path.stat().st_mode) != mode and mode not in _warned:
            _warned.add(mode)
            logger.warning("%s can't have the mode %o (%s)", path, mode, error.strerror)
