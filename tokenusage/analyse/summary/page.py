"""What `tokenusage summary` says: exact figures, divided when they are asked for.

Money is in integer picodollars and time in integer microseconds, as in a report. Sections
other than the periods are of all time.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from tokenusage.analyse.query import Period, Query
from tokenusage.analyse.report import Figures, Row
from tokenusage.read.ledger import Ledger
from tokenusage.record import MICRO, PICO


class Items(NamedTuple):
    """The units of work in some calls, for example comments."""

    items: int = 0
    known: int = 0
    """Those of days whose records or details are left: the other figures are of them."""
    total_tokens: int = 0
    """Of the calls that have items."""
    calls: int = 0
    """These calls."""
    cost_pico: int = 0
    unpriced: int = 0
    """Those of them that have no cost."""

    @property
    def avg_tokens(self) -> float | None:
        """Tokens per item."""
        return self.total_tokens / self.known if self.known else None

    def projected_cost(self, number: int) -> float | None:
        """Return what so many items cost, in US dollars; None where that is unknown."""
        return _projected(self, self.known, number)


@dataclass(frozen=True, slots=True)
class PeriodFigures:
    """A period of the summary, beside the one before it."""

    name: str
    """As in `spans.Span`."""
    period: Period
    figures: Figures
    """With percentiles and means."""
    items: Items
    missing_days: tuple[str, ...]
    """Days of which only sums are left: percentiles, the means of tags, and the tokens and cost
    of items are without them."""
    before: Period | None
    """What it is compared with."""
    whole_day: date | None
    """As in `spans.Span`."""
    previous: Figures | None
    """Of that period; None where there is none, or it can't be told."""
    unanswered_days: tuple[str, ...]
    """Days of which only sums are left and which the period divides: they are not in it."""
    uncompared_days: tuple[str, ...]
    """Days of the period before that lack in this way: that period can't be told."""

    @property
    def change_in_calls(self) -> float | None:
        """How many more calls there are than before, as a fraction; None without any then."""
        return _change(self.figures.calls, self.previous.calls) if self.previous else None

    @property
    def change_in_cost(self) -> float | None:
        """How much more they cost, of what is known, as a fraction; None where nothing is."""
        if self.previous is None or self.figures.cost is None:
            return None
        return _change(self.figures.cost_pico, self.previous.cost_pico)

    @property
    def is_new(self) -> bool:
        """Whether there are calls, and there were none before."""
        return bool(self.previous and self.figures.calls and not self.previous.calls)


@dataclass(frozen=True, slots=True)
class Work:
    """Sessions or tasks: what their calls come to, in sums over all of them."""

    number: int = 0
    """How many, those with cache hits alone among them."""
    calls: int = 0
    batches: int = 0
    cost_pico: int = 0
    unpriced: int = 0
    lasting: int = 0
    """Those with calls: only they have a duration."""
    duration_micro: int = 0
    """From the end of the first call to that of the last."""
    active: int = 0
    """Those with a call or a cache hit in the last 24 hours."""

    @property
    def avg_calls(self) -> float | None:
        """Calls of each."""
        return self.calls / self.number if self.number else None

    @property
    def avg_batches(self) -> float | None:
        """Batches of each."""
        return self.batches / self.number if self.number else None

    @property
    def avg_cost(self) -> float | None:
        """US dollars, 9 decimals; None where nothing is priced."""
        return self.projected_cost(1)

    @property
    def avg_duration(self) -> float | None:
        """Seconds, 6 decimals."""
        return round(self.duration_micro / (self.lasting * MICRO), 6) if self.lasting else None

    def projected_cost(self, number: int) -> float | None:
        """Return what so many of them cost, in US dollars; None where that is unknown."""
        return _projected(self, self.number, number)


@dataclass(frozen=True, slots=True)
class CacheUse:
    """Answers that came from the application's own caches."""

    hits: int = 0
    session: int = 0
    persistent: int = 0
    other: int = 0
    """Of any other kind; the kinds of hits on days of which only sums are left are unknown."""
    calls: int = 0
    saving_pico: int = 0
    """What the hits would have cost as average priced calls of their operation and model."""
    unpriced: int = 0
    """Hits for which there is no such call."""

    @property
    def unknown(self) -> int:
        """Hits whose kind isn't known."""
        return self.hits - self.session - self.persistent - self.other

    @property
    def hit_rate(self) -> float | None:
        """Hits among hits and calls, a fraction."""
        return self.hits / (self.hits + self.calls) if self.hits else None

    @property
    def estimated_saving(self) -> float | None:
        """US dollars, 9 decimals; None where no hit has a price."""
        return None if self.unpriced == self.hits else round(self.saving_pico / PICO, 9)


@dataclass(frozen=True, slots=True)
class Projection:
    """What this month comes to at the current pace."""

    month: PeriodFigures
    elapsed: float
    """The part of the month that is over."""
    cost_pico: int | None
    """Of the whole month; None where there is no telling."""

    @property
    def cost(self) -> float | None:
        """US dollars, 9 decimals."""
        return None if self.cost_pico is None else round(self.cost_pico / PICO, 9)


@dataclass(frozen=True, slots=True)
class Summary:
    """The page, over one set of calls."""

    query: Query
    """Of all time."""
    logs: str
    """The directory as the user named it."""
    now: datetime
    """When it was asked for, in the query's zone."""
    periods: tuple[PeriodFigures, ...]
    """Shortest first; the last one is all time."""
    operations: tuple[Row, ...]
    """Dearest first."""
    sessions: Work
    tasks: Work
    cache: CacheUse
    cache_read_tokens: int
    """Prompt tokens that providers had in their caches."""
    projection: Projection
    ledger: Ledger
    """Percentiles, means of tags, sessions, tasks, tokens and cost of items and the kinds of
    cache hits are without its summary-only days; its unanswered days are in some of the periods
    alone, or in none."""
    newest_day: date | None = None
    """Day of the newest log file that is not empty, for a hint where there are no calls."""

    @property
    def totals(self) -> Figures:
        """The figures of all time."""
        return self.periods[-1].figures

    @property
    def prompt_share(self) -> float | None:
        """Prompt tokens among prompt and completion tokens, a fraction."""
        both = self.totals.prompt_tokens + self.totals.completion_tokens
        return self.totals.prompt_tokens / both if both else None

    @property
    def completion_share(self) -> float | None:
        """Completion tokens among them."""
        both = self.totals.prompt_tokens + self.totals.completion_tokens
        return self.totals.completion_tokens / both if both else None

    @property
    def cache_read_share(self) -> float | None:
        """Prompt tokens from providers' caches among all prompt tokens, a fraction."""
        prompt = self.totals.prompt_tokens
        return self.cache_read_tokens / prompt if prompt else None


def _change(now: int, before: int) -> float | None:
    return (now - before) / before if before else None


def _projected(units: Items | Work, number: int, wanted: int) -> float | None:
    """Return what so many cost where `number` of them cost what they do."""
    if not number or (units.calls and units.unpriced == units.calls):
        return None
    return round(units.cost_pico * wanted / (number * PICO), 9)
