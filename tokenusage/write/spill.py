"""Files of this process alone, for when the shared one can't be had."""

from datetime import date
from errno import ESTALE
from queue import Empty, SimpleQueue
from typing import Final

from tokenusage.write.logfile import LogFile
from tokenusage.write.place import Place

PATIENCE: Final = 0.05
"""Seconds that a thread waits for another one's file before it makes a further one."""

DAYS: Final = 4
"""Days whose files are kept open."""

_Files = SimpleQueue[LogFile | None]


class SpillFiles:
    """The spill files of a process; safe for threads, and for signal handlers inside an append.

    A thread takes a file out of its day's queue and puts it back after its append,
    so that nothing is locked. Usually there is one file a day; a thread that does
    not get it in time makes another, and drops nothing.
    """

    def __init__(self, place: Place, *, sync: bool) -> None:
        self._place = place
        self._sync = sync
        self._days: dict[date, _Files] = {}

    def append(self, day: date, data: bytes) -> None:
        """Append whole lines to a file of `day`.

        Raises:
            OSError: not every byte was written, or it may not be on the disk.
        """
        files = self._files(day)
        try:
            file = files.get(timeout=PATIENCE)
        except Empty:
            file = None
        try:
            if file is None or not self._append(file, data):
                file = None  # whatever happens now, it is not to be used again
                file = self._place.open_spill(day)
                if not self._append(file, data):
                    raise OSError(ESTALE, "the new spill file was removed", str(file.path))
            if self._sync:
                file.sync()
        finally:
            files.put(file)

    def forget(self) -> None:
        """Let go of all files; each closes when its last user is done with it."""
        self._days = {}

    def _append(self, file: LogFile, data: bytes) -> bool:
        # Locked too, where that means something: against whoever replaces files.
        return file.append(data, deadline=0.0 if self._place.locking else None)

    def _files(self, day: date) -> _Files:
        days = self._days
        files = days.get(day)
        if files is None:
            first: _Files = SimpleQueue()
            first.put(None)  # nobody has a file yet: the first one makes it without waiting
            files = days.setdefault(day, first)
            for old in list(days)[:-DAYS]:
                days.pop(old, None)
        return files
