"""The calls of the last while, as they come in: sums by bucket, and the last few calls.

Time is in microseconds since the epoch. A window begins with its oldest bucket, so it is
as long as was asked for, or up to one bucket longer: a sixtieth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tokenusage.analyse.filters import passing
from tokenusage.analyse.query import Filters
from tokenusage.analyse.report import Figures, Row, together
from tokenusage.analyse.ring import (
    CALLS,
    OTHERS,
    Integers,
    Ring,
    dollars_in,
    figures_of,
    sums_of_each,
)
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.ledger import Account, Ledger
from tokenusage.read.seen import Seen

BUCKETS: Final = 60
"""Buckets that a window asked for is divided into."""

GROUPINGS: Final = ("user", "operation", "model")
"""What the calls of a window can be grouped by, besides its times."""

LAST_CALLS: Final = 10

MOST_ROWS: Final = 50
"""Groups that a look has rows of."""

AHEAD: Final = timedelta(minutes=5)
"""So far may the clock of a writer on another host be ahead; its calls count when it is time."""

SHOWN_REJECTIONS: Final = 3
"""Rejected lines that a look names."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = 1_000_000
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class LastCall:
    """One of the last calls, or cache hits, that came in."""

    time: int
    """When it ended, in microseconds since the epoch."""
    user: str | None
    operation: str
    model: str
    total_tokens: int
    cost_pico: int | None
    """In picodollars; None is unknown."""
    response_micro: int | None
    """In microseconds; None is unknown."""
    failed: bool
    hit: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """The calls of one of the window's spans of time."""

    start: int
    """In microseconds since the epoch."""
    figures: Figures


@dataclass(frozen=True, slots=True)
class Groups:
    """The calls of the window by user, operation or model."""

    rows: tuple[Row, ...]
    """The dearest ones, dearest first."""
    hidden: int
    """How many more there are."""
    rest: Figures
    """What those have together."""


@dataclass(frozen=True, slots=True)
class Look:
    """Everything that a window shows at one moment."""

    now: datetime
    course: tuple[Bucket, ...]
    """The window by time, oldest first; it begins with the first of them."""
    totals: Figures
    """Of the whole window."""
    minute: Figures
    """Of the last sixty seconds."""
    new: Figures
    """Of what has come in since the look before; where that had to begin anew, of the calls
    that ended since."""
    users: int
    """Distinct users in the window."""
    more_users: bool
    """Whether there are more, because no more than `ring.MOST_KEYS` are told apart."""
    groups: dict[str, Groups]
    """By each of `GROUPINGS`."""
    last: tuple[LastCall, ...]
    """Newest first."""
    ledger: Ledger
    """Of everything since the watch began; the last rejected lines are named."""
    unpriced: int
    """Calls without a cost in the ledger's records."""
    since: datetime
    """When the window began that the watch began with: the ledger is of what ended later."""
    anew: bool = False
    """Whether the watch had to begin anew since the look before."""

    @property
    def start(self) -> datetime:
        """When the window begins."""
        return _EPOCH + timedelta(microseconds=self.course[0].start)


