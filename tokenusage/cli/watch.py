"""``tokenusage watch``: the calls of the last while, as they are made."""

import gc
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tokenusage.analyse.period import find_zone
from tokenusage.analyse.query import Filters, Period, Query
from tokenusage.cli import options
from tokenusage.cli.output import draws_on_terminal, emit, writes
from tokenusage.config import Settings, load_settings
from tokenusage.errors import WrongUseError

if TYPE_CHECKING:
    from tokenusage.analyse.watcher import Watcher
    from tokenusage.analyse.window import Look

FORMATS: Final = ("table", "json")

_DURATION: Final = re.compile(r"(?P<number>[0-9]{1,6}(?:\.[0-9]{1,6})?)(?P<unit>[smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_LEAST_INTERVAL: Final = timedelta(seconds=0.2)
_MOST_INTERVAL: Final = timedelta(hours=1)
_LEAST_WINDOW: Final = timedelta(minutes=1)
_MOST_WINDOW: Final = timedelta(days=7)

Interval = Annotated[
    str, typer.Option("--interval", metavar="TIME", help="Time from look to look: 0.5s, 5, 1m.")
]
Span = Annotated[
    str, typer.Option("--window", metavar="TIME", help="How far back it goes: 90s, 15m, 1h, 1d.")
]


@dataclass(frozen=True, slots=True)
class _Watch:
    """What was asked for."""

    logs: Path
    filters: Filters
    interval: timedelta
    zone: str

    def query(self, look: "Look") -> Query:
        """Return the question that a look answers."""
        zone, name = find_zone(self.zone)
        start, end = look.start.astimezone(zone), look.now.astimezone(zone)
        return Query(Period(start, end, zone, name, "window"), self.filters)


def watch(
    *,
    interval: Interval = "5",
    window: Span = "1h",
    logs: options.Logs = None,
    tz: options.Tz = "UTC",
    user: options.User = None,
    operation: options.Operation = None,
    model: options.Model = None,
    where: options.Where = None,
    format_: Annotated[str, options.format_option(FORMATS)] = "table",
) -> None:
    """Show the calls of the last while as they are made, until q or Ctrl-C.

    On a terminal a screen: u, o, m and d group by user, operation, model and time, p
    pauses, q quits. In a pipe a line per interval, of what came in since the line before.

    The window goes back as far as asked for, and up to a sixtieth further: it begins
    where the screen says.

    Examples:
      tokenusage watch --window 15m --model 'gpt-4o*'
      tokenusage watch --interval 60 --format json
    """
    options.choose("--format", format_, FORMATS)
    every = duration("--interval", interval, _LEAST_INTERVAL, _MOST_INTERVAL)
    span = duration("--window", window, _LEAST_WINDOW, _MOST_WINDOW)
    find_zone(tz)
    settings = load_settings()
    filters = options.filters(user, operation, model, where)
    _watch(_Watch(logs or settings.logs, filters, every, tz), span, settings, format_)


def duration(option: str, text: str, least: timedelta, most: timedelta) -> timedelta:
    """Return the length of time that `text` writes: ``90s``, ``15m``, ``1h``, ``1d``.

    A number alone is of seconds.

    Raises:
        WrongUseError: it writes none, or one that is too short or too long.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise WrongUseError(f"{option} takes a time such as 90s, 15m, 1h or 1d, not {text!r}.")
    length = timedelta(seconds=float(match["number"]) * _UNITS[match["unit"]])
    if not least <= length <= most:
        raise WrongUseError(f"{option} must be from {_short(least)} to {_short(most)}, not {text}.")
    return length


def _short(length: timedelta) -> str:
    """Return a length of time as `duration` takes it, in its largest whole unit."""
    seconds = length.total_seconds()
    unit = next((unit for unit in "dhm" if seconds % _UNITS[unit] == 0), "s")
    return f"{seconds / _UNITS[unit]:g}{unit}"


def _watch(wanted: _Watch, span: timedelta, settings: Settings, format_: str) -> None:
    from tokenusage.analyse.watcher import Watcher

    # Commands end before their garbage matters; this one does not end.
    gc.freeze()
    gc.enable()
    # Ctrl-C is how one leaves.
    with (
        suppress(KeyboardInterrupt),
        Watcher(wanted.logs, wanted.filters, span, naive_zone=settings.naive_timezone) as watcher,
    ):
        if format_ == "json":
            _print_json(watcher, wanted)
        elif draws_on_terminal():
            _show_screen(watcher, wanted)
        else:
            _print_lines(watcher, wanted)


def _ticks(interval: timedelta) -> Iterator[None]:
    """Come back at once, and then in step with the interval, however long the work takes."""
    due = monotonic()
    while True:
        yield
        due = max(due + interval.total_seconds(), monotonic())
        sleep(max(due - monotonic(), 0))


def _print_json(watcher: "Watcher", wanted: _Watch) -> None:
    from tokenusage.show.live_lines import render_json

    for look in _looks(watcher, wanted):
        emit(render_json(look, wanted.query(look)), None)


def _print_lines(watcher: "Watcher", wanted: _Watch) -> None:
    from tokenusage.cli.output import width
    from tokenusage.show.live_lines import render_heading, render_line

    zone, _ = find_zone(wanted.zone)
    looks = _looks(watcher, wanted)
    # What the first look finds did not come in during an interval.
    first = next(looks)
    emit(render_heading(first, wanted.query(first), str(wanted.logs), width()), None)
    for look in looks:
        emit(render_line(look, zone, width()), None)


def _looks(watcher: "Watcher", wanted: _Watch) -> "Iterator[Look]":
    """Yield a look an interval; what makes its figures short is said on stderr, once."""
    from tokenusage.show.live_lines import notes

    before: list[str] = []
    for _ in _ticks(wanted.interval):
        look = watcher.look(datetime.now(UTC))
        yield look
        said = notes(look)
        for note in said:
            if note not in before:
                typer.echo(note, err=True)
        before = said


def _show_screen(watcher: "Watcher", wanted: _Watch) -> None:
    from shutil import get_terminal_size

    from tokenusage.cli.keyboard import Keyboard
    from tokenusage.cli.output import width
    from tokenusage.show.live import KEYS, Screen, render_screen
    from tokenusage.show.spark import BLOCKS

    by, blocks, paused = KEYS["m"], writes(BLOCKS), False
    shown = latest = watcher.look(datetime.now(UTC))
    due = monotonic() + wanted.interval.total_seconds()
    with Keyboard() as keyboard:
        while True:
            screen = Screen(width(), get_terminal_size().lines, by, paused=paused, blocks=blocks)
            query = wanted.query(shown)
            keyboard.draw(render_screen(shown, query, str(wanted.logs), screen))
            for key in keyboard.wait(due - monotonic()).lower():
                if key == "q":
                    return
                paused = paused != (key == "p")
                by = KEYS.get(key, by)
            if monotonic() >= due:
                latest = watcher.look(datetime.now(UTC))
                due = max(due + wanted.interval.total_seconds(), monotonic())
            shown = shown if paused else latest
