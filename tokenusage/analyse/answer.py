"""From a query and a log directory to the report that answers it."""

from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from tokenusage.analyse.aggregate import figures
from tokenusage.analyse.filters import matching
from tokenusage.analyse.keys import combine, keys_of
from tokenusage.analyse.plan import microseconds
from tokenusage.analyse.query import OVERVIEW, TIME_DIMENSIONS, Query
from tokenusage.analyse.report import Report, Row, together
from tokenusage.errors import LogsError
from tokenusage.price.table import PriceTable
from tokenusage.read.calls import read_calls
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import Scan

_LISTINGS: Final = 3
"""How often the directory is listed again when a file vanishes before it is opened."""


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
    calls, ledger = _calls(query, scan)
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


def _calls(query: Query, scan: Scan) -> tuple[pd.DataFrame, Ledger]:
    """Read the calls of the period, from the directory as it is once it holds still."""
    for _ in range(_LISTINGS):
        with scan:
            try:
                return read_calls(
                    scan,
                    start=microseconds(query.period.start),
                    end=microseconds(query.period.end),
                )
            except FileNotFoundError:
                advance = scan.advance
                scan = Scan(scan.logs, scan.plan)
                scan.advance = advance
    raise LogsError(
        f"The files in {str(scan.logs)!r} change faster than they can be read: try again."
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
