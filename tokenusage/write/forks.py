"""What a forked child must not share with its parent: descriptors, locks, ids, counts."""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """Something that holds state which belongs to one process."""

    def renew(self) -> None:
        """Start afresh; called in the child, where the calling thread is the only one."""


_live: WeakSet[Renewable] = WeakSet()


def renew_after_fork(thing: Renewable) -> None:
    """Have `thing` renewed in every child forked from now on, as long as it lives."""
    _live.add(thing)


def _renew_all() -> None:
    for thing in list(_live):
        thing.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
