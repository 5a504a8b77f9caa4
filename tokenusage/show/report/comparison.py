"""Comparisons of two periods as tables, for a terminal or a pipe, and as Markdown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.compare import Comparison, Pair
from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.show.change import style_of
from tokenusage.show.fit import Key, flow, key_column
from tokenusage.show.grid import Grid, figure, lines, page
from tokenusage.show.inert import escape_markdown
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.markdown import aligned, block_title, prose, table_line
from tokenusage.show.report.pairs import (
    PairBlock,
    PairCells,
    cells_of,
    page_blocks,
    pair_heading,
    pair_key,
)
from tokenusage.show.report.table import TOTAL
from tokenusage.show.words import (
    BEFORE,
    caption,
    empty_answer,
    headline,
    ledger_notes,
    ledger_parts,
    period_text,
)

NAME_WIDTH: Final = 14
"""Characters that columns of names keep together before a column of figures has to leave."""


def render_comparison(
    comparison: Comparison,
    order: Order,
    *,
    width: int,
    terminal: bool,
    now: datetime,
    command: str,
) -> str:
    """Return a comparison as tables, or as some sentences where no period has a call.

    Args:
        comparison: of two periods.
        order: sorting, by the period asked for, and limit.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        now: the present.
        command: how the person started the report, for a hint that can be typed.
    """
    parts: list[RenderableType] = [lines(flow(_caption(comparison), width), "bold")]
    if has_calls(comparison):
        parts += [lines(flow(headline(comparison.report), width))]
        parts += [lines(flow(_before(headline(comparison.before)), width), "dim"), Text()]
        parts += _tables(comparison, page_blocks(comparison, order), width, terminal=terminal)
    else:
        # Whole, however narrow the terminal is: a hint is there to be copied.
        hint = Text("\n".join(_empty(comparison, command)), no_wrap=True, overflow="ignore")
        parts += [Text(), hint, Text()]
    parts += [Text(sentence, style="dim") for sentence in remarks(comparison, now)]
    parts += [lines(flow(account, width), "dim") for account in _accounts(comparison)]
    parts += [Text(note, style="red") for note in _notes(comparison)]
    return page(parts, width, terminal=terminal)


def render_comparison_markdown(
    comparison: Comparison, order: Order, *, now: datetime, command: str
) -> str:
    """Return a comparison as a Markdown section; for the arguments see `render_comparison`."""
    title, *conditions = _caption(comparison)
    parts = [f"## {title}", prose(conditions)]
    if has_calls(comparison):
        parts.append(f"**{prose(headline(comparison.report))}**")
        parts.append(prose(_before(headline(comparison.before))))
        blocks = page_blocks(comparison, order)
        cells = cells_of(comparison, blocks)
        for block in blocks:
            if not comparison.report.query.by:
                parts.append(f"### {block_title(block.dimensions[0])}")
            parts.append(_markdown_table(comparison, block, cells))
    else:
        *sentences, last = _empty(comparison, command)
        parts += [escape_markdown(" ".join(sentences)), f"    {last.strip()}"]
    parts += [escape_markdown(sentence) for sentence in remarks(comparison, now)]
    parts += [prose(account) for account in _accounts(comparison)]
    parts.append("\n".join(f"- {escape_markdown(note)}" for note in _notes(comparison)))
    return "\n\n".join(parts).rstrip() + "\n"


def has_calls(comparison: Comparison) -> bool:
    """Return whether one of the periods has a call or a cache hit."""
    sides = (comparison.report.totals, comparison.before.totals)
    return any(side.calls or side.cache_hits for side in sides)


def remarks(comparison: Comparison, now: datetime) -> list[str]:
    """Return what one has to know to read the differences."""
    report, before = comparison.report, comparison.before
    end = report.query.period.end
    said = []
    if report.totals.unpriced or before.totals.unpriced:
        said.append("≥ and ~: calls without a price are missing from a cost, or from a difference.")
    if end is not None and now < end:
        said.append("The first period is not over yet; it is held against the whole of the other.")
    if report.query.percentiles:
        said.append("Percentiles of both periods are in --format json and csv.")
    return said


def _caption(comparison: Comparison) -> list[str]:
    report = comparison.report
    title, period, *others = caption(report.query, report.logs)
    return [title, period, f"against {period_text(comparison.before.query.period)}", *others]


def _before(parts: Sequence[str]) -> list[str]:
    return [f"{BEFORE}{parts[0]}", *parts[1:]]


def _empty(comparison: Comparison, command: str) -> list[str]:
    report = comparison.report
    return empty_answer(report.ledger, report.newest_day, report.logs, command)


def _accounts(comparison: Comparison) -> list[list[str]]:
    report, before = comparison.report, comparison.before
    return [
        ledger_parts(report.ledger, report.totals.unpriced),
        _before(ledger_parts(before.ledger, before.totals.unpriced)),
    ]


def _notes(comparison: Comparison) -> list[str]:
    notes = ledger_notes(comparison.report.ledger)
    return notes + [f"{BEFORE}{note}" for note in ledger_notes(comparison.before.ledger)]


def _tables(
    comparison: Comparison, blocks: tuple[PairBlock, ...], width: int, *, terminal: bool
) -> list[RenderableType]:
    cells = cells_of(comparison, blocks)
    grid = _grid(comparison, blocks, cells, width, terminal=terminal)
    parts: list[RenderableType] = []
    for block in blocks:
        table = grid.table([pair_heading(dimension) for dimension in block.dimensions])
        rest = [(grid.first(_rest_label(block)), block.rest, "dim")] if block.rest else []
        rows = [(_key_texts(block, pair), pair, "") for pair in block.rows]
        for keys, pair, style in rest + rows if block.rest_is_earlier else rows + rest:
            grid.add(table, keys, _figures(cells, pair, of_time=block.of_time), style)
        parts += [table, Text()]
    if terminal and parts:
        parts[-1] = grid.rule()
    total = grid.table()
    figures = _figures(cells, comparison.totals, of_time=True)
    grid.add(total, grid.first(TOTAL), figures, "bold")
    return [*parts, total, Text()]


def _grid(
    comparison: Comparison,
    blocks: tuple[PairBlock, ...],
    cells: PairCells,
    width: int,
    *,
    terminal: bool,
) -> Grid:
    shown = [(pair, block.of_time) for block in blocks for pair in block.rows]
    shown += [(block.rest, block.of_time) for block in blocks if block.rest]
    shown.append((comparison.totals, True))
    headers = {column.name: column.header for column in cells.columns}
    widths = {
        column.name: max(len(cells.text(column, pair, of_time=time)) for pair, time in shown)
        for column in cells.columns
    }
    return Grid(width, _key_columns(blocks), headers, widths, terminal=terminal)


def _key_columns(blocks: tuple[PairBlock, ...]) -> list[Key]:
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
            texts = [_key_texts(block, pair)[place] for pair in block.rows]
            (labels if dimension in TIME_DIMENSIONS else names).extend(texts)
            names.append(pair_heading(dimension))
            if place == 0 and block.hidden:
                labels.append(_rest_label(block))
        beside = max(1, rigid.count(False))
        key = key_column(names, labels, rigid=rigid[place], beside=beside)
        # Two costs, their difference and the change need more room than a report's columns.
        least = max(map(len, labels), default=0)
        keys.append(Key(key.natural, max(least, min(key.least, NAME_WIDTH // beside))))
    return keys


def _key_texts(block: PairBlock, pair: Pair) -> list[str]:
    both = zip(block.dimensions, pair.keys, pair.before_keys, strict=True)
    return [pair_key(*keys) for keys in both]


def _rest_label(block: PairBlock) -> str:
    return f"{block.hidden:,} {'earlier' if block.rest_is_earlier else 'more'}"


def _figures(cells: PairCells, pair: Pair, *, of_time: bool) -> dict[str, Text]:
    """Return the figures of a row as they print, by the name of their column."""
    figures = {}
    for column in cells.columns:
        text = cells.text(column, pair, of_time=of_time)
        style = style_of(text) if column.side == "change" else ""
        figures[column.name] = figure(text, style or ("dim" if column.side == "before" else ""))
    return figures


def _markdown_table(comparison: Comparison, block: PairBlock, cells: PairCells) -> str:
    heads = [escape_markdown(pair_heading(name).capitalize()) for name in block.dimensions]
    table = aligned(heads, [escape_markdown(column.header) for column in cells.columns])
    rows = [(_key_texts(block, pair), pair, block.of_time) for pair in block.rows]
    blank = [""] * (len(heads) - 1)
    if block.rest:
        place = 0 if block.rest_is_earlier else len(rows)
        rows.insert(place, ([_rest_label(block), *blank], block.rest, block.of_time))
    for keys, pair, of_time in rows:
        texts = [cells.text(column, pair, of_time=of_time) for column in cells.columns]
        table.append(table_line(map(escape_markdown, [*keys, *texts])))
    totals = [cells.text(column, comparison.totals, of_time=True) for column in cells.columns]
    table.append(table_line(["**Total**", *blank, *map(escape_markdown, totals)]))
    return "\n".join(table)
