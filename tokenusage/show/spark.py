"""A course of amounts as a line of block characters."""

from collections.abc import Sequence
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
"""The characters of a spark line; the lowest is nothing."""

_PLAIN: Final = "_.-:=+*#"
"""The same for terminals that have no blocks."""


def spark(amounts: Sequence[int], width: int, *, blocks: bool) -> tuple[str, int]:
    """Return a line of at most `width` characters, and how many amounts one of them stands for.

    The highest character is the largest sum; what is more than nothing shows.

    Args:
        amounts: from 0 on, oldest first.
        width: in characters.
        blocks: with block characters; else of ASCII.
    """
    together = -(-len(amounts) // width)
    # Whole groups at the new end: the present one grows.
    first = len(amounts) % together
    starts = (
        [0, *range(first, len(amounts), together)] if first else range(0, len(amounts), together)
    )
    ends = [*starts[1:], len(amounts)]
    sums = [sum(amounts[start:end]) for start, end in zip(starts, ends, strict=True)]
    most = max(sums, default=0) or 1
    heights = BLOCKS if blocks else _PLAIN
    top = len(heights) - 1
    return "".join(heights[-(-amount * top // most)] for amount in sums), together
