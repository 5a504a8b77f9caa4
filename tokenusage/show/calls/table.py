"""Calls as a table for a terminal, or for a pipe: then without colour and rules."""

from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.calls import Call, Calls
from tokenusage.analyse.period import day_bounds
from tokenusage.analyse.query import Period
from tokenusage.show.calls.cells import (
    HEADERS,
    KEYS,
    QUERY,
    UNKNOWN,
    account,
    beyond,
    figure_texts,
    headline,
    key_texts,
    places_of,
)
from tokenusage.show.fit import GAP, Key, cut, flow, shrink
from tokenusage.show.grid import Grid, figure
from tokenusage.show.inert import inert
from tokenusage.show.page import account as ending
from tokenusage.show.page import hint, lines, page, title
from tokenusage.show.words import caption, empty_answer, ledger_notes

_ROOMY: Final = 160
"""Columns from which on a time has its year even where the period tells it."""

_NARROW: Final = 80
"""Columns below which there is no place for operations."""

_LEAST_NAME: Final = 10
_LEAST_BESIDE_YEARS: Final = 7
"""The same on a narrow terminal, where times are long."""
_MOST_NAME: Final = 24
"""Characters of a name, so that long ones leave something to the queries."""

_LEAST_QUERY: Final = 16
_LEAST_REASON: Final = 16
"""Characters behind ``failed``, its colon among them."""

_MOST_STATUS: Final = 40


def render_table(calls: Calls, *, width: int, terminal: bool, command: str) -> str:
    """Return a page of calls as a table, or some sentences where there are none.

    Args:
        calls: the page.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        command: how the person started it, for a hint that can be typed.
    """
    parts: list[RenderableType] = [title(caption(calls.query, calls.logs, "Calls"), width)]
    if calls.rows:
        parts += [lines(flow(headline(calls), width)), Text()]
        parts += [_table(calls, width, terminal=terminal), Text()]
    elif calls.calls:
        parts += [lines(flow(headline(calls), width)), Text(), Text(beyond(calls)), Text()]
    else:
        answer = empty_answer(calls.ledger, calls.newest_day, calls.logs, command)
        parts += [Text(), hint(answer), Text()]
    parts += ending(account(calls), ledger_notes(calls.ledger), width)
    return page(parts, width, terminal=terminal)


def _table(calls: Calls, width: int, *, terminal: bool) -> RenderableType:
    rows, zone = calls.rows, calls.query.period.zone
    years = width >= _ROOMY or not _is_of_one_year(calls.query.period)
    shown = [place for place, key in enumerate(KEYS) if width >= _NARROW or key != "OPERATION"]
    keys = [key_texts(call, zone, with_year=years) for call in rows]
    keys = [[texts[place] for place in shown] for texts in keys]
    headings = [KEYS[place] for place in shown]
    figures = [figure_texts(call, places_of(rows)) for call in rows]
    queries = [inert(call.query or "") for call in rows]
    grid = _grid(width, [headings, *keys], figures, queries, terminal=terminal)
    table = grid.table(headings)
    for call, names, texts, query in zip(rows, keys, figures, queries, strict=True):
        cells = {name: _cell(call, name, text, grid) for name, text in texts.items()}
        if "query" in grid.staying:
            cells["query"] = Text(shrink(query, grid.room("query")), style="dim")
        grid.add(table, names, cells)
    return table


def _grid(
    width: int,
    keys: list[list[str]],
    figures: list[dict[str, str]],
    queries: list[str],
    *,
    terminal: bool,
) -> Grid:
    """Return the columns: what is left of the width shows reasons of failures, then queries."""
    wide = _names(width, keys)
    widths = {name: max(len(texts[name]) for texts in figures) for name in HEADERS}
    status = min(max(cell_len(texts["status"]) for texts in figures), _MOST_STATUS)
    query = max(map(cell_len, queries))
    widths["status"] = max(len(texts["status"].partition(":")[0]) for texts in figures)
    headers = dict(HEADERS)
    least = max(0, min(_LEAST_REASON, status - max(widths["status"], len(HEADERS["status"]))))
    if all(texts["status"].startswith("failed") for texts in figures):
        # Why they failed says more of them than their tokens, which may leave for it.
        reserved = min(least, _room_for_reasons(width, wide, widths))
        widths["status"] += reserved
        least -= reserved
    grid = Grid(width, wide, headers, widths, terminal=terminal)
    reason = max(0, status - grid.room("status"))
    # Names give way, where with that a reason and a query can be read.
    free = width - grid.width
    most = free + sum(now - key.least for now, key in zip(grid.keys, wide, strict=True))
    with_query = least + GAP + _LEAST_QUERY
    if query and most >= with_query:
        left = max(free, with_query) - GAP
        # Half of what is left, or more where the queries don't need theirs.
        more = min(reason, max(least, (left - _LEAST_QUERY) // 2, left - query))
        headers["query"] = QUERY
        widths["query"] = min(query, left - more)
    else:
        more = min(reason, max(free, least if most >= least else 0))
    widths["status"] = grid.room("status") + more
    return Grid(width, wide, headers, widths, terminal=terminal)


def _names(width: int, keys: list[list[str]]) -> list[Key]:
    """Return the widths of the times, which are never cut, and of the names."""
    times, *names = (max(map(cell_len, column)) for column in zip(*keys, strict=True))
    is_tight = width < _NARROW and times > len("11-21 12:00:00")
    least = _LEAST_BESIDE_YEARS if is_tight else _LEAST_NAME
    return [Key(times, times), *(Key(min(name, _MOST_NAME), min(name, least)) for name in names)]


def _room_for_reasons(width: int, wide: list[Key], widths: Mapping[str, int]) -> int:
    """Return what a status can have beside names as narrow as they get, and the cost."""
    figures = (max(len(HEADERS[name]), widths[name]) for name in ("cost", "status"))
    taken = [*(key.least for key in wide), *figures]
    return max(0, width - sum(taken) - GAP * (len(taken) - 1))


def _is_of_one_year(period: Period) -> bool:
    """Return whether all days of a period are of the same year."""
    first, last = day_bounds(period)
    return first is not None and last is not None and first.year == last.year


def _cell(call: Call, name: str, text: str, grid: Grid) -> Text:
    if name == "status" and name in grid.staying:
        room = grid.room(name)
        style = "" if call.success else "red"
        short = text if cell_len(text) <= room or room >= len("failed: ") + 8 else "failed"
        return Text(cut(short, room), style=style or ("dim" if text == "ok" else "yellow"))
    is_bad = name == "cost" and text == UNKNOWN
    return figure(text, "red" if is_bad else "")
