"""The sentences around the figures: caption, headline, ledger, and an empty answer."""

import shlex
from typing import Final

from tokenusage.analyse.report import Report
from tokenusage.show.arrange import day_bounds
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted, dollars, percent

SHOWN_REJECTIONS: Final = 5
"""Rejected lines that are named under a table."""


def caption(report: Report) -> list[str]:
    """Return what the figures are of: period and zone, directory, filters, cost mode."""
    filters = report.query.filters
    parts = ["Token usage", period_text(report), inert(report.logs.rstrip("/") + "/")]
    for name, values in (
        ("user", filters.user),
        ("operation", filters.operation),
        ("model", filters.model),
    ):
        if values:
            parts.append(f"{name} {' or '.join(inert(value) for value in values)}")
    parts += [f"{inert(field)} = {inert(value)}" for field, value in filters.where]
    if report.query.cost != "logged":
        parts.append(f"{report.query.cost} prices")
    return parts


def period_text(report: Report) -> str:
    """Return the period with its dates and its zone."""
    period = report.query.period
    zone = inert(period.zone_name)
    first, last = day_bounds(period)
    if period.start is None or period.end is None:
        return f"{period.label} {zone}"
    if period.label.endswith(("hour", "hours")):
        return (
            f"{period.label}, {period.start:%Y-%m-%d %H:%M} to {period.end:%Y-%m-%d %H:%M} {zone}"
        )
    dates = str(first) if first == last else f"{first} to {last}"
    return f"{dates} {zone}" if period.label == dates else f"{period.label}, {dates} {zone}"


def headline(report: Report) -> list[str]:
    """Return the totals: calls, tokens, cost and users."""
    totals = report.totals
    calls = counted(totals.calls, "call")
    if totals.success_rate is not None:
        calls += f" ({percent(totals.success_rate, 1)} ok)"
    parts = [calls, counted(totals.total_tokens, "token"), total_cost(report)]
    parts.append(counted(report.users, "user"))
    if totals.cache_hits:
        parts.append(counted(totals.cache_hits, "cache hit"))
    return parts


def total_cost(report: Report) -> str:
    """Return the cost of all calls, and how many of them have no price."""
    totals = report.totals
    unpriced = f"({counted(totals.unpriced, 'call')} unpriced)"
    if totals.cost is None:
        return f"cost unknown {unpriced}"
    return f"≥ {dollars(totals.cost)} {unpriced}" if totals.unpriced else dollars(totals.cost)


def ledger_parts(report: Report) -> list[str]:
    """Return the account of what was read; what is usual stands there only when it isn't 0."""
    ledger = report.ledger
    parts = [
        counted(ledger.files, "file"),
        counted(ledger.records, "record"),
        f"{count(ledger.rejected)} rejected",
        f"{count(report.totals.unpriced)} unpriced",
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


def ledger_notes(report: Report) -> list[str]:
    """Return a line for everything that makes the figures short, with where to find it."""
    ledger = report.ledger
    named = ledger.rejections[:SHOWN_REJECTIONS]
    notes = [f"rejected: {inert(item.file)}:{item.line}: {inert(item.reason)}" for item in named]
    if ledger.rejected > len(named) > 0:
        notes.append(f"rejected: {count(ledger.rejected - len(named))} more")
    notes += [f"not read: {inert(sentence)}" for sentence in ledger.refused]
    if ledger.summary_only_days:
        notes.append(f"from summaries, as UTC days: {_days(ledger.summary_only_days)}")
    if ledger.unanswered_days:
        notes.append(
            f"not in these figures, only summaries are left: {_days(ledger.unanswered_days)}"
        )
    return notes


def shortfalls(report: Report) -> list[str]:
    """Return what makes the totals short, counted; nothing when they are whole."""
    ledger = report.ledger
    found = (
        (ledger.rejected, "rejected"),
        (report.totals.unpriced, "unpriced"),
        (ledger.dropped, "dropped"),
        (len(ledger.unanswered_days), "unanswered days"),
        (len(ledger.refused), "files not read"),
    )
    return [f"{count(number)} {what}" for number, what in found if number]


def empty_answer(report: Report, command: str) -> list[str]:
    """Return the sentences that stand in the place of a table without calls.

    Args:
        report: an answer without calls and cache hits.
        command: how the person started the report, with its ``--logs`` if given.
    """
    directory = inert(report.logs)
    sentences = ["No calls in this period."]
    if report.ledger.filtered:
        records = counted(report.ledger.filtered, "record")
        sentences.append(f"The filters leave out all of its {records}.")
    elif report.newest_day is None:
        sentences.append(f"There are no log files in {directory} yet.")
        sentences.append("Samples to look at: tokenusage demo --logs logs/demo")
    else:
        sentences.append(f"The newest log file is of {report.newest_day}. Try:")
        sentences.append(f"  {inert(command)} --since {report.newest_day}")
    return sentences


def report_command(logs: str | None) -> str:
    """Return how to start a report of the same directory; None is the default one."""
    return "tokenusage report" if logs is None else f"tokenusage report --logs {shlex.quote(logs)}"


def _days(days: list[str]) -> str:
    shown = ", ".join(inert(day) for day in days[:5])
    return shown if len(days) <= 5 else f"{shown} and {count(len(days) - 5)} more"
