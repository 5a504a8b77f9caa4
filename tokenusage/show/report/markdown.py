"""Reports as Markdown, to be pasted or handed on: every column, tables of GitHub's form."""

from datetime import date
from typing import Final

from tokenusage.analyse.report import Figures, Report
from tokenusage.show.inert import escape_markdown
from tokenusage.show.markdown import account, aligned, head, hint, prose, section, table_line, title
from tokenusage.show.report.arrange import Block, Order, table_blocks
from tokenusage.show.report.cells import Cells, cells_of, heading, key_text
from tokenusage.show.words import caption, empty_answer, headline, ledger_notes, ledger_parts

AT_LEAST: Final = "≥"
"""In front of a cost that is short of something."""


def render_markdown(report: Report, order: Order, *, today: date, command: str) -> str:
    """Return a report as a Markdown section: caption, totals, tables and ledger.

    Args:
        report: the answer.
        order: sorting and limit as asked for.
        today: the present day in the report's zone.
        command: how the person started the report, for a hint that can be typed.
    """
    parts = title(caption(report.query, report.logs))
    if report.totals.calls or report.totals.cache_hits:
        blocks = table_blocks(report, order, today, newest_first=False)
        cells = cells_of(report, blocks)
        parts.append(f"**{prose(headline(report))}**")
        for block in blocks:
            if not report.query.by:
                parts.append(f"### {block_title(block.dimensions[0])}")
            parts.append(_table(block, cells))
    else:
        parts += hint(empty_answer(report.ledger, report.newest_day, report.logs, command))
    if report.totals.unpriced:
        parts.append(f"{AT_LEAST}: calls without a price are missing from the cost.")
    parts += account(
        ledger_parts(report.ledger, report.totals.unpriced), ledger_notes(report.ledger)
    )
    return section(parts)


def _table(block: Block, cells: Cells) -> str:
    heads = [head(heading(dimension)) for dimension in block.dimensions]
    columns = cells.columns
    lines = aligned(heads, [escape_markdown(column.header) for column in columns])
    for row in block.rows:
        keys = [key_text(*pair) for pair in zip(block.dimensions, row.keys, strict=True)]
        lines.append(_row(list(map(escape_markdown, keys)), row.figures, cells))
    blank = [""] * (len(heads) - 1)
    if block.rest:
        place = 2 if block.rest_is_earlier else len(lines)
        lines.insert(
            place,
            _row(
                [block.rest_label, *blank],
                block.rest,
                cells,
            ),
        )
    lines.append(_row(["**Total**", *blank], cells.totals, cells))
    return "\n".join(lines)


def _row(keys: list[str], figures: Figures, cells: Cells) -> str:
    texts = (escape_markdown(cells.text(column, figures)) for column in cells.columns)
    return table_line([*keys, *texts])


def block_title(dimension: str) -> str:
    """Return the heading above a section of the overview."""
    return f"By {dimension}"
