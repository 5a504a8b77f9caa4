"""`Tracker.get_usage_stats`: the figures of a report as a plain dict."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import OVERVIEW, Query, filters_of
from tokenusage.analyse.report import Figures
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan


def usage_stats(
    logs: Path,
    *,
    days: int = 7,
    user_id: int | str | None = None,
    operation_type: str | None = None,
    model_name: str | None = None,
    now: datetime,
    naive_zone: tzinfo = UTC,
) -> dict[str, Any]:
    """Return the figures of the last `days` calendar days (UTC), today included.

    Args:
        logs: the log directory; one that does not exist holds no calls.
        days: how many days.
        user_id: only calls of this user.
        operation_type: only calls of this operation.
        model_name: only calls of this model; a glob will do.
        now: the present, with a zone.
        naive_zone: zone of timestamps that have none.

    Returns:
        total_calls, failed_calls, success_rate (a fraction), prompt_tokens,
        completion_tokens, total_tokens, total_cost (US dollars, the sum of what is
        known), unpriced_calls, unique_users, avg_tokens_per_call,
        avg_cost_per_call (per priced call), avg_response_time (seconds), and
        by_operation, by_model, by_day and by_user: dicts of such figures by name.
        Averages and rates are 0.0 where there is nothing to divide by.

    Raises:
        LogsError: the directory can't be read.
        WrongUseError: `days` is less than 1.
    """
    period = make_period(now=now, days=days)
    filters = filters_of(user_id, operation_type, model_name)
    query = Query(period, filters)
    if not logs.exists():
        none: dict[str, Any] = {f"by_{dimension}": {} for dimension in OVERVIEW}
        return {**_figures(Figures()), "unique_users": 0, **none}
    scan = Scan(logs, plan(query, naive_zone=naive_zone, now=now))
    report = answer(query, scan, prices=PriceTable(), now=now)
    groups = {
        f"by_{dimension}": {row.keys[0]: _figures(row.figures) for row in rows}
        for dimension, rows in report.sections.items()
    }
    return {**_figures(report.totals), "unique_users": report.users, **groups}


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "total_calls": figures.calls,
        "failed_calls": figures.failed,
        "success_rate": figures.success_rate or 0.0,
        "prompt_tokens": figures.prompt_tokens,
        "completion_tokens": figures.completion_tokens,
        "total_tokens": figures.total_tokens,
        "total_cost": figures.cost or 0.0,
        "unpriced_calls": figures.unpriced,
        "avg_tokens_per_call": figures.avg_tokens or 0.0,
        "avg_cost_per_call": figures.avg_cost or 0.0,
        "avg_response_time": figures.avg_response_time or 0.0,
    }
