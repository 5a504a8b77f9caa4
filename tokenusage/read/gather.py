"""Everything that a scan finds, put together: each record once, and the account of all lines."""

from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.read.arrays import concat, from_numpy, to_numpy
from tokenusage.read.duplicates import DAY, has_strangers, start_of, without_repeats
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import DetailsError, Scan, accounted
from tokenusage.read.segments import LISTINGS, ListingChangedError

# A number of Python's own would make pyarrow import pandas, to learn that it is none of its.
_ZERO: Final = from_numpy(np.zeros(1, np.int64))[0]


class Gathered(NamedTuple):
    """What a scan has found."""

    table: pa.Table
    """The records in order of file name and line, each id once."""
    summary: pa.Table | None
    """Rows of `summaries.SCHEMA` for the days that were not read by records."""
    ledger: Ledger
    """The account of all lines; nothing is filtered or estimated yet, and of the summary's
    rows neither records nor those outside the period are counted."""
    details: pa.Table | None
    """Rows of `details.SCHEMA` for those of these days that are not final, if the plan wants
    them."""


def gather(scan: Scan, *, start: int | None = None, end: int | None = None) -> Gathered:
    """Gather the records of a period that a scan finds, and the summaries beside them.

    Args:
        scan: the scan, which is ended here; where the directory changes under it, it is
            started again.
        start: first moment of the period, in microseconds since the epoch; None is all before.
        end: first moment after it; None is all after.

    Raises:
        LogsError: a file can't be read, or the directory does not hold still.
    """
    for _ in range(LISTINGS):
        with scan:
            try:
                return _gather(scan, start, end)
            except ListingChangedError:
                scan = scan.again()
            except (_StrangersError, DetailsError):
                # Strangers may have the ids of records that only a summary stands for.
                scan = scan.again(replace(scan.plan, whole_days=False))
    raise LogsError(
        f"The files in {str(scan.logs)!r} change faster than they can be read: try again."
    )


class _StrangersError(Exception):
    """A file holds records of another day, beside days that were read from summaries."""


def _gather(scan: Scan, start: int | None, end: int | None) -> Gathered:
    forms = scan.forms
    ledger = Ledger(files=forms.files, bytes=forms.size + forms.summarised, refused=forms.refused)
    ledger.unanswered_days = [
        day.isoformat() for day in forms.unanswered if touches(day, start, end)
    ]
    days: dict[date, pa.Table] = {}
    for day, parts in groupby(accounted(scan.parts()), lambda pair: pair[0].piece.file.day):
        tables: list[pa.Table] = []
        for part, account in parts:
            ledger.take(account)
            tables += part.shaped
        days[day] = concat(tables or [scan.nothing()])
    ledger.take(forms.account)
    if not days:
        days[scan.plan.today] = scan.nothing()
    summarised = [of_day for _, of_days in forms.months for of_day in of_days]
    for of_day in summarised:
        ledger.take(of_day.account)
        if of_day.final and touches(of_day.day, start, end):
            ledger.summary_only_days.append(of_day.day.isoformat())
    if not all(of_day.final for of_day in summarised) and has_strangers(days):
        raise _StrangersError
    summary, details = scan.summary(), scan.details()
    scan.check_unchanged()
    found = sum(map(len, days.values()))
    table = concat(without_repeats(days, scan.map))
    ledger.duplicates += found - len(table)
    table = within(table, start, end, ledger)
    ledger.records = len(table)
    ledger.dropped = announced(table)
    return Gathered(table, summary, ledger, details)


def announced(table: pa.Table) -> int:
    """Return how many records writers announced as dropped in their column `dropped`."""
    return pc.sum(pc.max_element_wise(table["dropped"], _ZERO)).as_py() or 0


def touches(day: date, start: int | None, end: int | None) -> bool:
    """Return whether a UTC day and the period have a moment in common."""
    midnight = start_of(day)
    return (end is None or midnight < end) and (start is None or start < midnight + DAY)


def within(table: pa.Table, start: int | None, end: int | None, ledger: Ledger) -> pa.Table:
    """Return the rows of a period, by their column `time`, and count the others as outside."""
    bounds = pc.min_max(table["time"]).as_py()
    if bounds["min"] is None:
        return table
    inside = (start is None or start <= bounds["min"]) and (end is None or bounds["max"] < end)
    if inside:
        return table
    time = to_numpy(table["time"])
    mask = np.ones(len(time), np.bool_)
    if start is not None:
        mask &= time >= start
    if end is not None:
        mask &= time < end
    ledger.outside = int(len(mask) - mask.sum())
    return table.filter(pa.array(mask))
