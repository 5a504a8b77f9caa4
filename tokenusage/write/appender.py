"""Appending whole lines to the files of days, beside any number of other processes.

Every append takes the process's mutex and the file's flock, makes sure that the
file it holds is the one at the path, and writes with one call. Where the lock
can't be had in time, or locks can't be trusted, the process has spill files of
its own. Nothing is buffered: an append that has returned is in the file.

An exception or a call back into the logger may come at any moment, from a signal
handler: nothing waits without a limit, and what is locked is unlocked in a
``finally`` that needs no knowledge of how far its ``try`` has come.
"""

import threading
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Final

from tokenusage.write.forks import renew_after_fork
from tokenusage.write.logfile import LogFile, NoLocksError
from tokenusage.write.place import Place
from tokenusage.write.spill import SpillFiles

PATIENCE: Final = 0.25
"""Seconds that an append waits for mutex and lock together."""

AVOIDANCE: Final = 60.0
"""Seconds without trying, after a lock was not had."""


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
        self._place = Place(
            directory, file_mode=file_mode, directory_mode=directory_mode, sync=sync
        )
        self._sync = sync
        self._spill = SpillFiles(self._place, sync=sync)
        self._shared: LogFile | None = None
        self._avoid_until = 0.0
        self._mutex = threading.RLock()
        self._busy = False
        renew_after_fork(self)

    def append(self, day: date, data: bytes) -> None:
        r"""Append `data`, whole lines that end in "\n", to the file of the UTC day `day`.

        Raises:
            NotSyncedError: every byte was written, but may not be on the disk.
            OSError: not every byte was written. What was stays there, and the next
                append keeps clear of it.
        """
        place = self._place
        if not place.prepared:
            place.prepare()
        now = monotonic()
        if place.locking and now >= self._avoid_until:
            try:
                file = self._append_shared(day, data, now + PATIENCE)
            except NoLocksError:
                place.locking = False
            else:
                if file is not None:
                    if self._sync:
                        # Behind mutex and lock: others need not wait for our disk.
                        file.sync()
                    return
        self._spill.append(day, data)

    def close(self) -> None:
        """Let go of the files; an append after this opens them again (spill files: new ones)."""
        # Closed by the last one who uses them: perhaps a thread that is just writing.
        self._shared = None
        self._spill.forget()

    def renew(self) -> None:
        """Let go of what a forked child has inherited: files and locks."""
        self.close()
        self._mutex = threading.RLock()
        self._busy = False

    def _append_shared(self, day: date, data: bytes, deadline: float) -> LogFile | None:
        """Append to the file that all processes share; None where that isn't had."""
        mutex = self._mutex  # a fork in a signal handler would replace it
        try:
            if not (mutex.acquire(blocking=False) or mutex.acquire(timeout=PATIENCE)):
                self._avoid_until = monotonic() + AVOIDANCE
                return None
            if self._busy:
                return None  # a signal handler, in the middle of this thread's own append
            self._busy = True
            try:
                return self._append_locked(day, data, deadline)
            except OSError:
                self._shared = None  # the next append had better open it anew
                raise
            finally:
                self._busy = False
        finally:
            # A flag that says whether it was had could miss an interrupt.
            try:  # noqa: SIM105 (an interrupt could come inside of suppress)
                mutex.release()
            except RuntimeError:
                pass

    def _append_locked(self, day: date, data: bytes, deadline: float) -> LogFile | None:
        file = self._shared
        if file is None or file.day != day:
            file = self._shared = self._place.open_shared(day)
        while not file.append(data, deadline):
            if monotonic() >= deadline:
                self._avoid_until = monotonic() + AVOIDANCE
                return None
            # It was renamed or removed under us.
            file = self._shared = self._place.open_shared(day)
        return file
