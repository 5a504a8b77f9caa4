"""Reports made by hand, for tests of what shows them."""

from datetime import UTC, date, datetime
from typing import Any, Final

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Filters, Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.read.ledger import Ledger, Rejection
from tokenusage.record import MICRO, PICO

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)

HOSTILE: Final = "=1+1 \x1b[31m[red]\u202egnp\n\x9b2J\x07|<b>\ufeff`\ud800"
"""ANSI in both spellings, rich and HTML markup, bidi, a newline, a formula, a lone surrogate."""


def figures(
    calls: int,
    prompt: int = 0,
    completion: int = 0,
    dollars: float = 0.0,
    *,
    failed: int = 0,
    unpriced: int = 0,
    seconds: float = 1.0,
    cache_hits: int = 0,
    percentiles: tuple[float, float, float] | None = None,
) -> Figures:
    """Return figures of calls that took `seconds` each."""
    return Figures(
        calls=calls,
        failed=failed,
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        cost_pico=round(dollars * PICO),
        unpriced=unpriced,
        response_micro=round(seconds * calls * MICRO),
        timed=calls,
        cache_hits=cache_hits,
        percentiles=percentiles,
    )


def rows(*groups: tuple[str | None, Figures]) -> tuple[Row, ...]:
    """Return rows of one dimension."""
    return tuple(Row((key,), group) for key, group in groups)


def table(by: tuple[str, ...], *groups: Row, **settings: Any) -> Report:
    """Return a report with ``--by``; its totals are the sum of the rows."""
    return Report(
        query=Query(make_period(now=NOW), by=by, percentiles=settings.pop("percentiles", False)),
        logs="logs",
        users=settings.pop("users", 1),
        totals=settings.pop("totals", together(row.figures for row in groups)),
        ledger=settings.pop("ledger", Ledger()),
        rows=groups,
        **settings,
    )


def overview(**settings: Any) -> Report:
    """Return the overview of a week with failures, an unpriced model and cache hits."""
    rag = figures(300, 375_000, 45_000, 0.0833, failed=6, seconds=2.34)
    embedding = figures(800, 16_000, 0, 0.0003, failed=1, seconds=0.2)
    streaming = figures(132, 390_000, 19_200, 0.0652, failed=3, unpriced=31, cache_hits=5)
    own = figures(31, 9_000, 200, unpriced=31)
    claude = figures(101, 381_000, 19_000, 0.0652, failed=3)
    people = [(f"{n}@example.com", figures(100 - n, 1000, 10, 0.001)) for n in range(13)]
    sections = {
        "operation": rows(
            ("rag_answer", rag), ("rag_streaming", streaming), ("embedding", embedding)
        ),
        "model": rows(
            ("gpt-4o-mini", rag),
            ("anthropic/claude-sonnet-4-5-20250929", claude),
            ("text-embedding-3-small", embedding),
            ("llama-on-the-shelf", own),
        ),
        "day": rows(("2026-11-18", rag), ("2026-11-21", streaming)),
        "user": rows(*people, (None, figures(1, failed=1))),
    }
    totals = figures(
        1_232, 781_000, 64_200, 0.1488, failed=10, unpriced=31, seconds=0.97, cache_hits=5
    )
    ledger = Ledger(
        files=7,
        records=1_237,
        rejected=2,
        duplicates=3,
        rejections=[Rejection("token_usage_2026-11-20.jsonl", 12, "is not JSON")],
    )
    return Report(
        query=Query(make_period(now=NOW), settings.get("filters", Filters())),
        logs="logs",
        totals=totals,
        users=14,
        ledger=ledger,
        sections=sections,
    )


def empty(**settings: Any) -> Report:
    """Return an answer without calls."""
    return Report(
        query=Query(make_period(now=NOW)),
        logs=settings.pop("logs", "logs"),
        totals=Figures(),
        users=0,
        ledger=settings.pop("ledger", Ledger()),
        sections={"operation": (), "model": (), "day": (), "user": ()},
        newest_day=settings.pop("newest_day", date(2024, 12, 26)),
    )
