"""Which calls of many are shown, as plain values."""

from dataclasses import dataclass
from typing import Final

from tokenusage.errors import WrongUseError

ORDERS: Final = ("date", "cost", "tokens", "response_time")
"""What calls can be listed by; the largest first, the newest first among equal ones."""

PAGE_CALLS: Final = 50
"""Calls on a page unless ``--limit`` says otherwise."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of calls.

    Raises:
        WrongUseError: a number is less than 1.
    """

    order: str = "date"
    """One of `ORDERS`."""
    number: int = 1
    limit: int = PAGE_CALLS
    """Calls on a page."""

    def __post_init__(self) -> None:
        for option, value in (("--page", self.number), ("--limit", self.limit)):
            if value < 1:
                raise WrongUseError(f"{option} must be 1 or more, not {value}.")
