"""Summaries for tests: a clock, logs of a shop's days, and what both commands say of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from support import record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Period, Query
from tokenusage.analyse.report import Figures, Report
from tokenusage.analyse.summary.answer import summarise
from tokenusage.analyse.summary.page import PeriodFigures, Summary
from tokenusage.analyse.summary.plan import plan_summary
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

NOW: Final = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
"""A Sunday morning."""


def at(ago: timedelta, **fields: Any) -> dict[str, Any]:
    """Return a record so long before `NOW`."""
    return record((NOW - ago).isoformat(timespec="microseconds"), **fields)


def write(logs: Path, *records: Mapping[str, Any]) -> Path:
    """Write records into the files of their days, and return the directory."""
    logs.mkdir(exist_ok=True)
    days: dict[str, list[Mapping[str, Any]]] = {}
    for fields in records:
        days.setdefault(fields["timestamp"][:10], []).append(fields)
    for day, of_day in days.items():
        write_day(logs, day, of_day)
    return logs


def summary_of(logs: Path, *, tz: str = "UTC", now: datetime = NOW, **query: Any) -> Summary:
    """Return the summary of a directory."""
    asked = Query(make_period(now=now, everything=True, tz=tz), **query)
    scan = Scan(logs, plan_summary(asked, naive_zone=UTC, now=now))
    return summarise(asked, scan, prices=PriceTable(), now=now)


def report_of(logs: Path, period: Period, *, now: datetime = NOW, **query: Any) -> Report:
    """Return the report of a period of the same directory."""
    asked = Query(period, **query)
    scan = Scan(logs, plan(asked, naive_zone=UTC, now=now))
    return answer(asked, scan, prices=PriceTable(), now=now)


def named(summary: Summary, name: str) -> PeriodFigures:
    """Return a period of a summary by its name."""
    return next(period for period in summary.periods if period.name == name)


def sums(figures: Figures | None) -> Figures | None:
    """Return figures without percentiles, which only records answer."""
    return figures and figures._replace(percentiles=None)


def shop(logs: Path) -> Path:
    """Fill a directory with calls of two months: all that a summary has a word for."""
    ago = timedelta
    rag: dict[str, Any] = {"operation_type": "rag_answer", "cost_estimate": 0.0125}
    batch: dict[str, Any] = {
        "operation_type": "batch_embedding",
        "model_name": "text-embedding-3-small",
        "completion_tokens": 0,
        "batch_id": "b1",
        "task_id": "import",
    }
    hit: dict[str, Any] = {
        "operation_type": "rag_answer",
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "total_tokens": 0,
        "cost_estimate": 0,
    }
    return write(
        logs,
        at(ago(minutes=5), **rag, session_id="s1"),
        at(ago(minutes=20), **rag, session_id="s1", cache_read_tokens=60),
        at(ago(minutes=90), **rag, session_id="s2", success=False, error_message="no"),
        at(ago(hours=3), **hit, session_id="s2", cache="session"),
        at(ago(hours=20), **rag | {"cost_estimate": None}, response_time=2.25),
        at(ago(hours=30), **rag, session_id="s3"),
        at(ago(days=2, hours=1), **hit, cache="persistent"),
        at(ago(days=9), **batch, items=40, prompt_tokens=4_000, total_tokens=4_000),
        at(ago(days=9, minutes=-3), **batch, items=20, prompt_tokens=2_200, total_tokens=2_200),
        at(ago(days=30), **rag | {"cost_estimate": 0.5}, model_name="gpt-4o"),
        at(ago(days=31, hours=1), **rag, model_name="gpt-4o"),
        at(ago(days=40), **hit, cache="search_results", model_name="own"),
    )
