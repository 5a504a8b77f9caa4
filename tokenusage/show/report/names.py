"""The columns of names of a report's tables."""

from collections.abc import Sequence
from typing import NamedTuple

from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.show.fit import Key, key_column
from tokenusage.show.grid import TOTAL


class Names(NamedTuple):
    """What stands in the columns of names of one block."""

    dimensions: tuple[str, ...]
    headings: list[str]
    rows: list[list[str]]
    rest: str | None
    """What stands for the rows that a limit left out."""


def name_columns(blocks: Sequence[Names], together: int | None = None) -> list[Key]:
    """Return the widths of the columns of names, over all blocks.

    Args:
        blocks: those that share the columns.
        together: characters that the columns keep; as in `key_column` if None.
    """
    places = range(max((len(block.dimensions) for block in blocks), default=1))
    rigid = [
        all(block.dimensions[place] in TIME_DIMENSIONS for block in blocks) for place in places
    ]
    keys = []
    for place in places:
        names: list[str] = []
        labels = [TOTAL] if place == 0 else []
        for block in blocks:
            of_time = block.dimensions[place] in TIME_DIMENSIONS
            (labels if of_time else names).extend(row[place] for row in block.rows)
            names.append(block.headings[place])
            if place == 0 and block.rest:
                labels.append(block.rest)
        beside = max(1, rigid.count(False))
        keys.append(key_column(names, labels, rigid=rigid[place], beside=beside, together=together))
    return keys
