"""Sums of records, and the rows of summaries, by slot, operation and model."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from tokenusage.analyse.filters import matching
from tokenusage.analyse.mean import Mean
from tokenusage.analyse.query import Query
from tokenusage.analyse.report import SUMS, Figures
from tokenusage.analyse.summary.columns import codes, integers, truths
from tokenusage.analyse.summary.exact import group_sums, number, total
from tokenusage.analyse.summary.spans import Integers, Slots, moment_of
from tokenusage.read.arrays import from_numpy, unscaled
from tokenusage.read.columns import column_of
from tokenusage.read.ledger import Ledger
from tokenusage.read.summaries import NAMES

_FURTHER: Final = ("items", "cache_read_tokens")
_DECIMALS: Final = {"cost_pico": "cost", "response_micro": "response_time"}
_DAY: Final = timedelta(days=1)
_EPOCH: Final = date(1970, 1, 1)


class Tally(NamedTuple):
    """The sums of one operation and model within some slots."""

    slots: range
    """One slot, or those of a day that a bound divides."""
    day: date | None
    """Of a row of summaries: its UTC day."""
    operation: str
    model: str
    figures: Figures
    items: int
    cache_read_tokens: int


def tallies_of(records: pa.Table, slots: Integers, means: Sequence[str]) -> list[Tally]:
    """Add up records.

    Args:
        records: as `shape.columns_of` has shaped them.
        slots: of each record.
        means: tags to average.
    """
    names = [codes(records[name]) for name in ("operation", "model")]
    keys = [slots, *(column for column, _ in names)]
    sizes = [int(slots.max(initial=0)) + 1, *(len(texts) for _, texts in names)]
    groups, members = number(keys, sizes)
    size = len(members)
    hit = truths(records["hit"])
    hits = group_sums(hit.astype(np.int64), groups, size)
    if hit.any():
        records, groups = records.filter(from_numpy(~hit)), groups[~hit]
    sums = _sums(records, groups, size) | {"cache_hits": hits}
    averages = _averages(records, groups, size, means)
    (_, operations), (_, models) = names
    rows = zip(*(sums[name] for name in (*SUMS, *_FURTHER)), strict=True)
    return [
        Tally(
            range(slot, slot + 1),
            None,
            operations[operation],
            models[model],
            Figures(*row[: len(SUMS)])._replace(means=tags),
            *row[len(SUMS) :],
        )
        for (slot, operation, model), row, tags in zip(members, rows, averages, strict=True)
    ]


def _sums(calls: pa.Table, groups: Integers, size: int) -> dict[str, list[int]]:
    """Return the sums of each group of calls, cache hits not among them."""
    columns = {
        "calls": np.ones(len(groups), np.int64),
        "failed": integers(calls["failed"]),
        "unpriced": 1 - integers(calls["priced"]),
    }
    for name in (*SUMS, *_FURTHER):
        if name not in columns and name in calls.column_names:
            columns[name] = integers(calls[name])
    return {name: group_sums(column, groups, size) for name, column in columns.items()}


def _averages(
    records: pa.Table, groups: Integers, size: int, means: Sequence[str]
) -> list[tuple[Mean, ...]]:
    """Return the means of tags in each group of calls."""
    if not means:
        return [()] * size
    # It comes with pandas, which nothing else here needs.
    from tokenusage.analyse.aggregate import means_of  # noqa: PLC0415

    tags = [records[tag].unify_dictionaries().to_pandas() for tag in means]
    return list(zip(*(means_of(of_tag, groups, size) for of_tag in tags), strict=True))


def tallies_of_sums(summary: pa.Table, query: Query, slots: Slots, ledger: Ledger) -> list[Tally]:
    """Return the rows of summaries that pass the filters, and tell the ledger of them.

    In another zone than UTC a day is counted as the UTC day of the same date.
    """
    rows = summary.unify_dictionaries()
    names = rows.select([name for name in rows.column_names if name in NAMES])
    names = names.rename_columns([column_of(name) for name in names.column_names])
    ledger.dropped += total(integers(rows["dropped"]))
    mask = matching(names, query.filters)
    if mask is not None:
        ledger.filtered += _records(rows.filter(from_numpy(~mask)))
        rows, names = rows.filter(from_numpy(mask)), names.filter(from_numpy(mask))
    ledger.records += _records(rows)
    ledger.estimated += total(integers(rows["estimated"]))
    of_day, days = days_of(rows)
    parts = [codes(names[name]) for name in ("operation", "model")]
    keys = [of_day, *(column for column, _ in parts)]
    groups, members = number(keys, [len(days), *(len(texts) for _, texts in parts)])
    sums = []
    for name in (*SUMS, *_FURTHER):
        decimal = _DECIMALS.get(name)
        column = unscaled(rows[decimal]) if decimal else integers(rows[name])
        sums.append(group_sums(column, groups, len(members)))
    reaches = [reach_of(day, query.period.zone, slots) for day in days]
    (_, operations), (_, models) = parts
    return [
        Tally(
            reaches[day],
            days[day],
            operations[operation],
            models[model],
            Figures(*row[: len(SUMS)]),
            *row[len(SUMS) :],
        )
        for (day, operation, model), *row in zip(members, *sums, strict=True)
    ]


def days_of(rows: pa.Table) -> tuple[Integers, list[date]]:
    """Return the UTC day of each row of summaries as an index, and the days in order."""
    numbers, index = np.unique(integers(rows["day"].cast(pa.int32())), return_inverse=True)
    return index, [_EPOCH + int(number) * _DAY for number in numbers]


def reach_of(day: date, zone: tzinfo, slots: Slots) -> range:
    """Return the slots that a day of a zone has a moment in."""
    first, after = (
        moment_of(datetime.combine(midnight, time.min, tzinfo=zone))
        for midnight in (day, day + _DAY)
    )
    ends: Integers = slots.of(np.array([first, after - 1], np.int64))
    return range(int(ends[0]), int(ends[1]) + 1)


def within(tallies: Iterable[Tally], reach: range) -> tuple[list[Tally], set[str]]:
    """Return what lies in some slots, and the days of which only a part does."""
    inside: list[Tally] = []
    divided: set[str] = set()
    for tally in tallies:
        if reach.start <= tally.slots.start and tally.slots.stop <= reach.stop:
            inside.append(tally)
        elif tally.slots.start < reach.stop and reach.start < tally.slots.stop:
            divided.add(str(tally.day))
    return inside, divided


def _records(rows: pa.Table) -> int:
    return total(integers(rows["calls"])) + total(integers(rows["cache_hits"]))
