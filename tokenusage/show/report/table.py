"""Reports as tables for a terminal, or for a pipe: then without colour and rules."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.report import Figures, Report, Row
from tokenusage.show.columns import PERCENTILES, Column
from tokenusage.show.fit import flow
from tokenusage.show.grid import Grid, Section, figure
from tokenusage.show.page import account, hint, lines, page, title
from tokenusage.show.report.arrange import Block, Order, table_blocks
from tokenusage.show.report.cells import Cells, cells_of, heading, key_text
from tokenusage.show.report.names import Names, name_columns
from tokenusage.show.words import caption, empty_answer, headline, ledger_notes, ledger_parts

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
    parts: list[RenderableType] = [title(caption(report.query, report.logs), width)]
    if report.totals.calls or report.totals.cache_hits:
        parts += [lines(flow(headline(report), width)), Text()]
        parts += tables_of(report, table_blocks(report, order, today), width, terminal=terminal)
    else:
        answer = empty_answer(report.ledger, report.newest_day, report.logs, command)
        parts += [Text(), hint(answer), Text()]
    parts += account(
        ledger_parts(report.ledger, report.totals.unpriced), ledger_notes(report.ledger), width
    )
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
    return Grid(width, name_columns([*map(_names, blocks)]), headers, widths, terminal=terminal)


def _numbers(cells: Cells, figures: Figures) -> dict[str, Text]:
    """Return the figures of a row as they print, by the name of their column."""
    return {column.name: _number(cells, column, figures) for column in cells.columns}


def _number(cells: Cells, column: Column, figures: Figures) -> Text:
    is_bad = column.name in {"failed", "unpriced"} and column.value(figures)
    return figure(cells.text(column, figures), "red" if is_bad else "")


def tables_of(
    report: Report, blocks: tuple[Block, ...], width: int, *, terminal: bool
) -> list[RenderableType]:
    """Return the blocks of a report below each other, and its totals under them."""
    cells = cells_of(report, blocks)
    grid = _grid(report, cells, blocks, width, terminal=terminal)
    parts = grid.below_each_other(
        (_section(block, cells, grid) for block in blocks), _numbers(cells, report.totals)
    )
    left = [column for column in cells.columns if column.name not in grid.staying]
    return parts + missed(left)


def missed(left: Sequence[Column]) -> list[RenderableType]:
    """Return a sentence on those columns that have left though somebody asked for them."""
    asked = [what for what, kind in _ASKED.items() if any(map(kind, left))]
    needs = " and ".join(asked).capitalize()
    sentence = Text(f"{needs} need a wider terminal, or --format csv.", style="dim")
    return [sentence] if asked else []


def _section(block: Block, cells: Cells, grid: Grid) -> Section:
    rows = [
        (_key_texts(block, row), _numbers(cells, row.figures), "" if row.figures.calls else "dim")
        for row in block.rows
    ]
    if block.rest:
        rest = (
            grid.first(block.rest_label),
            _numbers(cells, block.rest),
            "dim",
        )
        rows.insert(0 if block.rest_is_earlier else len(rows), rest)
    return Section([heading(dimension) for dimension in block.dimensions], rows)


def _names(block: Block) -> Names:
    return Names(
        dimensions=block.dimensions,
        headings=[heading(dimension) for dimension in block.dimensions],
        rows=[_key_texts(block, row) for row in block.rows],
        rest=block.rest_label if block.hidden else None,
    )


def _key_texts(block: Block, row: Row) -> list[str]:
    return [key_text(*pair) for pair in zip(block.dimensions, row.keys, strict=True)]