class Window:
    """Figures of a sliding window; `take` adds calls, `look` adds up.

    Args:
        span: how long it is at least.
        filters: which calls count.
        now: the present, which `advance` moves.
        before: when an earlier window was last looked at, in whose place this one comes.
    """

    def __init__(
        self, span: timedelta, filters: Filters, now: datetime, before: datetime | None = None
    ) -> None:
        width = span // timedelta(microseconds=BUCKETS)
        self._filters = filters
        # The present bucket has only begun: with one more the rest is the span.
        self._whole = Ring(width, BUCKETS + 1)
        self._rings = {name: Ring(width, BUCKETS + 1) for name in GROUPINGS}
        self._minute = Ring(_SECOND, _MINUTE)
        self._seen = Seen(span // timedelta(microseconds=1))
        self._new = Figures()
        self._unpriced = 0
        # What is found at the beginning came in before, unless another window was there then.
        self._news: int | None = _micro(before or now)
        self._early: list[pa.Table] = []
        self._now = now
        self._last: list[LastCall] = []
        self.ledger = Ledger()
        """Of everything that came in; what was outside of the window then is `outside`."""
        self.advance(now)
        self._since = self.start

    @property
    def start(self) -> int:
        """When the oldest bucket begins, in microseconds since the epoch."""
        return self._whole.start

    @property
    def bucket(self) -> timedelta:
        """How long each of the window's buckets is."""
        return timedelta(microseconds=self._whole.width)

    def advance(self, now: datetime) -> None:
        """Move the present on, and with it the window's beginning."""
        self._now = now
        for ring in (self._whole, *self._rings.values(), self._minute):
            ring.advance(_micro(now))
        early, self._early = self._early, []
        for records in early:
            self._add(records)

    def take(self, records: pa.Table, account: Account) -> None:
        """Add records, as `shape.columns_of` has shaped them, and what became of their lines.

        Raises:
            WrongUseError: a filter compares a number with something that is none.
        """
        self.ledger.take(account)
        del self.ledger.rejections[:-SHOWN_REJECTIONS]
        times = to_numpy(records["time"])
        # In this order as a report does: of a record that is outside the repeat is one as well.
        fresh = self._seen.first_of_each(records["id"].to_pylist(), times, _micro(self._now))
        self.ledger.duplicates += len(fresh) - int(fresh.sum())
        inside = (times >= self.start) & (times < _micro(self._now + AHEAD))
        self.ledger.outside += int((fresh & ~inside).sum())
        records = records.filter(from_numpy(fresh & inside))
        if not len(records):
            return
        self.ledger.dropped += int(to_numpy(records["dropped"].cast(pa.int64())).sum())
        passed = Ledger(records=len(records))
        records = passing(records, self._filters, passed)
        self.ledger.records += passed.records
        self.ledger.filtered += passed.filtered
        self.ledger.estimated += int(to_numpy(records["estimated"].cast(pa.int64())).sum())
        self._add(records)

    def look(self) -> Look:
        """Return the figures of the present."""
        self._news = None
        course = tuple(
            Bucket(self.start + place * self._whole.width, figures_of(row))
            for place, row in enumerate(self._whole.by_bucket())
        )
        new, self._new = self._new, Figures()
        by_key = {name: ring.by_key() for name, ring in self._rings.items()}
        users = by_key["user"][0]
        return Look(
            now=self._now,
            course=course,
            totals=together(bucket.figures for bucket in course),
            minute=figures_of(self._minute.by_bucket().sum(axis=0)),
            new=new,
            users=sum(name is not None for name in users),
            more_users=OTHERS in users,
            groups={name: _groups(*keys) for name, keys in by_key.items()},
            last=tuple(call for call in self._last if call.time >= self.start),
            ledger=replace(self.ledger, rejections=[*self.ledger.rejections]),
            unpriced=self._unpriced,
            since=_EPOCH + timedelta(microseconds=self._since),
        )

    def _add(self, records: pa.Table) -> None:
        early = to_numpy(records["time"]) >= self._minute.end
        if early.any():
            self._early.append(records.filter(from_numpy(early)))
            records = records.filter(from_numpy(~early))
        times = to_numpy(records["time"])
        sums = sums_of_each(records)
        self._whole.add(times, sums)
        for name, ring in self._rings.items():
            ring.add(times, sums, records[name])
        just_now = times >= self._minute.start
        self._minute.add(times[just_now], sums[just_now])
        new = sums if self._news is None else sums[times > self._news]
        self._new = self._new.plus(figures_of(new.sum(axis=0)))
        self._unpriced += figures_of(sums.sum(axis=0)).unpriced
        newest = np.argsort(-times, kind="stable")[:LAST_CALLS]
        self._last = sorted([*_calls(records, newest), *self._last], key=_time, reverse=True)
        del self._last[LAST_CALLS:]


def _groups(names: Sequence[str | None], sums: Integers) -> Groups:
    # Only their order is a matter of floats.
    dearest = np.lexsort((-sums[:, CALLS], -dollars_in(sums)))
    rows = tuple(
        Row((names[place],), figures_of(sums[place])) for place in dearest[:MOST_ROWS].tolist()
    )
    others = dearest[MOST_ROWS:]
    return Groups(rows, len(others), figures_of(sums[others].sum(axis=0)))


def _time(call: LastCall) -> int:
    return call.time


def _calls(records: pa.Table, places: npt.NDArray[np.int64]) -> Sequence[LastCall]:
    rows = records.take(from_numpy(places)).to_pylist()
    return [
        LastCall(
            time=row["time"],
            user=row["user"],
            operation=row["operation"],
            model=row["model"],
            total_tokens=row["total_tokens"],
            cost_pico=row["cost_pico"] if row["priced"] else None,
            response_micro=row["response_micro"] if row["timed"] else None,
            failed=row["failed"],
            hit=row["hit"],
        )
        for row in rows
    ]


def _micro(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
