"""Which rows of a report are shown, and in which order: the same for every format."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tokenusage.analyse.period import day_bounds
from tokenusage.analyse.query import TIME_DIMENSIONS, Period, Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.logs import parse_day
from tokenusage.show.columns import Column

TABLE_ROWS: Final = 50
"""Rows of a table unless ``--limit`` says otherwise."""

OVERVIEW_USERS: Final = 10
"""Users in the overview's table unless ``--limit`` says otherwise."""

LONGEST_CALENDAR: Final = 62
"""Days of a period up to which its days without calls are shown."""

_FIELDS = {"operation": "operation_type", "model": "model_name", "user": "user_id"}


@dataclass(frozen=True, slots=True)
class Order:
    """How the person asked for rows to be sorted and cut; None is the format's own way."""

    column: Column | None = None
    """Largest first, or smallest first where `ascending`; unknown figures last."""
    ascending: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Rows under one heading."""

    dimensions: tuple[str, ...]
    rows: tuple[Row, ...]
    hidden: int = 0
    """How many rows the limit left out."""
    rest: Figures | None = None
    """Their figures together."""
    rest_is_earlier: bool = False
    """They came before the first row shown: of a table in order of time the end is shown."""

    @property
    def rest_label(self) -> str:
        """What stands for them in the column of names."""
        return rest_label(self.hidden, are_earlier=self.rest_is_earlier)


def rest_label(hidden: int, *, are_earlier: bool) -> str:
    """Return what stands for the rows that a limit left out."""
    return f"{hidden:,} {'earlier' if are_earlier else 'more'}"


def blocks(report: Report, order: Order) -> tuple[Block, ...]:
    """Return all rows of a report for a machine format: one block, or one per section."""
    if report.query.by:
        return (_block(report.query.by, report.rows, order, order.limit),)
    return tuple(
        _block((dimension,), rows, order, order.limit)
        for dimension, rows in report.sections.items()
    )


def table_blocks(
    report: Report, order: Order, today: date, *, newest_first: bool = True
) -> tuple[Block, ...]:
    """Return the rows of a report as a table for people shows them.

    The overview leaves out a section that a filter or the period makes
    constant, has the days without calls among the others, and ten users.

    Args:
        report: the answer.
        order: as asked for.
        today: the present day in the report's zone; later ones had no chance.
        newest_first: of the overview's days; else as a calendar has them.
    """
    limit = TABLE_ROWS if order.limit is None else order.limit
    if report.query.by:
        return (_block(report.query.by, report.rows, order, limit),)
    shown = []
    for dimension, rows in report.sections.items():
        if is_constant(dimension, report.query):
            continue
        most = OVERVIEW_USERS if dimension == "user" and order.limit is None else limit
        if dimension == "day":
            days = _calendar(rows, report.query.period, today)
            if not newest_first:
                days = days[::-1]
            shown.append(_block(("day",), days, order, most))
        else:
            shown.append(_block((dimension,), rows, order, most))
    return tuple(shown)


def _block(
    dimensions: tuple[str, ...], rows: tuple[Row, ...], order: Order, limit: int | None
) -> Block:
    if order.column is not None:
        rows = _sorted(rows, order.column, ascending=order.ascending)
    if limit is None or len(rows) <= limit:
        return Block(dimensions, rows)
    # In order of time the end is what people look for.
    is_of_time = order.column is None and dimensions[0] in TIME_DIMENSIONS
    ascends = is_of_time and str(rows[0].keys[0]) < str(rows[-1].keys[0])
    cut = len(rows) - limit if ascends else 0
    left_out = rows[:cut] if cut else rows[limit:]
    rest = together(row.figures for row in left_out)
    return Block(dimensions, rows[cut : cut + limit], len(left_out), rest, cut > 0)


def _sorted(rows: tuple[Row, ...], column: Column, *, ascending: bool) -> tuple[Row, ...]:
    known = [row for row in rows if column.value(row.figures) is not None]
    unknown = [row for row in rows if column.value(row.figures) is None]
    # Rows that are equal keep their order in both directions.
    sign = 1 if ascending else -1
    known.sort(key=lambda row: sign * (column.value(row.figures) or 0))
    return (*known, *unknown)


def is_constant(dimension: str, query: Query) -> bool:
    """Return whether the period or a filter leaves a dimension no more than one key."""
    if dimension == "day":
        first, last = day_bounds(query.period)
        return first is not None and first == last
    filters = query.filters
    values = {
        "operation": filters.operation,
        "user": filters.user,
        "model": tuple(name for name in filters.model if not set("*?[") & set(name)),
    }.get(dimension, ())
    names = {dimension, _FIELDS.get(dimension)}
    fixed = any(field in names for field, _ in filters.where)
    return fixed or (len(values) == 1 and len(values) == len(getattr(filters, dimension)))


def _calendar(rows: tuple[Row, ...], period: Period, today: date) -> tuple[Row, ...]:
    """Return the days newest first, those without calls among them where the span is short."""
    found = {day: row for row in rows if (day := parse_day(row.keys[0] or ""))}
    newest_first = tuple(reversed(rows))
    if not found or len(found) < len(rows):
        return newest_first
    first, last = day_bounds(period)
    first = first or min(found)
    last = max(found) if last is None else max(min(last, today), *found)
    span = (last - first).days + 1
    if span > LONGEST_CALENDAR:
        return newest_first
    days = (last - timedelta(days=back) for back in range(span))
    return tuple(found.get(day) or Row((day.isoformat(),), Figures()) for day in days)
