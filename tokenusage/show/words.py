"""The sentences around the figures: caption, headline, ledger, and an empty answer."""

import shlex
from datetime import date
from pathlib import Path
from typing import Final

from tokenusage.analyse.period import day_bounds
from tokenusage.analyse.query import Period, Query
from tokenusage.analyse.report import Figures, Report
from tokenusage.read.ledger import Ledger
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted, dollars, percent

BEFORE: Final = "before: "
"""In front of what is said of the period that another one is held against."""

SHOWN_REJECTIONS: Final = 5
"""Rejected lines that are named under a table."""


def caption(query: Query, logs: str, title: str = "Token usage") -> list[str]:
    """Return what figures are of: title, period and zone, directory, filters, cost mode."""
    filters = query.filters
    parts = [title, period_text(query.period), directory_text(logs)]
    for name, values in (
        ("user", filters.user),
        ("operation", filters.operation),
        ("model", filters.model),
    ):
        if values:
            parts.append(f"{name} {' or '.join(inert(value) for value in values)}")
    parts += [f"{inert(field)} = {inert(value)}" for field, value in filters.where]
    if query.cost != "logged":
        parts.append(f"{query.cost} prices")
    return parts


def directory_text(logs: str) -> str:
    """Return a log directory as it prints."""
    return inert(logs.rstrip("/") + "/")


def period_text(period: Period) -> str:
    """Return a period with its dates and its zone."""
    zone = inert(period.zone_name)
    first, last = day_bounds(period)
    if period.start is None or period.end is None:
        return f"{period.label} {zone}"
    if period.label.endswith(("hour", "hours")):
        return (
            f"{period.label}, {period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} {zone}"
        )
    dates = str(first) if first == last else f"{first} to {last}"
    return (
        f"{period.label} {zone}"
        if period.label.startswith(dates)
        else f"{period.label}, {dates} {zone}"
    )


def headline(report: Report) -> list[str]:
    """Return the totals: calls, tokens, cost and users."""
    totals = report.totals
    calls = counted(totals.calls, "call")
    if totals.success_rate is not None:
        calls += f" ({percent(totals.success_rate, 1)} ok)"
    parts = [calls, counted(totals.total_tokens, "token"), cost_text(totals)]
    parts.append(counted(report.users, "user"))
    if totals.cache_hits:
        parts.append(counted(totals.cache_hits, "cache hit"))
    return parts


def cost_text(totals: Figures) -> str:
    """Return the cost of some calls, and how many of them have no price."""
    unpriced = f"({counted(totals.unpriced, 'call')} unpriced)"
    if totals.cost is None:
        return f"cost unknown {unpriced}"
    return f"≥ {dollars(totals.cost)} {unpriced}" if totals.unpriced else dollars(totals.cost)


def ledger_parts(ledger: Ledger, unpriced: int) -> list[str]:
    """Return the account of what was read; what is usual stands there only when it isn't 0.

    Args:
        ledger: of everything that was read.
        unpriced: calls without a cost among them.
    """
    parts = [
        counted(ledger.files, "file"),
        counted(ledger.records, "record"),
        f"{count(ledger.rejected)} rejected",
        f"{count(unpriced)} unpriced",
        f"{count(ledger.estimated)} estimated",
    ]
    for number, what in (
        (ledger.dropped, "dropped by writers"),
        (ledger.duplicates, "duplicates"),
        (ledger.filtered, "filtered out"),
        (ledger.outside, "outside the period"),
    ):
        if number:
            parts.append(f"{count(number)} {what}")
    return parts


def ledger_notes(ledger: Ledger) -> list[str]:
    """Return a line for everything that makes the figures short, with where to find it."""
    named = ledger.rejections[:SHOWN_REJECTIONS]
    notes = [f"rejected: {inert(item.file)}:{item.line}: {inert(item.reason)}" for item in named]
    if ledger.rejected > len(named) > 0:
        notes.append(f"rejected: {count(ledger.rejected - len(named))} more")
    notes += [f"not read: {inert(sentence)}" for sentence in ledger.refused]
    if ledger.summary_only_days:
        notes.append(f"from summaries, as UTC days: {days_text(ledger.summary_only_days)}")
    if ledger.unanswered_days:
        notes.append(
            f"not in these figures, only summaries are left: {days_text(ledger.unanswered_days)}"
        )
    return notes


def shortfalls(ledger: Ledger, unpriced: int) -> list[str]:
    """Return what makes the totals short, counted; nothing when they are whole."""
    found = (
        (ledger.rejected, "rejected"),
        (unpriced, "unpriced"),
        (ledger.dropped, "dropped"),
        (len(ledger.unanswered_days), "unanswered days"),
        (len(ledger.refused), "files not read"),
    )
    return [f"{count(number)} {what}" for number, what in found if number]


def empty_answer(ledger: Ledger, newest_day: date | None, logs: str, command: str) -> list[str]:
    """Return the sentences that stand in the place of a table without calls.

    Args:
        ledger: of everything that was read.
        newest_day: of the newest log file that is not empty.
        logs: the log directory.
        command: how the person started it, with its ``--logs`` if given.
    """
    sentences = ["No calls in this period."]
    if ledger.filtered:
        records = counted(ledger.filtered, "record")
        sentences.append(f"The filters leave out all of its {records}.")
    elif newest_day is None:
        sentences.append(f"There are no log files in {inert(logs)} yet.")
        sentences.append("Samples to look at: tokenusage demo --logs logs/demo")
    else:
        sentences.append(f"The newest log file is of {newest_day}. Try:")
        sentences.append(f"  {inert(command)} --since {newest_day}")
    return sentences


def command_text(name: str, logs: Path | None) -> str:
    """Return how to start a command for the same directory; None is the default one."""
    command = f"tokenusage {name}"
    return command if logs is None else f"{command} --logs {shlex.quote(str(logs))}"


def days_text(days: list[str]) -> str:
    """Return days as a list that stays short."""
    shown = ", ".join(inert(day) for day in days[:5])
    return shown if len(days) <= 5 else f"{shown} and {count(len(days) - 5)} more"
