"""What a summary says in words: its caption, its headline, and what stands under the tables."""

from dataclasses import replace

from tokenusage.analyse.report import Figures
from tokenusage.analyse.summary.page import CacheUse, Projection, Summary
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted, dollars, percent
from tokenusage.show.words import caption, cost_text, days_text, ledger_notes


def caption_of(summary: Summary) -> list[str]:
    """Return what the summary is of, and when it was asked for."""
    title, _, *conditions = caption(summary.query, summary.logs, "Summary")
    zone = inert(summary.query.period.zone_name)
    return [title, f"{summary.now:%Y-%m-%d %H:%M} {zone}", *conditions]


def headline(summary: Summary) -> list[str]:
    """Return what one looks for first: today, this month, and where that leads."""
    figures = {period.name: period.figures for period in summary.periods}
    parts = [
        f"today {counted(figures['today'].calls, 'call')}, {cost_text(figures['today'])}",
        f"this month {cost_text(figures['this_month'])}",
    ]
    if (pace := pace_text(summary.projection)) and figures["this_month"].calls:
        parts.append(pace)
    return parts


def pace_text(projection: Projection) -> str | None:
    """Return what this month comes to at the current pace; None where there is no telling."""
    if projection.cost is None:
        return None
    return f"{_short(projection.month.figures)}{dollars(projection.cost)} by its end at this pace"


def facts(summary: Summary) -> list[tuple[str, list[str]]]:
    """Return what is said of all time in a line each, under its heading."""
    found = [("TOKENS", _tokens(summary)), ("CACHE", _cache(summary.cache))]
    return [(heading, parts) for heading, parts in found if parts]


def _tokens(summary: Summary) -> list[str]:
    prompt, completion = summary.prompt_share, summary.completion_share
    if prompt is None or completion is None:
        return []
    parts = [f"{percent(prompt, 1)} input", f"{percent(completion, 1)} output"]
    if summary.cache_read_tokens and summary.cache_read_share is not None:
        parts.append(f"{percent(summary.cache_read_share, 1)} of the input from prompt caches")
    return parts


def _cache(cache: CacheUse) -> list[str]:
    if cache.hit_rate is None:
        return []
    parts = [f"{counted(cache.hits, 'hit')}, {percent(cache.hit_rate, 1)} of all answers"]
    for number, kind in (
        (cache.session, "session"),
        (cache.persistent, "persistent"),
        (cache.other, "other"),
        (cache.unknown, "of unknown kind"),
    ):
        if number:
            parts.append(f"{count(number)} {kind}")
    saving = cache.estimated_saving
    if saving is None:
        parts.append("saving unknown")
    else:
        parts.append(f"about {'≥ ' if cache.unpriced else ''}{dollars(saving)} saved")
    return parts


def notes(summary: Summary) -> list[str]:
    """Return a line for everything that makes the figures short, with where to find it."""
    ledger = summary.ledger
    only = ledger.summary_only_days
    nowhere = [day for day in ledger.unanswered_days if day not in only]
    found = ledger_notes(replace(ledger, unanswered_days=nowhere))
    if only:
        without = f"percentiles, {'means, ' * bool(summary.query.means)}sessions, tasks"
        without += ", tokens and prices of items and kinds of cache hits"
        found.append(f"not in {without}: {days_text(only)}")
    for period in summary.periods:
        name = period.name.replace("_", " ")
        if parts := [day for day in period.unanswered_days if day in only]:
            found.append(f"not in {name}, which has a part of them: {days_text(parts)}")
        if period.whole_day:
            found.append(
                f"{name} is compared with last month up to the end of {period.whole_day}: "
                "only a summary is left of that day"
            )
        if period.uncompared_days:
            days = days_text(list(period.uncompared_days))
            found.append(f"{name} is compared with nothing, only summaries are left: {days}")
    return found


def _short(figures: Figures) -> str:
    return "≥ " if figures.unpriced else ""
