"""What stands in the cells of a table for people, on a terminal or in Markdown."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tokenusage.analyse.report import Figures, Report
from tokenusage.show.columns import SHARE, Column, row_model
from tokenusage.show.grid import UNKNOWN
from tokenusage.show.inert import inert, inert_name
from tokenusage.show.numbers import count, decimal, mean_places, money_places, percent
from tokenusage.show.report.arrange import Block

NO_CALLS: Final = Figures()

_HOUR = re.compile(r"([0-9-]{10})T([0-9]{2}:[0-9]{2})(?::00)?([+-][0-9]{2}:[0-9]{2})\Z")


@dataclass(frozen=True, slots=True)
class Cells:
    """The columns that a report needs, and how its figures print in them."""

    columns: tuple[Column, ...]
    totals: Figures
    places: dict[str, int]
    """Decimals of the columns of money and of averages of tags: the same in every row."""

    def text(self, column: Column, figures: Figures) -> str:
        """Return a figure as it prints; of a day without calls only that there were none."""
        if figures == NO_CALLS and column.name != "calls":
            return ""
        value = self._share(figures) if column is SHARE else column.value(figures)
        if value is None:
            return UNKNOWN
        match column.kind:
            case "count":
                return count(int(value))
            case "average":
                return decimal(value, 0)
            case "rate":
                return percent(value, 1)
            case "share":
                return percent(value, 0)
            case "seconds":
                return decimal(value, 2)
            case "mean":
                return decimal(value, self.places[column.name])
            case "money":
                amount = decimal(value, self.places[column.name])
                is_short = column.name == "cost" and figures.unpriced > 0
                return f"≥ {amount}" if is_short else amount

    def _share(self, figures: Figures) -> float | None:
        if figures.cost is None or not self.totals.cost_pico:
            return None
        return figures.cost_pico / self.totals.cost_pico


def cells_of(report: Report, blocks: Iterable[Block]) -> Cells:
    """Return the columns for a report: those that would hold only zeros are left out."""
    totals = report.totals
    empty = {"unpriced": not totals.unpriced, "cache_hits": not totals.cache_hits}
    columns: list[Column] = []
    query = report.query
    for column in row_model(percentiles=query.percentiles, means=query.means):
        if not empty.get(column.name):
            columns.append(column)
        if column.name == "cost":
            columns.append(SHARE)
    groups = [totals, *(row.figures for block in blocks for row in block.rows)]
    places = {
        "cost": money_places(totals.cost or 0),
        "avg_cost": money_places(max(group.avg_cost or 0 for group in groups)),
    }
    for column in columns:
        if column.kind == "mean":
            largest = max(abs(column.value(group) or 0) for group in groups)
            places[column.name] = mean_places(largest)
    return Cells(tuple(columns), totals, places)


def heading(dimension: str) -> str:
    """Return the heading of a dimension's column; a tag keeps its spelling."""
    return inert(dimension) if dimension.startswith("tag.") else dimension.upper()


def key_text(dimension: str, key: str | None) -> str:
    """Return the key of a row as it prints: inert, and visible where it is missing or empty."""
    if key is None:
        return UNKNOWN
    if dimension == "hour" and (hour := _HOUR.match(key)):
        offset = "" if hour[3] == "+00:00" else hour[3]
        return f"{hour[1]} {hour[2]}{offset}"
    return inert_name(key)
