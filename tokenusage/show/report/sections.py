"""Tables of a report below each other, whose columns are fitted to the width together."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.show.fit import Key, key_column
from tokenusage.show.grid import TOTAL, Grid


class Line(NamedTuple):
    """A row: names, figures by the name of their column, and style."""

    names: Sequence[str]
    figures: Mapping[str, Text]
    style: str = ""


class Section(NamedTuple):
    """Rows under headings of their own."""

    dimensions: tuple[str, ...]
    headings: Sequence[str]
    """Of the columns of names."""
    rows: Sequence[Line]
    rest: Line | None = None
    """The rows that a limit left out; its one name is a label that never shrinks."""
    rest_is_earlier: bool = False
    """They come before the first row."""


def fitted(
    sections: Sequence[Section],
    headers: Mapping[str, str],
    totals: Mapping[str, Text],
    width: int,
    *,
    terminal: bool,
    together: int | None = None,
) -> Grid:
    """Return the columns that all sections share.

    Args:
        sections: all of them.
        headers: of the columns of figures, by name.
        totals: the figures under them.
        width: of the terminal.
        terminal: whether rules and colours are drawn.
        together: characters that the columns of names keep; as in `key_column` if None.
    """
    figures = [line.figures for section in sections for line in section.rows]
    figures += [section.rest.figures for section in sections if section.rest] + [totals]
    widths = {name: max(cell_len(row[name].plain) for row in figures) for name in headers}
    return Grid(width, _name_columns(sections, together), headers, widths, terminal=terminal)


def below_each_other(
    grid: Grid, sections: Sequence[Section], totals: Mapping[str, Text]
) -> list[RenderableType]:
    """Return a table for each section, and the totals set apart under them."""
    parts: list[RenderableType] = []
    for section in sections:
        table = grid.table(section.headings)
        lines = list(section.rows)
        if section.rest:
            rest = section.rest._replace(names=grid.first(section.rest.names[0]))
            lines.insert(0 if section.rest_is_earlier else len(lines), rest)
        for line in lines:
            grid.add(table, *line)
        parts += [table, Text()]
    if grid.terminal and parts:
        parts[-1] = grid.rule()
    table = grid.table()
    grid.add(table, grid.first(TOTAL), totals, "bold")
    return [*parts, table, Text()]


def _name_columns(sections: Sequence[Section], together: int | None) -> list[Key]:
    """Return the widths of the columns of names, over all sections."""
    places = range(max((len(section.dimensions) for section in sections), default=1))
    rigid = [
        all(section.dimensions[place] in TIME_DIMENSIONS for section in sections)
        for place in places
    ]
    keys = []
    for place in places:
        names: list[str] = []
        labels = [TOTAL] if place == 0 else []
        for section in sections:
            of_time = section.dimensions[place] in TIME_DIMENSIONS
            (labels if of_time else names).extend(line.names[place] for line in section.rows)
            names.append(section.headings[place])
            if place == 0 and section.rest:
                labels.append(section.rest.names[0])
        beside = max(1, rigid.count(False))
        keys.append(key_column(names, labels, rigid=rigid[place], beside=beside, together=together))
    return keys
