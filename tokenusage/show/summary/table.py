"""The summary as tables for a terminal, or for a pipe: then without colour and rules."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.summary.page import Summary
from tokenusage.show.change import style_of
from tokenusage.show.fit import flow, key_column
from tokenusage.show.grid import Grid, figure
from tokenusage.show.page import account, hint, lines, page, title
from tokenusage.show.summary.facts import caption_of, facts, headline, notes
from tokenusage.show.summary.sections import ALL_TIME, CHANGES, Section, by_period, of_all_time
from tokenusage.show.words import empty_answer, ledger_parts


def render_table(summary: Summary, *, width: int, terminal: bool, command: str) -> str:
    """Return a summary as a page, or as some sentences where there are no calls.

    Args:
        summary: the answer.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        command: how to ask for a report of the same directory, for a hint that can be typed.
    """
    parts: list[RenderableType] = [title(caption_of(summary), width)]
    ledger, totals = summary.ledger, summary.totals
    if totals.calls or totals.cache_hits:
        parts += [lines(flow(headline(summary), width)), Text()]
        for section in by_period(summary):
            parts += [_table(section, width, terminal=terminal), Text()]
        parts += [Text(f"{ALL_TIME}:", style="bold"), Text()]
        for section in of_all_time(summary):
            parts += [_table(section, width, terminal=terminal), Text()]
        parts += [*_facts(summary, width), Text()]
    else:
        answer = empty_answer(ledger, summary.newest_day, summary.logs, command)
        parts += [Text(), hint(answer), Text()]
    parts += account(ledger_parts(ledger, totals.unpriced), notes(summary), width)
    return page(parts, width, terminal=terminal)


def _table(section: Section, width: int, *, terminal: bool) -> RenderableType:
    labels = [label for label, _ in section.rows]
    rigid = section.heading != "OPERATION"
    texts = [section.heading, *labels]
    key = key_column([] if rigid else texts, texts if rigid else [], rigid=rigid, beside=1)
    widths = {
        name: max(cell_len(figures[name]) for _, figures in section.rows)
        for name in section.headers
    }
    grid = Grid(width, [key], section.headers, widths, terminal=terminal)
    table = grid.table([section.heading])
    for label, figures in section.rows:
        cells = {name: _cell(name, text) for name, text in figures.items()}
        grid.add(table, [label], cells)
    return table


def _cell(name: str, text: str) -> Text:
    return figure(text, style_of(text) if name in CHANGES else "")


def _facts(summary: Summary, width: int) -> Sequence[RenderableType]:
    """Return lines with their headings on the left."""
    found = facts(summary)
    indent = max((len(heading) for heading, _ in found), default=0) + 2
    texts = []
    for heading, parts in found:
        text = Text()
        for place, line in enumerate(flow(parts, width - indent)):
            text.append(f"\n{'':{indent}}" if place else f"{heading:{indent}}", "bold cyan")
            text.append(line)
        texts.append(text)
    return texts
