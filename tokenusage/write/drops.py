"""Records that could not be written: counted, warned of, announced."""

import threading
from errno import errorcode
from logging import WARNING
from pathlib import Path
from time import monotonic
from traceback import extract_tb
from typing import Final

from tokenusage.errors import TokenUsageError
from tokenusage.record import Record
from tokenusage.write.announce import tell
from tokenusage.write.forks import renew_after_fork

SILENCE: Final = 60.0
"""Seconds between two warnings of the same cause."""


class Drops:
    """Counts dropped records until one that is written can announce them."""

    __slots__ = ("__weakref__", "_lock", "_warned", "pending")

    def __init__(self) -> None:
        self._warned: dict[str, float] = {}
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Forget what the parent dropped: the parent announces that itself."""
        # A signal handler may record while this very thread is counting.
        self._lock = threading.RLock()
        self.pending = 0

    def announce(self, record: Record) -> None:
        """Move what is pending, if anything, into ``dropped`` of `record`."""
        with self._lock:
            if self.pending:
                # One statement: no interrupt finds the count in neither place.
                record["dropped"], self.pending = self.pending, 0

    def give_back(self, count: int) -> None:
        """Count `count` drops again, whose announcement was not written."""
        with self._lock:
            self.pending += count

    def add(self, count: int, cause: Exception) -> None:
        """Count `count` drops, and warn of `cause` unless that was done a minute ago."""
        number = getattr(cause, "errno", None) or 0
        name = errorcode.get(number, type(cause).__name__)
        now = monotonic()
        with self._lock:
            self.pending += count
            pending = self.pending
            silent_since = self._warned.get(name)
            if silent_since is not None and now - silent_since < SILENCE:
                return
            self._warned[name] = now
        words = _words(cause)
        what = "A record was dropped (%s: %s); %d not yet announced"
        tell(WARNING, what, name, words, pending)


def _words(cause: Exception) -> str:
    """Return the message of `cause`, or where it was raised if it may quote the prompt."""
    if isinstance(cause, OSError | TokenUsageError):
        return str(cause)
    frames = extract_tb(cause.__traceback__, limit=-1)
    return "".join(f"{Path(frame.filename).name}, line {frame.lineno}" for frame in frames)
