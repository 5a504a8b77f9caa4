"""Reports as tables for a terminal, or for a pipe: then without colour and rules."""

from datetime import date
from io import StringIO
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.analyse.report import Figures, Report
from tokenusage.show.arrange import Block, Order, table_blocks
from tokenusage.show.cells import UNKNOWN, Cells, cells_of, heading, key_text, rest_label
from tokenusage.show.columns import PERCENTILES, Column
from tokenusage.show.fit import GAP, Key, fit, flow, key_column, shrink
from tokenusage.show.words import caption, empty_answer, headline, ledger_notes, ledger_parts

TOTAL: Final = "TOTAL"


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
    parts: list[RenderableType] = [_lines(flow(caption(report), width), "bold")]
    if report.totals.calls or report.totals.cache_hits:
        parts += [_lines(flow(headline(report), width), ""), Text()]
        parts += _tables(report, table_blocks(report, order, today), width, terminal=terminal)
    else:
        # Whole, however narrow the terminal is: a hint is there to be copied.
        hint = Text("\n".join(empty_answer(report, command)), no_wrap=True, overflow="ignore")
        parts += [Text(), hint, Text()]
    parts.append(_lines(flow(ledger_parts(report), width), "dim"))
    parts += [Text(note, style="red") for note in ledger_notes(report)]
    return _text(Group(*parts), width, terminal=terminal)


class _Grid:
    """The columns that all blocks of a report share, fitted to the width once."""

    def __init__(self, report: Report, blocks: tuple[Block, ...], width: int) -> None:
        self.cells: Cells = cells_of(report, blocks)
        figures = [row.figures for block in blocks for row in block.rows]
        figures += [block.rest for block in blocks if block.rest] + [report.totals]
        wide = {
            column.name: max(
                len(column.header), *(len(self.cells.text(column, group)) for group in figures)
            )
            for column in self.cells.columns
        }
        self.keys, staying = fit(width, _keys(blocks), wide)
        self.columns = [column for column in self.cells.columns if column.name in staying]
        self.wide = wide
        self.gone = [column for column in self.cells.columns if column.name not in staying]

    @property
    def width(self) -> int:
        """Terminal columns of the whole table."""
        figures = sum(GAP + self.wide[column.name] for column in self.columns)
        return sum(self.keys) + GAP * (len(self.keys) - 1) + figures

    def table(self, headings: tuple[str, ...] | None, *, terminal: bool) -> Table:
        """Return an empty table of these columns; without `headings` it has no head."""
        box = SIMPLE_HEAD if terminal else None
        # A box sets one blank of its own between columns.
        padding = (0, GAP - 1 if box else GAP, 0, 0)
        table = Table(
            box=box,
            show_edge=False,
            pad_edge=False,
            padding=padding,
            show_header=headings is not None,
            header_style="bold cyan",
            border_style="dim",
        )
        for place, width in enumerate(self.keys):
            label = shrink(headings[place], width) if headings else ""
            table.add_column(Text(label), width=width, no_wrap=True)
        for column in self.columns:
            width = self.wide[column.name]
            table.add_column(Text(column.header), width=width, no_wrap=True, justify="right")
        return table

    def add(self, table: Table, keys: list[str], figures: Figures, style: str = "") -> None:
        """Append a row; names shrink to their column."""
        names = [Text(shrink(key, width)) for key, width in zip(keys, self.keys, strict=True)]
        numbers = [self._number(column, figures) for column in self.columns]
        table.add_row(*names, *numbers, style=style)

    def _number(self, column: Column, figures: Figures) -> Text:
        text = self.cells.text(column, figures)
        if column.name in {"failed", "unpriced"} and column.value(figures):
            return Text(text, style="red")
        return Text(text, style="dim" if text in {"0", UNKNOWN} else "")


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


def _tables(
    report: Report, blocks: tuple[Block, ...], width: int, *, terminal: bool
) -> list[RenderableType]:
    grid = _Grid(report, blocks, width)
    parts: list[RenderableType] = []
    for block in blocks:
        table = grid.table(tuple(map(heading, block.dimensions)), terminal=terminal)
        if block.rest and block.rest_is_earlier:
            grid.add(table, _first(rest_label(block), grid), block.rest, "dim")
        for row in block.rows:
            keys = [key_text(*pair) for pair in zip(block.dimensions, row.keys, strict=True)]
            grid.add(table, keys, row.figures, "" if row.figures.calls else "dim")
        if block.rest and not block.rest_is_earlier:
            grid.add(table, _first(rest_label(block), grid), block.rest, "dim")
        parts += [table, Text()]
    if terminal and parts:
        parts[-1] = Text("─" * grid.width, style="dim")
    total = grid.table(None, terminal=terminal)
    grid.add(total, _first(TOTAL, grid), report.totals, "bold")
    parts += [total, Text()]
    if any(column in PERCENTILES for column in grid.gone):
        parts.append(Text("Percentiles need a wider terminal, or --format csv.", style="dim"))
    return parts


def _first(label: str, grid: _Grid) -> list[str]:
    return [label, *[""] * (len(grid.keys) - 1)]


def _lines(lines: list[str], style: str) -> Text:
    return Text("\n".join(lines), style=style)


def _text(renderable: RenderableType, width: int, *, terminal: bool) -> str:
    """Return what a console of this width would print."""
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(renderable)
    text = capture.get()
    # Cells without a figure end in blanks, which a diff or an editor would show.
    return text if terminal else "".join(f"{line.rstrip()}\n" for line in text.splitlines())
