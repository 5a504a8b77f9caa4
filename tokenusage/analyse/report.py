"""The answer to a query: rows of exact figures, their totals and their ledger.

All money is in integer picodollars (10⁻¹² US dollars) and all time in integer
microseconds until a figure is divided or printed, so that a sum is the same in
whatever order its calls were read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from operator import add, itemgetter
from typing import Final, NamedTuple

from tokenusage.analyse.mean import Mean, means_together
from tokenusage.analyse.query import Query
from tokenusage.read.ledger import Ledger
from tokenusage.record import MICRO, PICO


class Figures(NamedTuple):
    """The sums of a group of calls, and what is divided out of them.

    A cache hit is no call: it counts in `cache_hits` alone.
    """

    calls: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cost_pico: int = 0
    """Sum of the known costs, in picodollars."""
    unpriced: int = 0
    """Calls without a cost."""
    response_micro: int = 0
    """Sum of the known response times, in microseconds."""
    timed: int = 0
    """Calls with a response time."""
    cache_hits: int = 0
    percentiles: tuple[float, float, float] | None = None
    """p50, p95 and p99 of the response time in seconds, where asked for and known."""
    means: tuple[Mean, ...] = ()
    """Of the tags that `Query.means` names, in its order; empty where no call was looked at."""

    def plus(self, other: "Figures") -> "Figures":
        """Return the sums of both; percentiles don't add up and are left out."""
        sums = map(add, self[: len(SUMS)], other[: len(SUMS)])
        return Figures._make([*sums, None, means_together((self.means, other.means))])

    @property
    def success_rate(self) -> float | None:
        """Fraction of the calls that succeeded; None without calls."""
        return (self.calls - self.failed) / self.calls if self.calls else None

    @property
    def avg_tokens(self) -> float | None:
        """Tokens per call; None without calls."""
        return self.total_tokens / self.calls if self.calls else None

    @property
    def cost(self) -> float | None:
        """US dollars, 9 decimals: None when no call is priced, 0 when there is no call."""
        if self.calls and self.unpriced == self.calls:
            return None
        return round(self.cost_pico / PICO, 9)

    @property
    def avg_cost(self) -> float | None:
        """US dollars per priced call, 9 decimals; None without one."""
        priced = self.calls - self.unpriced
        return round(self.cost_pico / (priced * PICO), 9) if priced else None

    @property
    def avg_response_time(self) -> float | None:
        """Seconds per call that has a response time, 6 decimals; None without one."""
        return round(self.response_micro / (self.timed * MICRO), 6) if self.timed else None


SUMS: Final = Figures._fields[: Figures._fields.index("percentiles")]
"""The names of the figures that add up as they are."""


class Row(NamedTuple):
    """One group of calls: its key in each dimension, and its figures."""

    keys: tuple[str | None, ...]
    figures: Figures


def together(groups: Iterable[Figures]) -> Figures:
    """Return the sum of groups of calls; percentiles don't add up and are left out."""
    several = list(groups)
    # Column by column: there may be a million groups.
    sums = [sum(map(itemgetter(place), several)) for place in range(len(SUMS))]
    return Figures._make([*sums, None, means_together(group.means for group in several)])


@dataclass(frozen=True, slots=True)
class Report:
    """Rows of a query, or the sections of the overview, over one set of calls."""

    query: Query
    logs: str
    """The directory as the user named it."""
    totals: Figures
    users: int
    """Distinct users among the calls and cache hits."""
    ledger: Ledger
    rows: tuple[Row, ...] = ()
    hidden: int = 0
    """Groups that no row was made of, as the query wants the first ones alone."""
    rest: Figures | None = None
    """Their figures together, if there are some."""
    sections: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    """Rows by dimension, where the query names no dimensions."""
    newest_day: date | None = None
    """Day of the newest log file that is not empty, for a hint where the period holds no call."""
