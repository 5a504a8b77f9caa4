"""The live view: a screen for a terminal, a line a look for a pipe or a program."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.analyse.window import LAST_CALLS, LastCall, Look
from tokenusage.record import MICRO, PICO
from tokenusage.show.columns import row_model, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.fit import flow, key_column
from tokenusage.show.grid import UNKNOWN, Grid, figure
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted, decimal, money_places
from tokenusage.show.page import account, lines, page, title
from tokenusage.show.report.arrange import Block
from tokenusage.show.report.table import tables_of
from tokenusage.show.spark import spark
from tokenusage.show.words import caption, cost_text, headline, ledger_notes, ledger_parts

SCHEMA: Final = "tokenusage.watch/1"

KEYS: Final = {"u": "user", "o": "operation", "m": "model", "d": "from"}
"""What the keys group the calls by; ``from`` is by time."""

_TIME_ROWS: Final = 10
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LINE: Final = "{:19}  {:>7}  {:>6}  {:>13}  {:>12}  {:>9}  {:>10}\n"


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
        title(_caption(look, query, logs), width),
        lines(flow(headline(_report(look, query, logs)), width)),
        lines(flow(_minute(look.minute), width)),
        _course(look, screen),
        Text(),
    ]
    ledger = ledger_parts(look.ledger, look.totals.unpriced)
    above = _lines(head, screen)
    below = _lines(account(ledger, ledger_notes(look.ledger), width), screen)
    room = screen.height - len(above) - len(below) - 1
    # A table has a head, a rule, another rule and the totals, and a blank line below.
    calls = min(LAST_CALLS, max(room // 3 - 3, 0))
    table = _table(look, query, logs, screen, room - calls - (4 if calls else 0) - 5)
    last = [_last_calls(look.last[:calls], zone, screen), Text()] if calls else []
    middle = _lines([*table, *last], screen)[: max(room, 0)]
    if not look.totals.calls and not look.totals.cache_hits:
        middle = ["No calls in this window yet.", ""]
    shown = [*above, *middle, *below][: screen.height - 1]
    return "\n".join([*shown, *_lines([_footer(screen)], screen)[:1]])


def render_json(look: Look, query: Query) -> str:
    """Return a look as one line of JSON."""
    columns = row_model(percentiles=False)
    document = {
        "schema": SCHEMA,
        **question(query),
        "new": row_values(look.new, columns),
        "minute": row_values(look.minute, columns),
        "totals": row_values(look.totals, columns) | {"users": look.users},
        "ledger": look.ledger.as_dict(),
    }
    return to_json(document, one_line=True)


def render_heading() -> str:
    """Return the line above those of `render_line`."""
    return _LINE.format("TIME", "Calls", "Failed", "Total", "Cost $", "Calls/min", "$/min")


def render_line(look: Look, zone: tzinfo) -> str:
    """Return what came in since the look before, and the rates, as a line of a table."""
    new, minute = look.new, look.minute
    return _LINE.format(
        f"{look.now.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        count(new.calls),
        count(new.failed),
        count(new.total_tokens),
        _money(new),
        count(minute.calls),
        _money(minute),
    )


def _money(figures: Figures) -> str:
    if figures.cost is None:
        return UNKNOWN
    amount = decimal(figures.cost, 4)
    return f"≥ {amount}" if figures.unpriced else amount


def _caption(look: Look, query: Query, logs: str) -> list[str]:
    """Return the caption, with the window's exact begin and end in the place of dates."""
    parts = caption(query, logs, "Live usage")
    start, end = (moment.astimezone(query.period.zone) for moment in (look.start, look.now))
    until = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    parts[1] = f"{start:%Y-%m-%d %H:%M:%S} to {until} {inert(query.period.zone_name)}"
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
    line, together_ = spark(amounts, screen.width - 28, blocks=screen.blocks)
    what = f"{'cost' if is_priced else 'calls'} per {_span(width * together_)}"
    return Text.assemble((line, "cyan"), f"  {what}")


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
        shown = max(most - 1, 1)
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
            UNKNOWN if call.user is None else inert(call.user) or '""',
            inert(call.operation) or '""',
            inert(call.model) or '""',
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
    if screen.paused:
        return Text.assemble(("PAUSED, still reading", "bold yellow"), "  p go on  q quit")
    return Text("  ".join([*parts, "p pause", "q quit"]), style="dim", no_wrap=True)


def _lines(parts: Sequence[RenderableType], screen: Screen) -> list[str]:
    return page(parts, screen.width, terminal=screen.terminal).splitlines()
