"""The one row model: which columns there are, in which order, for every format.

A column's name is what machine formats call it and what ``--sort`` takes; its
header names the unit in a table.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tokenusage.analyse.report import Figures
from tokenusage.errors import WrongUseError, nearest

Kind = Literal["count", "average", "rate", "share", "money", "seconds"]
"""How a column's numbers print in a table."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of the row model."""

    name: str
    header: str
    kind: Kind

    def value(self, figures: Figures) -> float | int | None:
        """Return the figure as machine formats show it; None is unknown."""
        if self.name in _PERCENTILE_PLACES:
            values = figures.percentiles
            return values[_PERCENTILE_PLACES[self.name]] if values else None
        value: float | int | None = getattr(figures, self.name)
        return value


COLUMNS: Final = (
    Column("calls", "Calls", "count"),
    Column("failed", "Failed", "count"),
    Column("success_rate", "OK", "rate"),
    Column("prompt_tokens", "Prompt", "count"),
    Column("completion_tokens", "Compl.", "count"),
    Column("total_tokens", "Total", "count"),
    Column("avg_tokens", "Avg/call", "average"),
    Column("cost", "Cost $", "money"),
    Column("avg_cost", "$/call", "money"),
    Column("unpriced", "Unpriced", "count"),
    Column("avg_response_time", "Avg s", "seconds"),
    Column("cache_hits", "Cached", "count"),
)

PERCENTILES: Final = (
    Column("p50_response_time", "p50 s", "seconds"),
    Column("p95_response_time", "p95 s", "seconds"),
    Column("p99_response_time", "p99 s", "seconds"),
)

SHARE: Final = Column("share", "Share", "share")
"""Share of the total's cost; only tables have it, behind the cost."""

_PERCENTILE_PLACES = {column.name: place for place, column in enumerate(PERCENTILES)}


def row_model(*, percentiles: bool) -> tuple[Column, ...]:
    """Return the columns of machine formats, with the percentiles where asked for."""
    return COLUMNS + PERCENTILES if percentiles else COLUMNS


def find_column(name: str, *, percentiles: bool) -> Column:
    """Return the column that ``--sort`` names.

    Raises:
        WrongUseError: there is none of that name.
    """
    columns = {column.name: column for column in row_model(percentiles=percentiles)}
    if name in columns:
        return columns[name]
    if name in _PERCENTILE_PLACES:
        raise WrongUseError(f"Add --percentiles to sort by {name}.")
    raise WrongUseError(
        f"There is no column {name!r} to sort by: use {', '.join(columns)}."
        + nearest(name, columns)
    )


def row_values(figures: Figures, columns: tuple[Column, ...]) -> dict[str, float | int | None]:
    """Return the figures of a row by column name, in order."""
    return {column.name: column.value(figures) for column in columns}
