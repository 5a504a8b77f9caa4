"""Numbers as people read them: thousands separated, and never a lie by rounding.

What is more than nothing never prints as nothing: it prints as ``<0.01``.
"""

import math
from decimal import Decimal


def count(value: int) -> str:
    """Return a whole number: ``1,232``."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """Return a number with its noun, which takes an s: ``1 call``, ``2 calls``."""
    return f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s"


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimals: ``2.34``, or ``<0.01``."""
    least = 10.0**-places
    if 0 < abs(value) <= least / 2:
        return f"<{least:.{places}f}" if value > 0 else f">-{least:.{places}f}"
    return f"{value:,.{places}f}"


def percent(fraction: float, places: int) -> str:
    """Return a fraction in per cent: ``99.2%``; 100% and 0% only where it is exactly that."""
    least = 10.0**-places
    shown = f"{fraction * 100:.{places}f}"
    if fraction < 1 and float(shown) >= 100:
        return f">{100 - least:.{places}f}%"
    if fraction > 0 and float(shown) == 0:
        return f"<{least:.{places}f}%"
    return f"{shown}%"


def money_places(largest: float) -> int:
    """Return how many decimals a column of dollars needs, from its largest amount.

    One number for the column keeps its points below each other, and its
    amounts add up.
    """
    if largest >= 1000:
        return 2
    if largest >= 0.1 or largest == 0:
        return 4
    return 6 if largest >= 0.0001 else 9


def mean_places(largest: float) -> int:
    """Return how many decimals a column of averages needs, from its largest absolute value.

    It shows three digits of that one, so that grades from 0 to 1 and from 1 to 5 tell apart.
    """
    digits = math.floor(math.log10(largest)) + 1 if largest else 1
    return min(9, max(0, 3 - digits))


def dollars(amount: float) -> str:
    """Return a single amount with the decimals that its size needs: ``$12.40``, ``$0.1488``."""
    if amount >= 1 or amount == 0:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        return f"${amount:.4f}"
    return f"${amount:.6f}" if amount >= 0.0001 else f"${amount:.9f}"


def plain(value: float | int | None) -> str:
    """Return a number without an exponent, which some spreadsheets take for text."""
    return "" if value is None else f"{Decimal(repr(value)):f}"
