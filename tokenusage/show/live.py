"""The live view on a terminal: a screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.analyse.window import LastCall, Look
from tokenusage.record import MICRO, PICO
from tokenusage.show.fit import flow, key_column
from tokenusage.show.grid import UNKNOWN, Grid, figure
from tokenusage.show.inert import inert_name
from tokenusage.show.live_lines import live_caption, moment_text
from tokenusage.show.numbers import count, counted, decimal, money_places
from tokenusage.show.page import account, lines, page, title
from tokenusage.show.report.arrange import Block
from tokenusage.show.report.table import tables_of
from tokenusage.show.spark import spark
from tokenusage.show.words import cost_text, headline, ledger_notes, ledger_parts

KEYS: Final = {"u": "user", "o": "operation", "m": "model", "d": "from"}
"""What the keys group the calls by; ``from`` is by time."""

_TIME_ROWS: Final = 10
_WIDE: Final = 80
"""Columns in which there is room to say that a paused watch goes on reading."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Screen:
    """How a look is shown on a terminal."""

    width: int
    height: int
    by: str
    """One of the values of `KEYS`."""
    paused: bool = False
    blocks: bool = True
    """Whether the terminal has block characters."""
    terminal: bool = True
    """With rules, and with colour unless NO_COLOR."""


def render_screen(look: Look, query: Query, logs: str, screen: Screen) -> str:
    """Return the lines of a screen, never more than it is high, without a newline at the end.

    Args:
        look: the figures.
        query: the filters, and the period from the window's begin to the look.
        logs: the log directory as the user named it.
        screen: how they are shown.
    """
    width = screen.width
    zone = query.period.zone
    head: list[RenderableType] = [
        title(live_caption(look, query, logs), width),
        lines(flow(_headline(look, query, logs), width)),
        lines(flow(_minute(look.minute), width)),
        _course(look, screen),
        Text(),
    ]
    since = f"since {moment_text(look.since, look.now, zone)}"
    ledger = [since, *ledger_parts(look.ledger, look.unpriced)]
    above = _lines(head, screen)
    below = _lines(account(ledger, ledger_notes(look.ledger), width), screen)
    room = screen.height - len(above) - len(below) - 1
    # A table has a head, a rule, another rule and the totals, and a blank line below.
    calls = min(len(look.last), max(room // 3 - 3, 0))
    most = room - calls - (4 if calls else 0) - 5
    middle = _lines(_table(look, query, logs, screen, most), screen)
    # What the groups leave is for more of the last calls.
    last = look.last[: max(room - len(middle) - 3, 0)]
    if last:
        middle += _lines([_last_calls(last, zone, screen), Text()], screen)
    if not look.totals.calls and not look.totals.cache_hits:
        middle = ["No calls in this window yet.", ""]
    shown = [*above, *middle[: max(room, 0)], *below][: screen.height - 1]
    return "\n".join([*shown, *_lines([_footer(screen)], screen)[:1]])


def _headline(look: Look, query: Query, logs: str) -> list[str]:
    parts = headline(_report(look, query, logs))
    if look.more_users:
        parts[3] = f"≥ {parts[3]}"
    return parts


def _minute(minute: Figures) -> list[str]:
    failed = [f"{count(minute.failed)} failed"] if minute.failed else []
    calls = f"Last minute: {counted(minute.calls, 'call')}"
    return [calls, *failed, counted(minute.total_tokens, "token"), cost_text(minute)]


def _course(look: Look, screen: Screen) -> Text:
    """Return the spark line: of cost or, where none is known, of calls."""
    is_priced = look.totals.cost_pico > 0
    amounts = [x.figures.cost_pico if is_priced else x.figures.calls for x in look.course]
    width = timedelta(microseconds=look.course[1].start - look.course[0].start)
    for together_ in range(1, len(amounts) + 1):
        what = f"  {'cost' if is_priced else 'calls'} per {_span(width * together_)}"
        characters = -(-len(amounts) // together_)
        if characters + len(what) <= screen.width:
            break
    line, _ = spark(amounts, characters, blocks=screen.blocks)
    return Text.assemble((line, "cyan"), what)


def _span(length: timedelta) -> str:
    """Return a length of time: ``90 s``, ``1 min``, ``24 min``."""
    seconds = length.total_seconds()
    return f"{seconds / 60:g} min" if seconds % 60 == 0 else f"{seconds:g} s"


def _report(look: Look, query: Query, logs: str) -> Report:
    return Report(query, logs, look.totals, look.users, look.ledger)


def _table(look: Look, query: Query, logs: str, screen: Screen, most: int) -> list[RenderableType]:
    """Return the table by the present grouping, in `most` rows."""
    rows, hidden, rest = _rows(look, query.period.zone, screen.by)
    if len(rows) > max(most, 1) or hidden:
        shown = min(max(most - 1, 1), len(rows))
        hidden += len(rows) - shown
        rest = together([rest, *(row.figures for row in rows[shown:])])
        rows = rows[:shown]
    block = Block((screen.by,), tuple(rows), hidden, rest if hidden else None)
    report = _report(look, query, logs)
    return tables_of(report, (block,), screen.width, terminal=screen.terminal)


def _rows(look: Look, zone: tzinfo, by: str) -> tuple[Sequence[Row], int, Figures]:
    if by in look.groups:
        groups = look.groups[by]
        return groups.rows, groups.hidden, groups.rest
    # Newest first; a bucket or two that are left over go with the oldest row.
    together_ = len(look.course) // _TIME_ROWS
    starts = [len(look.course) - (place + 1) * together_ for place in range(_TIME_ROWS)]
    starts[-1] = 0
    rows = []
    end = len(look.course)
    for start in starts:
        moment = _EPOCH + timedelta(microseconds=look.course[start].start)
        figures = together(bucket.figures for bucket in look.course[start:end])
        rows.append(Row((f"{moment.astimezone(zone):%m-%d %H:%M:%S}",), figures))
        end = start
    return rows, 0, Figures()


def _last_calls(calls: Sequence[LastCall], zone: tzinfo, screen: Screen) -> RenderableType:
    """Return the table of the last calls, newest first."""
    headings = ("TIME", "USER", "OPERATION", "MODEL")
    names = [
        (
            f"{(_EPOCH + timedelta(microseconds=call.time)).astimezone(zone):%H:%M:%S}",
            UNKNOWN if call.user is None else inert_name(call.user),
            inert_name(call.operation),
            inert_name(call.model),
        )
        for call in calls
    ]
    known = [call.cost_pico / PICO for call in calls if call.cost_pico]
    places = money_places(max(known, default=0.0))
    figures = [_call_figures(call, places) for call in calls]
    headers = {
        "total_tokens": "Total",
        "cost": "Cost $",
        "avg_response_time": "s",
        "status": "Status",
    }
    widths = {name: max((len(row[name]) for row in figures), default=0) for name in headers}
    columns = zip(headings, *names, strict=True)
    # As narrow as four names get, so that the cost has room on 60 columns.
    keys = [key_column(x, [], rigid=x[0] == "TIME", beside=5) for x in columns]
    grid = Grid(screen.width, keys, headers, widths, terminal=screen.terminal)
    table = grid.table(headings)
    for name, row in zip(names, figures, strict=True):
        grid.add(table, name, row)
    return table


def _call_figures(call: LastCall, places: int) -> dict[str, Text]:
    cost = None if call.cost_pico is None else decimal(call.cost_pico / PICO, places)
    seconds = None if call.response_micro is None else decimal(call.response_micro / MICRO, 2)
    status = "cached" if call.hit else "failed" if call.failed else "ok"
    return {
        "total_tokens": figure(count(call.total_tokens)),
        "cost": figure(cost or UNKNOWN),
        "avg_response_time": figure(seconds or UNKNOWN),
        "status": Text(status, style="red" if call.failed else "dim"),
    }


def _footer(screen: Screen) -> Text:
    """Return the line that names the keys; the present grouping stands in brackets."""
    words = {"u": "user", "o": "operation", "m": "model", "d": "time"}
    parts = [
        f"[{key} {word}]" if KEYS[key] == screen.by else f"{key} {word}"
        for key, word in words.items()
    ]
    footer = Text("  ".join(parts), style="dim", no_wrap=True)
    if screen.paused:
        paused = "PAUSED, still reading" if screen.width >= _WIDE else "PAUSED"
        footer.append(f"  [p {paused}]", "not dim bold yellow")
    else:
        footer.append("  p pause")
    return footer.append("  q quit")


def _lines(parts: Sequence[RenderableType], screen: Screen) -> list[str]:
    return page(parts, screen.width, terminal=screen.terminal).splitlines()
