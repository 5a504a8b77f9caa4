"""Bars of block characters, an eighth of a character fine."""

from typing import Final

_EIGHTHS: Final = "▏▎▍▌▋▊▉█"

BLOCKS: Final = _EIGHTHS
"""Every character that a bar may be made of, besides blanks."""


def bar(fraction: float, width: int, *, blocks: bool) -> str:
    """Return a bar that fills this fraction of `width` characters; what isn't 0 shows.

    Args:
        fraction: from 0 to 1.
        width: in characters; the bar is followed by no blanks.
        blocks: with block characters; else of ``#``, for terminals that have none.
    """
    if not blocks:
        return "#" * max(round(fraction * width), int(fraction > 0))
    eighths = max(round(fraction * width * 8), int(fraction > 0))
    whole, part = divmod(eighths, 8)
    return _EIGHTHS[-1] * whole + (_EIGHTHS[part - 1] if part else "")
