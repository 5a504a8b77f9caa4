"""What stands in the tables of a summary, on a terminal or in Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tokenusage.analyse.report import Figures, Row
from tokenusage.analyse.summary.page import PeriodFigures, Summary, Work
from tokenusage.show.change import change
from tokenusage.show.columns import COLUMNS, PERCENTILES, SHARE, Column, row_model
from tokenusage.show.grid import UNKNOWN
from tokenusage.show.inert import inert_name
from tokenusage.show.numbers import count, decimal, mean_places, money_places
from tokenusage.show.report.cells import Cells

ALL_TIME: Final = "Of all time"
"""What stands under the periods is of it."""

NEW: Final = "new"
"""Stands for a change where there was nothing before."""

CHANGES: Final = {"more_calls": "± Calls", "more_cost": "± Cost"}
"""Columns of changes against the period before, with their headers."""

_PERIODS: Final = (
    "calls",
    "success_rate",
    "prompt_tokens",
    "completion_tokens",
    "cost",
    "avg_response_time",
    "p95_response_time",
)
_OPERATIONS: Final = ("calls", "avg_tokens", "cost", "share", "avg_cost", "avg_response_time")
_AMOUNTS: Final = (1000, 10_000)


@dataclass(frozen=True, slots=True)
class Section:
    """A table: a column of names, and columns of figures as they print."""

    heading: str
    headers: dict[str, str]
    """By the name of the column."""
    rows: tuple[tuple[str, dict[str, str]], ...]
    """The name of each row, and its figures by column."""


def by_period(summary: Summary) -> list[Section]:
    """Return the tables that have a row for each period: figures, and items if there are some."""
    return [section for section in (_periods(summary), _items(summary)) if section.rows]


def of_all_time(summary: Summary) -> list[Section]:
    """Return the tables of all time that have something to say."""
    return [section for section in (_operations(summary), _work(summary)) if section.rows]


def period_name(period: PeriodFigures) -> str:
    """Return a period as a row is called: ``last 24 hours``."""
    return period.name.replace("_", " ")


def _periods(summary: Summary) -> Section:
    cells = _cells(summary, _PERIODS, [period.figures for period in summary.periods])
    rows = []
    for period in summary.periods:
        figures = {column.name: cells.text(column, period.figures) for column in cells.columns}
        rows.append((period_name(period), figures | _changes(period)))
    headers = {column.name: column.header for column in cells.columns} | CHANGES
    return Section("PERIOD", headers, tuple(rows))


def _changes(period: PeriodFigures) -> dict[str, str]:
    """Return how a period has changed; ``≈`` where calls of one of both are unpriced."""
    figures, previous = period.figures, period.previous
    if period.before is None or (previous is not None and not (figures.calls or previous.calls)):
        return dict.fromkeys(CHANGES, "")
    if previous is None:
        return dict.fromkeys(CHANGES, UNKNOWN)
    if period.is_new:
        return dict.fromkeys(CHANGES, NEW)
    if figures.cost is None or previous.cost is None:
        cost = UNKNOWN
    else:
        cost = change(figures.cost_pico, previous.cost_pico)
        if figures.unpriced or previous.unpriced:
            cost = cost.replace(" ", " ≈")
    return {"more_calls": change(figures.calls, previous.calls), "more_cost": cost}


def _operations(summary: Summary) -> Section:
    cells = _cells(summary, _OPERATIONS, [row.figures for row in summary.operations])

    def figures(row: Row) -> dict[str, str]:
        return {column.name: cells.text(column, row.figures) for column in cells.columns}

    rows = tuple((inert_name(row.keys[0] or ""), figures(row)) for row in summary.operations)
    return Section("OPERATION", {column.name: column.header for column in cells.columns}, rows)


def _cells(summary: Summary, names: Sequence[str], groups: Sequence[Figures]) -> Cells:
    """Return columns by name, and the averages of tags behind them."""
    totals, means = summary.totals, summary.query.means
    known = {column.name: column for column in (*COLUMNS, *PERCENTILES, SHARE)}
    columns: list[Column] = [known[name] for name in names]
    averages = row_model(percentiles=False, means=means)[len(COLUMNS) :]
    largest = max((group.avg_cost or 0 for group in groups), default=0)
    places = {"cost": money_places(totals.cost or 0), "avg_cost": money_places(largest)}
    for column in averages:
        most = max((abs(column.value(group) or 0) for group in groups), default=0)
        places[column.name] = mean_places(most)
    return Cells((*columns, *averages), totals, places)


def _items(summary: Summary) -> Section:
    """Return the items of each period that has some, and what thousands of them cost."""
    periods = [period for period in summary.periods if period.items.items]
    headers = {"items": "Items", "avg_item_tokens": "Tokens/item", **_PROJECTED}
    texts = _projections(
        [period.items.projected_cost for period in periods],
        [bool(period.items.unpriced) for period in periods],
    )
    rows = tuple(
        (
            period_name(period),
            {
                "items": count(period.items.items),
                "avg_item_tokens": _average(period.items.avg_tokens),
                **projected,
            },
        )
        for period, projected in zip(periods, texts, strict=True)
    )
    return Section("PERIOD", headers, rows)


def _work(summary: Summary) -> Section:
    """Return how many sessions and tasks there are, and what each comes to on average."""
    found = {"sessions": summary.sessions, "tasks": summary.tasks}
    works = {name: work for name, work in found.items() if work.number}
    headers = {
        "number": "In all",
        "active": "In 24 h",
        "calls": "Avg calls",
        **({"batches": "Avg batches"} if any(work.batches for work in works.values()) else {}),
        "cost": "Avg $",
        "duration": "Avg time",
        **_PROJECTED,
    }
    several = list(works.values())
    places = money_places(max((work.avg_cost or 0 for work in several), default=0))
    texts = _projections(
        [work.projected_cost for work in several], [bool(work.unpriced) for work in several]
    )
    rows = tuple(
        (name, _work_figures(work, places) | projected)
        for (name, work), projected in zip(works.items(), texts, strict=True)
    )
    return Section("WORK", headers, rows)


def _work_figures(work: Work, places: int) -> dict[str, str]:
    duration = work.avg_duration
    return {
        "number": count(work.number),
        "active": count(work.active),
        "calls": _average(work.avg_calls),
        "batches": _average(work.avg_batches),
        "cost": _money(work.avg_cost, places, short=bool(work.unpriced)),
        "duration": UNKNOWN if duration is None else duration_text(duration),
    }


_PROJECTED: Final = {"cost_per_1000": "$/1,000", "cost_per_10000": "$/10,000"}


def _projections(
    costs: Sequence[Callable[[int], float | None]], short: Sequence[bool]
) -> list[dict[str, str]]:
    """Return what a thousand and ten thousand of something cost, with as many decimals each."""
    amounts = [[cost(number) for number in _AMOUNTS] for cost in costs]
    largest = [max((row[place] or 0 for row in amounts), default=0) for place in range(2)]
    places = list(map(money_places, largest))
    return [
        {
            name: _money(amount, digits, short=is_short)
            for name, amount, digits in zip(_PROJECTED, row, places, strict=True)
        }
        for row, is_short in zip(amounts, short, strict=True)
    ]


def _money(amount: float | None, places: int, *, short: bool) -> str:
    if amount is None:
        return UNKNOWN
    return f"≥ {decimal(amount, places)}" if short else decimal(amount, places)


def _average(value: float | None) -> str:
    return UNKNOWN if value is None else decimal(value, 1)


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units: ``48 s``, ``3 h 42 min``, ``2 d 3 h``."""
    if round(seconds) < 60:
        return f"{decimal(seconds, 0 if seconds >= 10 else 1)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    if hours < 48:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{hours // 24:,} d {hours % 24:02} h"
