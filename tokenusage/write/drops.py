"""Records that could not be written: counted, warned of, announced."""

import logging
import threading
from errno import errorcode
from time import monotonic
from typing import Final

from tokenusage.write.forks import renew_after_fork

logger = logging.getLogger("tokenusage")

SILENCE: Final = 60.0
"""Seconds between two warnings of the same cause."""


class Drops:
    """Counts dropped records until one that is written can announce them."""

    __slots__ = ("__weakref__", "_lock", "_warned", "pending")

    def __init__(self) -> None:
        self._warned: dict[int | None, float] = {}
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Forget what the parent dropped: the parent announces that itself."""
        self._lock = threading.Lock()
        self.pending = 0

    def take(self) -> int:
        """Return the number of drops to announce, and start again at 0."""
        with self._lock:
            taken, self.pending = self.pending, 0
        return taken

    def add(self, count: int, cause: OSError) -> None:
        """Count `count` drops, and warn of `cause` unless that was done a minute ago."""
        now = monotonic()
        with self._lock:
            self.pending += count
            pending = self.pending
            silent_since = self._warned.get(cause.errno)
            if silent_since is not None and now - silent_since < SILENCE:
                return
            self._warned[cause.errno] = now
        name = errorcode.get(cause.errno or 0, type(cause).__name__)
        logger.warning("A record was dropped (%s: %s); %d not yet announced", name, cause, pending)
