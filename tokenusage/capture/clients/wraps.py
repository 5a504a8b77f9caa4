"""The wraps around a client's methods: put on together, and taken off together."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from tokenusage.capture.call import Capture

Method = Callable[..., Any]


class Wraps:
    """The wraps of one hook.

    Args:
        capture: Where the hook brings the calls.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self.active = True
        """Whether calls are to be seen: somebody may have wrapped a wrap, and keeps it."""
        self._on: list[tuple[type, str, Method, Method]] = []

    def put(self, owner: type, name: str, make: Callable[[Method], Method]) -> None:
        """Put what `make` makes of a method in its place.

        Raises:
            AttributeError: `owner` has no such method of its own; all wraps are off again.
        """
        original = vars(owner).get(name)
        if original is None:
            self.take_off()
            raise AttributeError(f"{owner.__name__} has no {name}")
        wrap = wraps(original)(make(original))
        setattr(owner, name, wrap)
        self._on.append((owner, name, original, wrap))

    def take_off(self) -> None:
        """Put the methods back, as they were; a wrap that is wrapped itself lets calls pass."""
        self.active = False
        for owner, name, original, wrap in self._on:
            if vars(owner).get(name) is wrap:
                setattr(owner, name, original)
