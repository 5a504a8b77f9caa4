"""Appending whole lines to the files of days, beside any number of other processes.

Every append takes the process's mutex and the file's flock, makes sure that the
file it holds is the one at the path, and writes with one call. Where the lock
can't be had in time, or locks can't be trusted, the process has a spill file of
its own. Nothing is buffered: an append that has returned is in the file.
"""

import logging
import os
import platform
import re
import secrets
import stat
import threading
from datetime import date
from errno import EAGAIN, ENOLCK, ENOSYS, ENOTSUP, ESTALE
from pathlib import Path
from time import monotonic
from typing import Final

from tokenusage.logs import day_file_name
from tokenusage.write.forks import renew_after_fork
from tokenusage.write.logfile import HAS_LOCKS, LogFile
from tokenusage.write.mounts import locks_work

logger = logging.getLogger("tokenusage")

PATIENCE: Final = 0.25
"""Seconds that an append waits for mutex and lock together."""

SPILL_PATIENCE: Final = 0.05
"""Seconds that an append waits for the spill file, which only its own process writes."""

AVOIDANCE: Final = 60.0
"""Seconds without trying, after a lock was not had."""

_NO_LOCKS: Final = frozenset({ENOLCK, ENOSYS, ENOTSUP})


class Appender:
    """Appends lines to the day files of `directory`; safe for threads and forks.

    New files take `file_mode` and a new directory `directory_mode`, whatever the
    umask. With `sync`, an append returns only when its bytes are on the disk.
    """

    def __init__(
        self,
        directory: Path,
        *,
        file_mode: int = 0o600,
        directory_mode: int = 0o700,
        sync: bool = False,
    ) -> None:
        self._directory = directory
        self._file_mode = file_mode
        self._directory_mode = directory_mode
        self._sync = sync
        self._shared: LogFile | None = None
        self._spill: LogFile | None = None
        self._locking = HAS_LOCKS
        self._avoid_until = 0.0
        self._prepared = False
        self._mutex = threading.Lock()
        self._spill_mutex = threading.Lock()
        renew_after_fork(self)

    def append(self, day: date, data: bytes) -> None:
        r"""Append `data`, whole lines that end in "\n", to the file of the UTC day `day`.

        Raises:
            OSError: not every byte was written. What was stays there, and the next
                append keeps clear of it.
        """
        if not self._prepared:
            self._prepare()
        started = monotonic()
        if self._locking and started >= self._avoid_until:
            mutex = self._mutex  # a fork in a signal handler would replace it
            if mutex.acquire(blocking=False) or mutex.acquire(timeout=PATIENCE):
                try:
                    if self._append_shared(day, data, started + PATIENCE):
                        return
                except OSError as error:
                    if error.errno not in _NO_LOCKS:
                        raise
                    self._locking = False
                finally:
                    mutex.release()
            self._avoid_until = monotonic() + AVOIDANCE
        self._append_spill(day, data)

    def close(self) -> None:
        """Close the files; an append after this opens them again (spill files: new ones)."""
        with self._mutex, self._spill_mutex:
            self._close_files()

    def renew(self) -> None:
        """Let go of what a forked child has inherited: descriptors and locks."""
        self._close_files()
        self._mutex = threading.Lock()
        self._spill_mutex = threading.Lock()

    def _append_shared(self, day: date, data: bytes, deadline: float) -> bool:
        """Append to the file that all processes share; False where the lock isn't had."""
        file = self._shared
        if file is None or file.day != day:
            file = self._open_shared(day)
        while not file.append(data, deadline):
            if monotonic() >= deadline:
                return False
            file = self._open_shared(day)  # it was renamed or removed under us
        if self._sync:
            # Behind the lock: others need not wait for our disk.
            file.sync()
        return True

    def _append_spill(self, day: date, data: bytes) -> None:
        """Append to the file that only this process writes."""
        mutex = self._spill_mutex
        if not mutex.acquire(timeout=SPILL_PATIENCE):
            raise OSError(EAGAIN, "other threads are still writing")
        try:
            file = self._spill
            if file is None or file.day != day or not self._append_own(file, data):
                file = self._open_spill(day)
                if not self._append_own(file, data):
                    raise OSError(ESTALE, "the new spill file was removed", str(self._directory))
            if self._sync:
                file.sync()
        finally:
            mutex.release()

    def _append_own(self, file: LogFile, data: bytes) -> bool:
        # Locked too, where that means something: against whoever replaces files.
        return file.append(data, deadline=0.0 if self._locking else None)

    def _open_shared(self, day: date) -> LogFile:
        old, self._shared = self._shared, None
        if old is not None:
            old.close()
        path = self._directory / day_file_name(day)
        try:
            file = LogFile.open(path, day, self._file_mode)
        except FileNotFoundError:
            self._prepare()
            file = LogFile.open(path, day, self._file_mode)
        self._sync_directory()
        self._shared = file
        return file

    def _open_spill(self, day: date) -> LogFile:
        old, self._spill = self._spill, None
        if old is not None:
            old.close()
        host = re.sub(r"[^A-Za-z0-9_-]", "-", platform.node())[:64] or "host"
        owner = f"{host}-{os.getpid()}-{secrets.token_hex(4)}"
        path = self._directory / f"{Path(day_file_name(day)).stem}.{owner}.jsonl"
        try:
            file = LogFile.create(path, day, self._file_mode)
        except FileNotFoundError:
            self._prepare()
            file = LogFile.create(path, day, self._file_mode)
        self._sync_directory()
        self._spill = file
        return file

    def _prepare(self) -> None:
        """Make the directory at need and look at what kind of place it is."""
        directory = self._directory
        if not directory.is_dir():
            directory.parent.mkdir(parents=True, exist_ok=True)
            try:
                directory.mkdir(self._directory_mode)
            except FileExistsError:
                pass  # another process was faster
            else:
                directory.chmod(self._directory_mode)
        if not self._prepared and directory.stat().st_mode & stat.S_IWOTH:
            logger.warning("Anybody can write to the log directory %s", directory)
        self._locking = self._locking and locks_work(directory)
        self._prepared = True

    def _sync_directory(self) -> None:
        """Make a new file's name as durable as its records are going to be."""
        if self._sync:
            descriptor = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _close_files(self) -> None:
        for file in (self._shared, self._spill):
            if file is not None:
                file.close()
        self._shared = self._spill = None
