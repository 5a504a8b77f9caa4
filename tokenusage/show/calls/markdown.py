"""Calls as Markdown, to be pasted or handed on: every column, nothing shortened."""

from tokenusage.analyse.calls import Calls
from tokenusage.show.calls.cells import (
    HEADERS,
    KEYS,
    QUERY,
    account,
    beyond,
    figure_texts,
    headline,
    key_texts,
    places_of,
)
from tokenusage.show.inert import escape_markdown, inert
from tokenusage.show.markdown import account as ending
from tokenusage.show.markdown import hint, prose, section, table_line, title
from tokenusage.show.words import caption, empty_answer, ledger_notes


def render_markdown(calls: Calls, *, command: str) -> str:
    """Return a page of calls as a Markdown section: caption, table and ledger.

    Args:
        calls: the page.
        command: how the person started it, for a hint that can be typed.
    """
    parts = title(caption(calls.query, calls.logs, "Calls"))
    if calls.calls:
        parts.append(f"**{prose(headline(calls))}**")
        parts.append(_table(calls) if calls.rows else escape_markdown(beyond(calls)))
    else:
        parts += hint(empty_answer(calls.ledger, calls.newest_day, calls.logs, command))
    return section([*parts, *ending(account(calls), ledger_notes(calls.ledger))])


def _table(calls: Calls) -> str:
    names = [*map(str.capitalize, KEYS), *HEADERS.values(), QUERY]
    names[-2:] = [name.capitalize() for name in names[-2:]]
    numbers = len(HEADERS) - 1
    lines = [
        table_line([escape_markdown(name) for name in names]),
        table_line([*["---"] * len(KEYS), *["---:"] * numbers, "---", "---"]),
    ]
    places = places_of(calls.rows)
    for call in calls.rows:
        cells = key_texts(call, calls.query.period.zone)
        cells += figure_texts(call, places).values()
        lines.append(
            table_line([escape_markdown(cell) for cell in [*cells, inert(call.query or "")]])
        )
    return "\n".join(lines)
