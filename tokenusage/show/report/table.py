"""Reports as tables for a terminal, or for a pipe: then without colour and rules."""

from collections.abc import Callable
from datetime import date
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.analyse.report import Figures, Report, Row
from tokenusage.show.columns import PERCENTILES, Column
from tokenusage.show.fit import Key, flow, key_column
from tokenusage.show.grid import Grid, figure, lines, page
from tokenusage.show.report.arrange import Block, Order, table_blocks
from tokenusage.show.report.cells import Cells, cells_of, heading, key_text, rest_label
from tokenusage.show.words import caption, empty_answer, headline, ledger_notes, ledger_parts

TOTAL: Final = "TOTAL"

_ASKED: Final[dict[str, Callable[[Column], bool]]] = {
    "percentiles": lambda column: column in PERCENTILES,
    "means": lambda column: column.kind == "mean",
}
"""Columns that somebody has asked for, and misses where they have left."""


def render_table(
    report: Report, order: Order, *, width: int, terminal: bool, today: date, command: str
) -> str:
    """Return a report as a table, or as some sentences where there are no calls.

    Args:
        report: the answer.
        order: sorting and limit as asked for.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        today: the present day in the report's zone.
        command: how the person started the report, for a hint that can be typed.
    """
    parts: list[RenderableType] = [lines(flow(caption(report.query, report.logs), width), "bold")]
    if report.totals.calls or report.totals.cache_hits:
        parts += [lines(flow(headline(report), width)), Text()]
        parts += tables_of(report, table_blocks(report, order, today), width, terminal=terminal)
    else:
        # Whole, however narrow the terminal is: a hint is there to be copied.
        answer = empty_answer(report.ledger, report.newest_day, report.logs, command)
        hint = Text("\n".join(answer), no_wrap=True, overflow="ignore")
        parts += [Text(), hint, Text()]
    parts.append(lines(flow(ledger_parts(report.ledger, report.totals.unpriced), width), "dim"))
    parts += [Text(note, style="red") for note in ledger_notes(report.ledger)]
    return page(parts, width, terminal=terminal)


def _grid(
    report: Report, cells: Cells, blocks: tuple[Block, ...], width: int, *, terminal: bool
) -> Grid:
    """Return the columns that all blocks of a report share."""
    figures = [row.figures for block in blocks for row in block.rows]
    figures += [block.rest for block in blocks if block.rest] + [report.totals]
    headers = {column.name: column.header for column in cells.columns}
    widths = {
        column.name: max(len(cells.text(column, group)) for group in figures)
        for column in cells.columns
    }
    return Grid(width, _keys(blocks), headers, widths, terminal=terminal)


def _numbers(cells: Cells, figures: Figures) -> dict[str, Text]:
    """Return the figures of a row as they print, by the name of their column."""
    return {column.name: _number(cells, column, figures) for column in cells.columns}


def _number(cells: Cells, column: Column, figures: Figures) -> Text:
    is_bad = column.name in {"failed", "unpriced"} and column.value(figures)
    return figure(cells.text(column, figures), "red" if is_bad else "")


def _keys(blocks: tuple[Block, ...]) -> list[Key]:
    """Return the widths of the columns of names, over all blocks."""
    places = range(max((len(block.dimensions) for block in blocks), default=1))
    rigid = [
        all(block.dimensions[place] in TIME_DIMENSIONS for block in blocks) for place in places
    ]
    keys = []
    for place in places:
        names: list[str] = []
        labels = [TOTAL] if place == 0 else []
        for block in blocks:
            dimension = block.dimensions[place]
            texts = [key_text(dimension, row.keys[place]) for row in block.rows]
            (labels if dimension in TIME_DIMENSIONS else names).extend(texts)
            names.append(heading(dimension))
            if place == 0 and block.hidden:
                labels.append(rest_label(block))
        beside = max(1, rigid.count(False))
        keys.append(key_column(names, labels, rigid=rigid[place], beside=beside))
    return keys


def tables_of(
    report: Report, blocks: tuple[Block, ...], width: int, *, terminal: bool
) -> list[RenderableType]:
    """Return the blocks of a report below each other, and its totals under them."""
    cells = cells_of(report, blocks)
    grid = _grid(report, cells, blocks, width, terminal=terminal)
    parts: list[RenderableType] = []
    for block in blocks:
        table = grid.table([heading(dimension) for dimension in block.dimensions])
        rest = [(grid.first(rest_label(block)), block.rest, "dim")] if block.rest else []
        rows = [
            (_key_texts(block, row), row.figures, "" if row.figures.calls else "dim")
            for row in block.rows
        ]
        for keys, figures, style in rest + rows if block.rest_is_earlier else rows + rest:
            grid.add(table, keys, _numbers(cells, figures), style)
        parts += [table, Text()]
    if terminal and parts:
        parts[-1] = grid.rule()
    total = grid.table()
    grid.add(total, grid.first(TOTAL), _numbers(cells, report.totals), "bold")
    parts += [total, Text()]
    left = [column for column in cells.columns if column.name not in grid.staying]
    if asked := [what for what, kind in _ASKED.items() if any(kind(column) for column in left)]:
        needs = " and ".join(asked).capitalize()
        parts.append(Text(f"{needs} need a wider terminal, or --format csv.", style="dim"))
    return parts


def _key_texts(block: Block, row: Row) -> list[str]:
    return [key_text(*pair) for pair in zip(block.dimensions, row.keys, strict=True)]
