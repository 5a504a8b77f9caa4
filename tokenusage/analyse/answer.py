"""From a query and a log directory to the report that answers it."""

from datetime import datetime

import numpy as np
import pandas as pd

from tokenusage.analyse.aggregate import figures
from tokenusage.analyse.filters import matching
from tokenusage.analyse.keys import combine, keys_of
from tokenusage.analyse.plan import since_epoch
from tokenusage.analyse.query import OVERVIEW, TIME_DIMENSIONS, Query
from tokenusage.analyse.report import Report, Row, together
from tokenusage.price.table import PriceTable
from tokenusage.read.calls import read_calls
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
    calls, ledger = read_calls(scan, start=since_epoch(period.start), end=since_epoch(period.end))
    mask = matching(calls, query.filters)
    if mask is not None:
        calls = calls[mask]
        ledger.filtered = ledger.records - len(calls)
        ledger.records = len(calls)
    ledger.estimated = int(calls["estimated"].sum())
    if query.cost != "logged":
        # Loading every list price takes longer than most reports.
        from tokenusage.price.pricer import Pricer  # noqa: PLC0415
        from tokenusage.price.reprice import reprice  # noqa: PLC0415

        pico, priced = reprice(calls, Pricer(prices), mode=query.cost, now=now)
        calls = calls.assign(cost_pico=pico, priced=priced)
    rows = _rows(calls, query, query.by) if query.by else ()
    sections = {} if query.by else {name: _rows(calls, query, (name,)) for name in OVERVIEW}
    totals = together(row.figures for row in (rows or sections.get(OVERVIEW[0], ())))
    if query.percentiles and len(calls):
        everything = figures(calls, np.zeros(len(calls), np.int64), [()], percentiles=True)
        totals = everything[0].figures
    return Report(
        query=query,
        logs=str(scan.logs),
        totals=totals,
        users=int(calls["user"].nunique()),
        ledger=ledger,
        rows=rows,
        sections=sections,
        newest_day=scan.newest_day,
    )


def _rows(calls: pd.DataFrame, query: Query, by: tuple[str, ...]) -> tuple[Row, ...]:
    """Group `calls`; times in their order, everything else dearest first."""
    groups, members = combine([keys_of(calls, name, query.period.zone) for name in by])
    rows = figures(calls, groups, members, percentiles=query.percentiles)
    times = [place for place, name in enumerate(by) if name in TIME_DIMENSIONS]

    def order(row: Row) -> tuple[object, ...]:
        keys = [key or "" for key in row.keys]
        sums = row.figures
        in_time = [keys[place] for place in times]
        return (in_time, -sums.cost_pico, -sums.total_tokens, -sums.calls, keys)

    return tuple(sorted(rows, key=order))
