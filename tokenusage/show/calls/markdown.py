"""Calls as Markdown, to be pasted or handed on: every column, nothing shortened."""

from collections.abc import Sequence

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
from tokenusage.show.words import caption, empty_answer, ledger_notes


def render_markdown(calls: Calls, *, command: str) -> str:
    """Return a page of calls as a Markdown section: caption, table and ledger.

    Args:
        calls: the page.
        command: how the person started it, for a hint that can be typed.
    """
    title, *conditions = caption(calls.query, calls.logs, "Calls")
    parts = [f"## {title}", _prose(conditions)]
    if calls.calls:
        parts.append(f"**{_prose(headline(calls))}**")
        parts.append(_table(calls) if calls.rows else escape_markdown(beyond(calls)))
    else:
        *sentences, last = empty_answer(calls.ledger, calls.newest_day, calls.logs, command)
        parts += [escape_markdown(" ".join(sentences)), f"    {last.strip()}"]
    parts.append(_prose(account(calls)))
    parts.append("\n".join(f"- {escape_markdown(note)}" for note in ledger_notes(calls.ledger)))
    return "\n\n".join(parts).rstrip() + "\n"


def _prose(parts: Sequence[str]) -> str:
    return escape_markdown(" · ".join(parts))


def _table(calls: Calls) -> str:
    names = [*map(str.capitalize, KEYS), *HEADERS.values(), QUERY]
    names[-2:] = [name.capitalize() for name in names[-2:]]
    numbers = len(HEADERS) - 1
    lines = [
        _line([escape_markdown(name) for name in names]),
        _line([*["---"] * len(KEYS), *["---:"] * numbers, "---", "---"]),
    ]
    places = places_of(calls.rows)
    for call in calls.rows:
        cells = key_texts(call, calls.query.period.zone)
        cells += figure_texts(call, places).values()
        lines.append(_line([escape_markdown(cell) for cell in [*cells, inert(call.query or "")]]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
