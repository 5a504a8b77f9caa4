"""From a query and a log directory to the report that answers it."""

from datetime import datetime

import numpy as np
import pandas as pd

from tokenusage.analyse.aggregate import added, figures
from tokenusage.analyse.filters import passing
from tokenusage.analyse.first import MANY, first_groups
from tokenusage.analyse.keys import combine, keys_of
from tokenusage.analyse.plan import since_epoch
from tokenusage.analyse.query import OVERVIEW, TIME_DIMENSIONS, Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.analyse.sums import sums_of
from tokenusage.price.table import PriceTable
from tokenusage.read.calls import frame_of
from tokenusage.read.gather import gather
from tokenusage.read.scan import Scan


def answer(query: Query, scan: Scan, *, prices: PriceTable, now: datetime) -> Report:
    """Answer `query` from a scan that was planned for it.

    Args:
        query: the question.
        scan: a scan of `plan(query, ...)`; it is ended here.
        prices: the user's own prices, for recomputed costs.
        now: the time of asking.

    Raises:
        LogsError: a file can't be read.
        WrongUseError: a filter compares a number with something that is none.
    """
    period = query.period
    table, summary, ledger, _ = gather(
        scan, start=since_epoch(period.start), end=since_epoch(period.end)
    )
    calls = frame_of(passing(table, query.filters, ledger), scan.plan.fields)
    del table
    sums = None if summary is None else sums_of(summary, query, ledger)
    del summary  # as large as the sums
    ledger.estimated = sum(int(frame["estimated"].sum()) for frame in _given(calls, sums))
    if query.cost != "logged":
        # Loading every list price takes longer than most reports.
        from tokenusage.price.pricer import Pricer  # noqa: PLC0415
        from tokenusage.price.reprice import reprice  # noqa: PLC0415

        pico, priced = reprice(calls, Pricer(prices), mode=query.cost, now=now)
        calls = calls.assign(cost_pico=pico, priced=priced)
    rows, hidden, rest = _ranked(calls, query) if sums is None else ((), 0, None)
    if query.by and not rows:
        rows = _rows(calls, sums, query, query.by)
    sections = {} if query.by else {name: _rows(calls, sums, query, (name,)) for name in OVERVIEW}
    parts = [row.figures for row in (rows or sections.get(OVERVIEW[0], ()))]
    totals = together([*parts, rest] if rest else parts)
    if query.percentiles and len(calls):
        one = np.zeros(len(calls), np.int64)
        totals = figures(calls, one, [()], percentiles=True, means=query.means)[0].figures
    return Report(
        query=query,
        logs=str(scan.logs),
        totals=totals,
        users=len(set[str]().union(*(_users(frame) for frame in _given(calls, sums)))),
        ledger=ledger,
        rows=rows,
        hidden=hidden,
        rest=rest,
        sections=sections,
        newest_day=scan.newest_day,
    )


def _given(calls: pd.DataFrame, sums: pd.DataFrame | None) -> list[pd.DataFrame]:
    return [calls] if sums is None else [calls, sums]


def _users(frame: pd.DataFrame) -> set[str]:
    return set(frame["user"].cat.remove_unused_categories().cat.categories)


def _ranked(calls: pd.DataFrame, query: Query) -> tuple[tuple[Row, ...], int, Figures | None]:
    """Return rows of the groups that may come first, how many others there are, and those together.

    There are none where there are too few groups for a choice, or where a row is of more
    than one group.
    """
    if query.first is None or len(query.by) > 1 or len(calls) <= MANY:
        return (), 0, None
    groups, members = combine([keys_of(calls, query.by[0], query.period.zone)])
    chosen = first_groups(calls, groups, len(members), query.first)
    nameless = [place for place, keys in enumerate(members) if keys[0] is None]
    chosen = np.union1d(chosen, np.array(nameless, np.int64))
    hidden = len(members) - len(chosen)
    if hidden < MANY:
        return (), 0, None
    places = np.full(len(members), len(chosen))
    places[chosen] = np.arange(len(chosen))
    kept = [members[place] for place in chosen.tolist()]
    *rows, rest = figures(calls, places[groups], [*kept, ()])
    return tuple(rows), hidden, rest.figures


def _rows(
    calls: pd.DataFrame, sums: pd.DataFrame | None, query: Query, by: tuple[str, ...]
) -> tuple[Row, ...]:
    """Group calls and sums; times in their order, everything else dearest first."""
    zone = query.period.zone
    groups, members = combine([keys_of(calls, name, zone) for name in by])
    rows = figures(calls, groups, members, percentiles=query.percentiles, means=query.means)
    if sums is not None:
        groups, members = combine([keys_of(sums, name, zone) for name in by])
        rows = _merged([*rows, *added(sums, groups, members)])
    times = [place for place, name in enumerate(by) if name in TIME_DIMENSIONS]

    def order(row: Row) -> tuple[object, ...]:
        keys = [key or "" for key in row.keys]
        sums = row.figures
        in_time = [keys[place] for place in times]
        return (in_time, -sums.cost_pico, -sums.total_tokens, -sums.calls, keys)

    return tuple(sorted(rows, key=order))


def _merged(rows: list[Row]) -> list[Row]:
    """Add up the rows that have the same keys."""
    merged: dict[tuple[str | None, ...], Figures] = {}
    for keys, figures_ in rows:
        known = merged.get(keys)
        merged[keys] = known.plus(figures_) if known else figures_
    return [Row(*pair) for pair in merged.items()]
