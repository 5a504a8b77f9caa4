"""The log directory of a writer: made at need, its files opened, named and made durable."""

import logging
import os
import platform
import re
import secrets
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

from tokenusage.logs import day_file_name
from tokenusage.write.logfile import HAS_LOCKS, LogFile
from tokenusage.write.modes import set_mode
from tokenusage.write.mounts import locks_work

logger = logging.getLogger("tokenusage")


class Place:
    """A log directory, as one process writes to it.

    New files take `file_mode` and a new directory `directory_mode`, whatever the
    umask. With `sync`, new names are on the disk before anything is written.
    """

    def __init__(self, directory: Path, *, file_mode: int, directory_mode: int, sync: bool) -> None:
        self._directory = directory
        self._file_mode = file_mode
        self._directory_mode = directory_mode
        self._sync = sync
        self.prepared = False
        self.locking = HAS_LOCKS
        """Whether locks hold here between processes, as far as is known by now."""

    def prepare(self) -> None:
        """Make the directory at need and look at what kind of place it is.

        Raises:
            OSError: it can't be made or looked at.
        """
        directory = self._directory
        for missing in reversed([p for p in (directory, *directory.parents) if not p.is_dir()]):
            self._make(missing)
        if not self.prepared and directory.stat().st_mode & stat.S_IWOTH:
            logger.warning("Anybody can write to the log directory %s", directory)
        self.locking = self.locking and locks_work(directory)
        self.prepared = True

    def open_shared(self, day: date) -> LogFile:
        """Open the file of `day` that all processes share, made at need.

        Raises:
            OSError: it can't be opened, or is no plain file.
        """
        return self._open(LogFile.open, day_file_name(day), day)

    def open_spill(self, day: date) -> LogFile:
        """Make a file of `day` that nobody else writes.

        Raises:
            OSError: it can't be made.
        """
        host = re.sub(r"[^A-Za-z0-9_-]", "-", platform.node())[:64] or "host"
        owner = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        return self._open(LogFile.create, f"{Path(day_file_name(day)).stem}.{owner}.jsonl", day)

    def _open(self, how: Callable[[Path, date, int], LogFile], name: str, day: date) -> LogFile:
        path = self._directory / name
        try:
            file = how(path, day, self._file_mode)
        except FileNotFoundError:
            self.prepare()
            file = how(path, day, self._file_mode)
        if self._sync:
            _sync_directory(self._directory)
        return file

    def _make(self, directory: Path) -> None:
        try:
            # Parents are nobody's log directory: the umask decides, as for `mkdir -p`.
            directory.mkdir(self._directory_mode if directory == self._directory else 0o777)
        except FileExistsError:
            return  # another process was faster
        if directory == self._directory:
            set_mode(directory, self._directory_mode, directory)
        if self._sync:
            _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    """Make the names in `directory` as durable as the records are going to be."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
