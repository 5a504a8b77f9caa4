"""The rows of summaries as a frame, beside the frame of calls.

A row is a group of calls of one UTC day. Its columns are `time`, noon of that day in
the zone of the question, the categories `user`, `operation`, `model` and, where asked
for, `email` and `provider`, and sums, integers under the names that `Figures` has for them,
with `estimated` and `dropped`.
"""

from datetime import UTC, datetime, timedelta
from datetime import time as clock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.filters import matching
from tokenusage.analyse.plan import since_epoch
from tokenusage.analyse.query import Period, Query
from tokenusage.read.arrays import unscaled
from tokenusage.read.columns import column_of
from tokenusage.read.ledger import Ledger
from tokenusage.read.summaries import COUNTS, NAMES

_DECIMALS: Final = {"cost": "cost_pico", "response_time": "response_micro"}
_HALF_A_DAY: Final = timedelta(hours=12)


def sums_of(summary: pa.Table, query: Query, ledger: Ledger) -> pd.DataFrame:
    """Return those rows of summaries that pass the filters and whose day lies in the period.

    In another zone than UTC a day is counted as the UTC day of the same date. Of a
    day that lies in the period in part nothing is counted. The ledger is told of
    the rows: records, those outside and filtered, dropped ones, and the days left unanswered.
    """
    rows = summary.unify_dictionaries()
    starts, places = _places(rows["day"], query.period)
    partly = pc.unique(rows["day"].filter(pa.array(places == _PARTLY))).to_pylist()
    unanswered = {day.isoformat() for day in partly}
    ledger.unanswered_days += sorted(unanswered)
    ledger.summary_only_days = [d for d in ledger.summary_only_days if d not in unanswered]
    columns: dict[str, Any] = {"time": starts}
    for name in rows.column_names:
        if name in NAMES:
            columns[column_of(name)] = rows[name].to_pandas()
        elif name in COUNTS:
            columns[name] = _narrow(rows[name].to_numpy())
        elif name in _DECIMALS:
            columns[_DECIMALS[name]] = _narrow(unscaled(rows[name]))
    frame = pd.DataFrame(columns, copy=False)
    inside = places == _INSIDE
    if not inside.all():
        ledger.outside += records_in(frame[~inside])
        frame = frame[inside]
    ledger.dropped += int(frame["dropped"].sum())
    names = rows.select([name for name in rows.column_names if name in NAMES])
    mask = matching(names.rename_columns(list(map(column_of, names.column_names))), query.filters)
    if mask is not None:
        passed = frame[mask[inside]]
        ledger.filtered += records_in(frame) - records_in(passed)
        frame = passed
    ledger.records += records_in(frame)
    return frame


def records_in(sums: pd.DataFrame) -> int:
    """Return how many records the rows stand for: calls and cache hits."""
    return int(sums["calls"].sum() + sums["cache_hits"].sum())


_OUTSIDE, _PARTLY, _INSIDE = range(3)


def _places(
    days: pa.ChunkedArray, period: Period
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int8]]:
    """Return of each row when its day begins in the period's zone, and whether it is in it."""
    codes = days.combine_chunks().dictionary_encode()
    starts, places = [], []
    for day in codes.dictionary.to_pylist():
        first = datetime.combine(day, clock.min, tzinfo=period.zone).astimezone(UTC)
        last = datetime.combine(day + timedelta(days=1), clock.min, tzinfo=period.zone)
        starts.append(since_epoch(first + _HALF_A_DAY))
        places.append(_place(first, last.astimezone(UTC), period))
    index = codes.indices.to_numpy()
    return np.array(starts, np.int64)[index], np.array(places, np.int8)[index]


def _place(first: datetime, last: datetime, period: Period) -> int:
    if (period.start and last <= period.start) or (period.end and period.end <= first):
        return _OUTSIDE
    whole = (not period.start or period.start <= first) and (not period.end or last <= period.end)
    return _INSIDE if whole else _PARTLY


def _narrow(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return numbers from 0 on in the narrowest type that holds them."""
    most = int(numbers.max(initial=0))
    if most >= 1 << 63:
        return numbers
    return numbers.astype(np.int16 if most < 1 << 15 else np.int32 if most < 1 << 31 else np.int64)
