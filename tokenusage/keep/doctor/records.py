"""One pass over the records: everything that their findings need, in bounded memory."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.doctor.finding import MAX_PLACES
from tokenusage.keep.doctor.place import Place
from tokenusage.logs import DayFile
from tokenusage.price.pricer import Pricer
from tokenusage.price.reprice import reprice
from tokenusage.read.columns import fields_of
from tokenusage.read.duplicates import DAY
from tokenusage.read.ledger import Account
from tokenusage.read.scan import Scan, Shape, accounted
from tokenusage.read.shape import columns_of
from tokenusage.record import PICO

FIELDS: Final = fields_of(
    {
        "provider",
        "service_tier",
        "price_context",
        "usage",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "usage_source",
    }
)
"""What a price depends on, besides the columns that every frame has."""

FACTOR: Final = 50
"""How many times the price is wildly off it. Cents taken for dollars are 100, a price per
thousand tokens taken for one per million 1 000; cache, batch, discounts and resellers
stay far below."""

A_CENT: Final = PICO // 100
"""A smaller difference, in picodollars, may be a rounded figure, and does no harm."""

SKEW: Final = timedelta(minutes=5)
"""How far the clocks of two hosts may be apart."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = date(1970, 1, 1).toordinal()

Numbers = npt.NDArray[np.int64]


class ModelUse(NamedTuple):
    """What the calls of a model at a provider come to."""

    calls: int = 0
    tokens: int = 0
    unpriced: int = 0
    """Calls that were logged without a cost."""
    unpriced_tokens: int = 0

    def plus(self, other: "ModelUse") -> "ModelUse":
        """Return the sums of both."""
        return ModelUse._make(a + b for a, b in zip(self, other, strict=True))


class Dearest(NamedTuple):
    """Of the calls whose logged cost is wildly off, the one that is furthest off."""

    logged: int
    """Picodollars."""
    price: int
    """What it costs at the price of its day, in picodollars."""
    place: Place

    @property
    def difference(self) -> int:
        """How far they are apart, in picodollars."""
        return abs(self.logged - self.price)


@dataclass(slots=True)
class Strays:
    """Records in one file that are of one other day."""

    count: int
    first: Place


@dataclass(slots=True)
class Records:
    """What the records of a directory come to."""

    count: int = 0
    account: Account = field(default_factory=Account)
    newest: datetime | None = None
    """Of those that are not in the future."""
    no_user: int = 0
    dropped: int = 0
    last_drop: datetime | None = None
    """When the last ones were announced."""
    future: list[Place] = field(default_factory=list)
    """The first such record of the first tables that have some."""
    in_future: int = 0
    strays: dict[tuple[DayFile, date, bool], Strays] = field(default_factory=dict)
    """By file, the day that they are of, and whether they have an id."""
    models: dict[tuple[str, str | None], ModelUse] = field(default_factory=dict)
    """By model and provider."""
    wild: Counter[str] = field(default_factory=Counter)
    """By model, how many calls have a logged cost that is wildly off."""
    wildest: dict[str, Dearest] = field(default_factory=dict)
    """By model."""


def look_through(scan: Scan) -> Records:
    """Look through the records of a scan that has `shape_for` as its shape.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
        LogsError: a file can't be read.
    """
    found = Records()
    found.account.add(scan.forms.account)
    file, line, row = None, 0, 0
    for part, account in accounted(scan.parts()):
        if part.piece.file != file:
            file, line, row = part.piece.file, 0, 0
        found.account.add(account)
        place = Place.first_of(part, line, row)
        for seen in part.shaped:
            _add(found, part.piece.file, seen, place)
            place = place.plus(seen.count)
        line += sum(lines.lines for lines in part.found)
        row += sum(lines.table.num_rows for lines in part.found)
    return found


def shape_for(pricer: Pricer, now: datetime) -> Shape:
    """Return what makes of a table of records what `look_through` adds up."""
    return partial(_seen, pricer=pricer, now=now)


@dataclass(frozen=True, slots=True)
class _Stray:
    """Records of one day in a table."""

    day: int
    """Days since the epoch."""
    has_id: bool
    count: int
    row: int
    """Of the first one."""


