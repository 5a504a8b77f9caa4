"""Ids of records: unique without asking anyone."""

import secrets
from itertools import count

from tokenusage.write.forks import renew_after_fork


class Ids:
    """Mints ids of 24 lowercase hexadecimal characters.

    The first 16 are random for each instance and process, the last 8 count up,
    so that the ids of one writer sort in the order of its records.
    """

    __slots__ = ("__weakref__", "_next")

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def mint(self) -> str:
        """Return the next id; safe to call from several threads."""
        return f"{self._next():024x}"

    def renew(self) -> None:
        """Go on with another random half: a forked child has inherited this one."""
        # One call into C for the next number: atomic without a lock.
        self._next = count(secrets.randbits(64) << 32).__next__
