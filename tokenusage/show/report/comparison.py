"""Comparisons of two periods as tables, for a terminal or a pipe, and as Markdown."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.compare import Comparison, Pair
from tokenusage.show import markdown
from tokenusage.show.change import style_of
from tokenusage.show.fit import flow
from tokenusage.show.grid import figure
from tokenusage.show.inert import escape_markdown
from tokenusage.show.markdown import aligned, head, prose, table_line
from tokenusage.show.page import account, hint, lines, page, title
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.markdown import block_title
from tokenusage.show.report.pairs import (
    PairBlock,
    PairCells,
    cells_of,
    page_blocks,
    pair_heading,
    pair_key,
)
from tokenusage.show.report.sections import Line, Section, below_each_other, fitted
from tokenusage.show.report.table import missed
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
    parts: list[RenderableType] = [title(_caption(comparison), width)]
    if has_calls(comparison):
        parts += [lines(flow(headline(comparison.report), width))]
        parts += [lines(flow(_before(headline(comparison.before)), width), "dim"), Text()]
        parts += _tables(comparison, page_blocks(comparison, order), width, terminal=terminal)
    else:
        parts += [Text(), hint(_empty(comparison, command)), Text()]
    parts += [Text(sentence, style="dim") for sentence in remarks(comparison, now)]
    now_account, before_account = _accounts(comparison)
    parts += [*account(now_account, (), width), *account(before_account, _notes(comparison), width)]
    return page(parts, width, terminal=terminal)


def render_comparison_markdown(
    comparison: Comparison, order: Order, *, now: datetime, command: str
) -> str:
    """Return a comparison as a Markdown section; for the arguments see `render_comparison`."""
    parts = markdown.title(_caption(comparison))
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
        parts += markdown.hint(_empty(comparison, command))
    parts += [escape_markdown(sentence) for sentence in remarks(comparison, now)]
    now_account, before_account = _accounts(comparison)
    parts += [prose(now_account), *markdown.account(before_account, _notes(comparison))]
    return markdown.section(parts)


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
        said.append("≥ and ≈: calls without a price are missing from a cost, or from a difference.")
    if end is not None and now < end:
        other = before.query.period.end
        is_whole = other is None or other.time() == time.min
        said.append(
            "The first period is not over yet; it is held against "
            + ("the whole of the other." if is_whole else "as much of the other.")
        )
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
    sections = [_section(block, cells) for block in blocks]
    headers = {column.name: column.header for column in cells.columns}
    totals = _figures(cells, comparison.totals, of_time=True)
    # Two costs, their difference and the change need more room than a report's columns.
    grid = fitted(sections, headers, totals, width, terminal=terminal, together=NAME_WIDTH)
    parts = below_each_other(grid, sections, totals)
    return parts + missed([one.column for one in cells.columns if one.name not in grid.staying])


def _section(block: PairBlock, cells: PairCells) -> Section:
    def line(names: list[str], pair: Pair, style: str = "") -> Line:
        return Line(names, _figures(cells, pair, of_time=block.of_time), style)

    rows = [line(_key_texts(block, pair), pair) for pair in block.rows]
    rest = line([block.rest_label], block.rest, "dim") if block.rest else None
    headings = [*map(pair_heading, block.dimensions)]
    return Section(block.dimensions, headings, rows, rest, block.rest_is_earlier)


def _key_texts(block: PairBlock, pair: Pair) -> list[str]:
    both = zip(block.dimensions, pair.keys, pair.before_keys, strict=True)
    return [pair_key(*keys) for keys in both]


def _figures(cells: PairCells, pair: Pair, *, of_time: bool) -> dict[str, Text]:
    """Return the figures of a row as they print, by the name of their column."""
    figures = {}
    for column in cells.columns:
        text = cells.text(column, pair, of_time=of_time)
        style = style_of(text) if column.side == "change" else ""
        figures[column.name] = figure(text, style or ("dim" if column.side == "before" else ""))
    return figures


def _markdown_table(comparison: Comparison, block: PairBlock, cells: PairCells) -> str:
    heads = [head(pair_heading(name)) for name in block.dimensions]
    table = aligned(heads, [escape_markdown(column.header) for column in cells.columns])
    rows = [(_key_texts(block, pair), pair, block.of_time) for pair in block.rows]
    blank = [""] * (len(heads) - 1)
    if block.rest:
        place = 0 if block.rest_is_earlier else len(rows)
        rows.insert(place, ([block.rest_label, *blank], block.rest, block.of_time))
    for keys, pair, of_time in rows:
        texts = [cells.text(column, pair, of_time=of_time) for column in cells.columns]
        table.append(table_line(map(escape_markdown, [*keys, *texts])))
    totals = [cells.text(column, comparison.totals, of_time=True) for column in cells.columns]
    table.append(table_line(["**Total**", *blank, *map(escape_markdown, totals)]))
    return "\n".join(table)
