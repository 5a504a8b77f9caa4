"""How a figure has changed: as a signed difference, and in per cent with its direction."""

from typing import Final

UP: Final = "▲"
DOWN: Final = "▼"
SAME: Final = "="


def signed(number: str, difference: float) -> str:
    """Return the text of a difference's absolute value with its sign in front; 0 has none.

    What is less than a text's last decimal keeps its ``<`` in front.
    """
    if not difference:
        return "0"
    sign = "+" if difference > 0 else "-"
    return f"<{sign}{number[1:]}" if number.startswith("<") else f"{sign}{number}"


def change(now: float, before: float) -> str:
    """Return what became of a figure: ``▲ 12.3%``, ``▼ 4.0%``, ``=``, or ``▲ from 0``."""
    if now == before:
        return SAME
    mark = UP if now > before else DOWN
    if not before:
        return f"{mark} from 0"
    percent = abs(now - before) / abs(before) * 100
    if percent < 0.05:
        return f"{mark} <0.1%"
    if now and 99.95 <= percent < 100:
        return f"{mark} >99.9%"
    return f"{mark} {percent:,.{0 if percent >= 1000 else 1}f}%"


def style_of(text: str) -> str:
    """Return the colour of a change: what grows is red, what shrinks is green."""
    return {UP: "red", DOWN: "green"}.get(text[:1], "")
