"""Reports as tables for a terminal, or for a pipe: then without colour and rules."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.report import Figures, Report
from tokenusage.show.columns import PERCENTILES, Column
from tokenusage.show.fit import flow
from tokenusage.show.grid import figure
from tokenusage.show.page import account, hint, lines, page, title
from tokenusage.show.report.arrange import Block, Order, table_blocks
from tokenusage.show.report.cells import Cells, cells_of, heading, key_text
from tokenusage.show.report.sections import Line, Section, below_each_other, fitted
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
    sections = [_section(block, cells) for block in blocks]
    headers = {column.name: column.header for column in cells.columns}
    totals = _numbers(cells, report.totals)
    grid = fitted(sections, headers, totals, width, terminal=terminal)
    parts = below_each_other(grid, sections, totals)
    left = [column for column in cells.columns if column.name not in grid.staying]
    return parts + missed(left)


def missed(left: Sequence[Column]) -> list[RenderableType]:
    """Return a sentence on those columns that have left though somebody asked for them."""
    asked = [what for what, kind in _ASKED.items() if any(map(kind, left))]
    needs = " and ".join(asked).capitalize()
    sentence = Text(f"{needs} need a wider terminal, or --format csv.", style="dim")
    return [sentence] if asked else []


def _section(block: Block, cells: Cells) -> Section:
    dimensions = block.dimensions
    rows = [
        Line(
            [key_text(*pair) for pair in zip(dimensions, row.keys, strict=True)],
            _numbers(cells, row.figures),
            "" if row.figures.calls else "dim",
        )
        for row in block.rows
    ]
    rest = Line([block.rest_label], _numbers(cells, block.rest), "dim") if block.rest else None
    return Section(dimensions, [*map(heading, dimensions)], rows, rest, block.rest_is_earlier)