@dataclass(frozen=True, slots=True)
class _Wild:
    """Calls of one model in a table whose cost is wildly off, and the one furthest off."""

    model: str
    count: int
    row: int
    logged: int
    price: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the records of one table come to; times are microseconds since the epoch."""

    count: int
    newest: int | None
    future: Numbers
    """Rows."""
    no_user: int
    dropped: int
    last_drop: int | None
    days: list[_Stray]
    models: dict[tuple[str, str | None], ModelUse]
    wild: list[_Wild]


def _seen(table: pa.Table, fields: tuple[str, ...], *, pricer: Pricer, now: datetime) -> _Seen:
    """Add up a table of records, in any thread."""
    columns = columns_of(table, fields)
    has_id = np.asarray(pc.is_valid(columns["id"]))
    frame = columns.drop_columns("id").to_pandas()
    times = frame["time"].to_numpy(np.int64)
    latest = (now + SKEW - _EPOCH) // timedelta(microseconds=1)
    past = times[times <= latest]
    drops = times[frame["dropped"].to_numpy() > 0]
    return _Seen(
        count=len(frame),
        newest=int(past.max()) if past.size else None,
        future=np.flatnonzero(times > latest),
        no_user=int(frame["user"].isna().sum()),
        dropped=int(frame["dropped"].sum()),
        last_drop=int(drops.max()) if drops.size else None,
        days=_days(times, has_id),
        models=_models(frame[~frame["hit"]]),
        wild=_wild(frame, pricer, now),
    )


def _days(times: Numbers, has_id: npt.NDArray[np.bool_]) -> list[_Stray]:
    found = []
    for with_id in (True, False):
        rows = np.flatnonzero(has_id == with_id)
        days, first, counts = np.unique(times[rows] // DAY, return_index=True, return_counts=True)
        for day, place, count in zip(days, first, counts, strict=True):
            found.append(_Stray(int(day), with_id, int(count), int(rows[place])))
    return found


def _models(calls: pd.DataFrame) -> dict[tuple[str, str | None], ModelUse]:
    unpriced = ~calls["priced"]
    figures = calls[["model", "provider"]].assign(
        calls=1,
        tokens=calls["total_tokens"].astype("int64"),
        unpriced=unpriced.astype("int64"),
        unpriced_tokens=calls["total_tokens"].astype("int64") * unpriced,
    )
    sums = figures.groupby(["model", "provider"], observed=True, dropna=False, sort=False).sum()
    return {
        (str(model), None if pd.isna(provider) else str(provider)): ModelUse(*map(int, row))
        for (model, provider), row in zip(sums.index, sums.to_numpy(), strict=True)
    }


def _wild(frame: pd.DataFrame, pricer: Pricer, now: datetime) -> list[_Wild]:
    """Return the calls whose logged cost is wildly off the price of their day, by model."""
    # Whoever said the cost: a provider's own figure is not a thousand times its list either.
    unsaid = frame.assign(cost_source="")
    price, known = reprice(unsaid, pricer, mode="effective", now=now)
    logged = frame["cost_pico"].to_numpy(np.int64)
    known = known & frame["priced"].to_numpy() & ~frame["hit"].to_numpy()
    dearer, cheaper = np.maximum(logged, price), np.minimum(logged, price)
    # In halves: fifty times the largest cost is no int64. A free model proves nothing.
    wild = known & (price > 0) & (dearer // FACTOR > cheaper) & (dearer - cheaper > A_CENT)
    rows = np.flatnonzero(wild)
    models = frame["model"].iloc[rows].to_numpy()
    found = []
    for model in dict.fromkeys(models):
        of_model = rows[models == model]
        worst = of_model[np.argmax((dearer - cheaper)[of_model])]
        found.append(_Wild(model, len(of_model), int(worst), int(logged[worst]), int(price[worst])))
    return found


def _add(found: Records, file: DayFile, seen: _Seen, place: Place) -> None:
    """Add what a table of records comes to."""
    found.count += seen.count
    found.newest = _later(found.newest, seen.newest)
    found.no_user += seen.no_user
    found.dropped += seen.dropped
    found.last_drop = _later(found.last_drop, seen.last_drop)
    if seen.future.size:
        found.in_future += len(seen.future)
        if len(found.future) < MAX_PLACES:
            found.future.append(place.plus(int(seen.future[0])))
    for stray in seen.days:
        day = date.fromordinal(_FIRST_DAY + stray.day)
        if day != file.day:
            key = (file, day, stray.has_id)
            known = found.strays.setdefault(key, Strays(0, place.plus(stray.row)))
            known.count += stray.count
    for kind, use in seen.models.items():
        found.models[kind] = found.models.get(kind, ModelUse()).plus(use)
    for wild in seen.wild:
        found.wild[wild.model] += wild.count
        worst = Dearest(wild.logged, wild.price, place.plus(wild.row))
        known_worst = found.wildest.get(wild.model)
        if known_worst is None or worst.difference > known_worst.difference:
            found.wildest[wild.model] = worst


def _later(known: datetime | None, micro: int | None) -> datetime | None:
    if micro is None:
        return known
    moment = _EPOCH + timedelta(microseconds=micro)
    return moment if known is None else max(known, moment)
