"""The live view for a pipe or a program: a line a look."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Figures
from tokenusage.analyse.window import Look
from tokenusage.show.columns import row_model, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.fit import Key, fit, flow
from tokenusage.show.grid import UNKNOWN
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, decimal
from tokenusage.show.words import caption, ledger_notes, shortfalls

SCHEMA: Final = "tokenusage.watch/1"

_TIME: Final = "TIME"
_TIME_WIDTH: Final = 19
_LINE: Final = {
    "calls": ("Calls", 7),
    "failed": ("Failed", 6),
    "total_tokens": ("Total", 13),
    "cost": ("Cost $", 14),
    "calls_per_minute": ("Calls/min", 9),
    "cost_per_minute": ("$/min", 14),
}
"""Headers and widths of what a line says, by the names by which they leave."""


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


def render_heading(look: Look, query: Query, logs: str, width: int) -> str:
    """Return what stands above the lines of `render_line`: what they are of, and their heads."""
    caption_ = "\n".join(flow(live_caption(look, query, logs), width))
    return f"{caption_}\n\n{_line(_TIME, {name: head for name, (head, _) in _LINE.items()}, width)}"


def render_line(look: Look, zone: tzinfo, width: int) -> str:
    """Return what came in since the look before, and the rates, as a line of a table."""
    new, minute = look.new, look.minute
    figures = {
        "calls": count(new.calls),
        "failed": count(new.failed),
        "total_tokens": count(new.total_tokens),
        "cost": _money(new),
        "calls_per_minute": count(minute.calls),
        "cost_per_minute": _money(minute),
    }
    return _line(f"{look.now.astimezone(zone):%Y-%m-%d %H:%M:%S}", figures, width)


def notes(look: Look) -> list[str]:
    """Return the sentences on what makes the figures short, for lines that have no place for it."""
    anew = ["read anew: the logs were changed, or the clock was set back"] if look.anew else []
    return [*anew, *shortfalls(look.ledger, 0), *ledger_notes(look.ledger)]


def live_caption(look: Look, query: Query, logs: str) -> list[str]:
    """Return the caption, with the window's exact begin and end in the place of dates."""
    parts = caption(query, logs, "Live usage")
    zone = query.period.zone
    start, end = look.start.astimezone(zone), moment_text(look.now, look.start, zone)
    parts[1] = f"{start:%Y-%m-%d %H:%M:%S} to {end} {inert(query.period.zone_name)}"
    return parts


def moment_text(moment: datetime, other: datetime, zone: tzinfo) -> str:
    """Return a moment beside another one, whose date need not be repeated."""
    local = moment.astimezone(zone)
    is_same_day = local.date() == other.astimezone(zone).date()
    return f"{local:%H:%M:%S}" if is_same_day else f"{local:%Y-%m-%d %H:%M:%S}"


def _line(time: str, figures: Mapping[str, str], width: int) -> str:
    """Return a line of as many of the figures as have room."""
    key = Key(_TIME_WIDTH, _TIME_WIDTH)
    _, staying = fit(width, [key], {name: size for name, (_, size) in _LINE.items()})
    cells = [f"{figures[name]:>{_LINE[name][1]}}" for name in staying]
    return "  ".join([f"{time:{_TIME_WIDTH}}", *cells]) + "\n"


def _money(figures: Figures) -> str:
    if figures.cost is None:
        return UNKNOWN
    amount = decimal(figures.cost, 4 if figures.cost < 1000 else 2)
    return f"≥ {amount}" if figures.unpriced else amount
