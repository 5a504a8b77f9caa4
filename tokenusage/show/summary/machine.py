"""The summary for programs: JSON with a versioned schema, and CSV with a line per figure."""

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, Final

from tokenusage.analyse.query import Period
from tokenusage.analyse.summary.page import CacheUse, Items, PeriodFigures, Summary, Work
from tokenusage.show.columns import Column, row_model, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.inert import inert_csv
from tokenusage.show.numbers import plain

SCHEMA: Final = "tokenusage.summary/1"

_MISSING: Final = frozenset({"sessions", "tasks", "cache"})
"""The sections of all time that sums don't tell, or not whole."""

Numbers = dict[str, float | int | None]


def render_json(summary: Summary) -> str:
    """Return a summary as JSON."""
    missing = summary.ledger.summary_only_days
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "asked": summary.now.isoformat(),
        **question(summary.query),
        "periods": [_period(period, summary) for period in summary.periods],
        "operations": [
            {"operation": row.keys[0]} | row_values(row.figures, _columns(summary))
            for row in summary.operations
        ],
        **{
            name: numbers | ({"missing_days": missing} if name in _MISSING else {})
            for name, numbers in _sections(summary).items()
        },
        "ledger": summary.ledger.as_dict(),
    }
    return to_json(document)


def render_csv(summary: Summary) -> str:
    """Return a summary as CSV: a line for each figure, with its section and the key in it.

    The sections have different figures; below each other they are one table that loads as it
    is. An unknown figure is an empty cell.
    """
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(["section", "key", "figure", "value"])
    for section, key, numbers in _rows(summary):
        for name, value in numbers.items():
            write([section, inert_csv(key), inert_csv(name), plain(value)])
    return text.getvalue()


def _rows(summary: Summary) -> Iterator[tuple[str, str, Mapping[str, float | int | None]]]:
    columns = _columns(summary)
    for period in summary.periods:
        yield "period", period.name, _figures(period, summary)
        yield "items", period.name, _items(period.items)
        if period.previous is not None:
            yield "before", period.name, row_values(period.previous, columns)
            yield "change", period.name, _change(period)
    for row in summary.operations:
        yield "operation", row.keys[0] or "", row_values(row.figures, columns)
    for name, numbers in _sections(summary).items():
        yield name, "", numbers


def _columns(summary: Summary) -> tuple[Column, ...]:
    return row_model(percentiles=False, means=summary.query.means)


def _period(period: PeriodFigures, summary: Summary) -> dict[str, Any]:
    before: dict[str, Any] | None = None
    if period.before is not None and period.previous is not None:
        before = _bounds(period.before) | row_values(period.previous, _columns(summary))
    return {
        "name": period.name,
        **_bounds(period.period),
        **_figures(period, summary),
        "items": _items(period.items),
        "missing_days": period.missing_days,
        "before": before,
        "change": _change(period),
        "unanswered_days": period.unanswered_days,
        "uncompared_days": period.uncompared_days,
    }


def _bounds(period: Period) -> dict[str, str | None]:
    return {
        "start": period.start.isoformat() if period.start else None,
        "end": period.end.isoformat() if period.end else None,
    }


def _figures(period: PeriodFigures, summary: Summary) -> Numbers:
    return row_values(period.figures, row_model(percentiles=True, means=summary.query.means))


def _change(period: PeriodFigures) -> Numbers:
    return {"calls": period.change_in_calls, "cost": period.change_in_cost}


def _items(items: Items) -> Numbers:
    return {
        "items": items.items,
        "known_items": items.known,
        "unpriced": items.unpriced,
        "avg_tokens": items.avg_tokens,
        "cost_per_1000": items.projected_cost(1000),
        "cost_per_10000": items.projected_cost(10_000),
    }


def _sections(summary: Summary) -> dict[str, Numbers]:
    projection = summary.projection
    return {
        "tokens": {
            "prompt_share": summary.prompt_share,
            "completion_share": summary.completion_share,
            "cache_read_tokens": summary.cache_read_tokens,
            "cache_read_share": summary.cache_read_share,
        },
        "sessions": _work(summary.sessions),
        "tasks": _work(summary.tasks),
        "cache": _cache(summary.cache),
        "projection": {
            "elapsed": projection.elapsed,
            "cost_so_far": projection.month.figures.cost,
            "cost": projection.cost,
            "unpriced": projection.month.figures.unpriced,
        },
    }


def _work(work: Work) -> Numbers:
    return {
        "number": work.number,
        "active_last_24_hours": work.active,
        "calls": work.calls,
        "unpriced": work.unpriced,
        "avg_calls": work.avg_calls,
        "avg_batches": work.avg_batches,
        "avg_cost": work.avg_cost,
        "avg_duration": work.avg_duration,
        "cost_per_1000": work.projected_cost(1000),
        "cost_per_10000": work.projected_cost(10_000),
    }


def _cache(cache: CacheUse) -> Numbers:
    return {
        "hits": cache.hits,
        "session": cache.session,
        "persistent": cache.persistent,
        "other": cache.other,
        "unknown": cache.unknown,
        "hit_rate": cache.hit_rate,
        "estimated_saving": cache.estimated_saving,
        "unpriced_hits": cache.unpriced,
    }
