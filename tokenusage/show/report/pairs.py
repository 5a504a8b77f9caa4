"""Which rows of a comparison are shown, and what stands in their cells, on any page for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from tokenusage.analyse.compare import Comparison, Pair
from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.analyse.report import Figures, together
from tokenusage.show.change import DOWN, UP, change, signed
from tokenusage.show.columns import Column, mean_column, row_model
from tokenusage.show.grid import UNKNOWN
from tokenusage.show.numbers import count, decimal, mean_places, money_places
from tokenusage.show.report.arrange import (
    OVERVIEW_USERS,
    TABLE_ROWS,
    Order,
    is_constant,
    rest_label,
)
from tokenusage.show.report.cells import NO_CALLS, Cells, heading, key_text

Side = Literal["now", "before", "difference", "change"]

_MEASURES: Final = ("calls", "total_tokens", "cost", "avg_response_time")
_SIDES: Final[tuple[Side, ...]] = ("now", "before", "difference", "change")
_HEADERS: Final[dict[Side, str]] = {"before": "Before", "difference": "+/-", "change": "Change"}
_YEAR: Final = len("2026-")


@dataclass(frozen=True, slots=True)
class PairBlock:
    """Rows under one heading."""

    dimensions: tuple[str, ...]
    rows: tuple[Pair, ...]
    hidden: int = 0
    """How many rows the limit left out."""
    rest: Pair | None = None
    """Their figures together."""
    rest_is_earlier: bool = False
    """They came before the first row shown."""

    @property
    def rest_label(self) -> str:
        """What stands for the rows that the limit left out."""
        return rest_label(self.hidden, are_earlier=self.rest_is_earlier)

    @property
    def of_time(self) -> bool:
        """Whether its rows are paired by position; then none of them is new or gone."""
        return not TIME_DIMENSIONS.isdisjoint(self.dimensions)


class ChangeColumn(NamedTuple):
    """A column of the row model, seen from one side."""

    name: str
    header: str
    column: Column
    side: Side


def machine_blocks(comparison: Comparison, order: Order) -> tuple[PairBlock, ...]:
    """Return all rows for a machine format: one block, or one per section."""
    if by := comparison.report.query.by:
        return (_block(by, comparison.rows, order, order.limit),)
    return tuple(
        _block((name,), rows, order, order.limit) for name, rows in comparison.sections.items()
    )


def page_blocks(comparison: Comparison, order: Order) -> tuple[PairBlock, ...]:
    """Return the rows as a page for people shows them: of the overview the newest day first."""
    query = comparison.report.query
    limit = TABLE_ROWS if order.limit is None else order.limit
    if query.by:
        return (_block(query.by, comparison.rows, order, limit),)
    shown = []
    for name, rows in comparison.sections.items():
        if not is_constant(name, query):
            most = OVERVIEW_USERS if name == "user" and order.limit is None else limit
            in_order = tuple(reversed(rows)) if name in TIME_DIMENSIONS else rows
            shown.append(_block((name,), in_order, order, most))
    return tuple(shown)


def _block(
    dimensions: tuple[str, ...], rows: tuple[Pair, ...], order: Order, limit: int | None
) -> PairBlock:
    if order.column is not None:
        rows = _sorted(rows, order.column, ascending=order.ascending)
    if limit is None or len(rows) <= limit:
        return PairBlock(dimensions, rows)
    # In order of time the end is what people look for.
    is_of_time = order.column is None and dimensions[0] in TIME_DIMENSIONS
    ascends = is_of_time and _keys(rows[0]) < _keys(rows[-1])
    cut = len(rows) - limit if ascends else 0
    left_out = rows[:cut] if cut else rows[limit:]
    sides = ([pair.now for pair in left_out], [pair.before for pair in left_out])
    now, before = (together(filter(None, side)) for side in sides)
    rest = Pair((), (), now, before)
    return PairBlock(dimensions, rows[cut : cut + limit], len(left_out), rest, cut > 0)


def _sorted(rows: tuple[Pair, ...], column: Column, *, ascending: bool) -> tuple[Pair, ...]:
    values = [column.value(pair.now or NO_CALLS) for pair in rows]
    known = [(value, pair) for value, pair in zip(values, rows, strict=True) if value is not None]
    unknown = [pair for value, pair in zip(values, rows, strict=True) if value is None]
    # Rows that are equal keep their order in both directions.
    sign = 1 if ascending else -1
    known.sort(key=lambda one: sign * one[0])
    return (*(pair for _, pair in known), *unknown)


def _keys(pair: Pair) -> str:
    return str(pair.keys[0] or pair.before_keys[0])


@dataclass(frozen=True, slots=True)
class PairCells:
    """The columns that a comparison needs, and how its figures print in them."""

    columns: tuple[ChangeColumn, ...]
    cells: Cells

    def text(self, column: ChangeColumn, pair: Pair, *, of_time: bool) -> str:
        """Return what stands in a cell."""
        now, before = pair.now or NO_CALLS, pair.before or NO_CALLS
        match column.side:
            case "now":
                return self.cells.text(column.column, now)
            case "before":
                return self.cells.text(column.column, before)
            case "difference":
                return UNKNOWN if pair.is_alone else self._difference(column.column, now, before)
            case "change":
                return UNKNOWN if pair.is_alone else _change(column.column, pair, of_time=of_time)

    def _difference(self, column: Column, now: Figures, before: Figures) -> str:
        one, other = column.value(now), column.value(before)
        if one is None or other is None:
            return UNKNOWN
        if column.kind == "count":
            return signed(count(abs(int(one - other))), one - other)
        places = self.cells.places.get(column.name, 2)
        text = signed(decimal(abs(one - other), places), one - other)
        return f"≈{text}" if _is_short(column, now, before) else text


def _is_short(column: Column, now: Figures, before: Figures) -> bool:
    """Return whether calls without a price are missing from a difference."""
    return column.name == "cost" and bool(now.unpriced or before.unpriced)


def _change(column: Column, pair: Pair, *, of_time: bool) -> str:
    if not of_time and pair.before is None:
        return f"{UP} new"
    if not of_time and pair.now is None:
        return f"{DOWN} gone"
    sides = (pair.now or NO_CALLS, pair.before or NO_CALLS)
    now, before = map(column.value, sides)
    if now is None or before is None:
        return UNKNOWN
    text = change(now, before)
    is_short = text.endswith("%") and _is_short(column, *sides)
    return text.replace(" ", " ≈") if is_short else text


def cells_of(comparison: Comparison, blocks: Iterable[PairBlock]) -> PairCells:
    """Return the columns of a comparison, and the decimals that their figures need."""
    means = comparison.report.query.means
    model = {column.name: column for column in row_model(percentiles=False)}
    measures = [model[name] for name in _MEASURES] + list(
        map(mean_column, range(len(means)), means)
    )
    columns = tuple(
        ChangeColumn(
            column.name if side == "now" else f"{column.name}_{side}",
            column.header if side == "now" else _HEADERS[side],
            column,
            side,
        )
        for column in measures
        for side in _SIDES
    )
    pairs = [comparison.totals, *(pair for block in blocks for pair in block.rows)]
    groups = [side for pair in pairs for side in (pair.now, pair.before) if side]
    places = {"cost": money_places(max(group.cost or 0 for group in groups))}
    for column in measures:
        if column.kind == "mean":
            places[column.name] = mean_places(max(abs(column.value(g) or 0) for g in groups))
    return PairCells(columns, Cells(tuple(measures), comparison.report.totals, places))


def pair_heading(dimension: str) -> str:
    """Return the heading of a dimension's column; of a time it holds both keys."""
    text = heading(dimension)
    return f"{text} (BEFORE)" if dimension in TIME_DIMENSIONS else text


def pair_key(dimension: str, key: str | None, before: str | None) -> str:
    """Return the key of a row as it prints: of a time ``2026-11-01 (10-01)``."""
    if dimension not in TIME_DIMENSIONS:
        return key_text(dimension, key)
    one, other = key_text(dimension, key), key_text(dimension, before)
    same_year = one[:_YEAR] == other[:_YEAR] and len(other) > len("2026-10")
    return f"{one} ({other[_YEAR:] if same_year else other})"
