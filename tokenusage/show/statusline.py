"""The cost of today in a few words, for a shell prompt."""

from tokenusage.record import PICO
from tokenusage.show.numbers import counted, dollars


def render_statusline(calls: int, cost_pico: int, unpriced: int) -> str:
    """Return a line such as ``$12.40 today · 1,232 calls``.

    Args:
        calls: of today.
        cost_pico: what they cost, in picodollars, as far as that is known.
        unpriced: how many of them have no known cost.
    """
    if not calls:
        return "$0.00 today"
    if unpriced == calls:
        cost = "cost unknown"
    else:
        cost = f"{'≥ ' if unpriced else ''}{dollars(cost_pico / PICO)}"
    return f"{cost} today · {counted(calls, 'call')}"
