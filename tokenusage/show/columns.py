"""The one row model: which columns there are, in which order, for every format.

A column's name is what machine formats call it and what ``--sort`` takes; its
header names the unit in a table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tokenusage.analyse.query import TAG
from tokenusage.analyse.report import SUMS, Figures
from tokenusage.errors import WrongUseError, nearest
from tokenusage.show.inert import inert

Kind = Literal["count", "average", "rate", "share", "money", "seconds", "mean"]
"""How a column's numbers print in a table."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of the row model."""

    name: str
    header: str
    kind: Kind

    @property
    def sum_name(self) -> str | None:
        """What `Figures` calls the integer that this figure is; None where it does not add up."""
        name = "cost_pico" if self.name == "cost" else self.name
        return name if name in SUMS else None

    def value(self, figures: Figures) -> float | int | None:
        """Return the figure as machine formats show it; None is unknown."""
        if self.name in _PERCENTILE_PLACES:
            values = figures.percentiles
            return values[_PERCENTILE_PLACES[self.name]] if values else None
        value: float | int | None = getattr(figures, self.name)
        return value


@dataclass(frozen=True, slots=True)
class MeanColumn(Column):
    """The average of a tag."""

    place: int
    """Of the tag among those that are averaged."""

    def value(self, figures: Figures) -> float | None:
        """Return the average; None where no call carries a number."""
        return figures.means[self.place].value if figures.means else None


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

MEAN: Final = "mean_"
"""What the name of an average of a tag begins with."""

SHARE: Final = Column("share", "Share", "share")
"""Share of the total's cost; only tables have it, behind the cost."""

_PERCENTILE_PLACES = {column.name: place for place, column in enumerate(PERCENTILES)}


def row_model(*, percentiles: bool, means: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of machine formats, with percentiles and means where asked for."""
    columns = COLUMNS + PERCENTILES if percentiles else COLUMNS
    return columns + tuple(map(mean_column, range(len(means)), means))


def mean_column(place: int, tag: str) -> MeanColumn:
    """Return the column of the average of a tag, written ``tag.NAME``."""
    header = f"Mean {inert(tag.removeprefix(TAG))}"
    return MeanColumn(f"{MEAN}{tag}", header, "mean", place)


def find_column(name: str, *, percentiles: bool, means: Sequence[str] = ()) -> Column:
    """Return the column that ``--sort`` names.

    Raises:
        WrongUseError: there is none of that name.
    """
    columns = {column.name: column for column in row_model(percentiles=percentiles, means=means)}
    if name in columns:
        return columns[name]
    if name in _PERCENTILE_PLACES:
        raise WrongUseError(f"Add --percentiles to sort by {name}.")
    if name.startswith(f"{MEAN}{TAG}"):
        raise WrongUseError(f"Add --mean {name.removeprefix(MEAN)} to sort by {name}.")
    raise WrongUseError(
        f"There is no column {name!r} to sort by: use {', '.join(columns)}."
        + nearest(name, columns)
    )


def drawable(column: Column) -> Column:
    """Return `column` unchanged: what ``--chart`` draws.

    Raises:
        WrongUseError: it is an average, and a bar's segments would not add up.
    """
    if column.sum_name is None:
        sums = ", ".join(one.name for one in COLUMNS if one.sum_name)
        raise WrongUseError(f"--chart draws what adds up, not {column.name}: sort by {sums}.")
    return column


def row_values(figures: Figures, columns: tuple[Column, ...]) -> dict[str, float | int | None]:
    """Return the figures of a row by column name, in order."""
    return {column.name: column.value(figures) for column in columns}
