"""Single calls, newest first or by what they took, a page at a time.

A page of the newest calls out of large logs is read from the ends of their files; how many
calls there are is then an estimate. Everything else is read whole. A cache hit is no call.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.filters import matching, passing
from tokenusage.analyse.page import Page
from tokenusage.analyse.plan import since_epoch
from tokenusage.analyse.query import Filters, Query
from tokenusage.errors import LogsError
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.gather import gather
from tokenusage.read.ledger import Ledger
from tokenusage.read.recent import Recent
from tokenusage.read.scan import Scan
from tokenusage.read.segments import LISTINGS, ListingChangedError
from tokenusage.read.shape import columns_of
from tokenusage.record import MICRO, PICO

FIELDS: Final = ("query", "error_message", "usage_source", "id")
"""What is asked of a record beside its figures."""

SMALL: Final = 16 << 20
"""Bytes of logs that are read whole as soon as in part."""

_TEXTS: Final = ("query", "error_message")
"""Fields of which nearly each value is another one."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as it was logged."""

    time: int
    """When it ended, in microseconds since the epoch."""
    user: str | None
    operation: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: float | None
    """US dollars, 12 decimals; None is unknown."""
    response_time: float | None
    """Seconds."""
    success: bool
    error_message: str | None
    usage_source: str | None
    query: str | None
    id: str | None


@dataclass(frozen=True, slots=True)
class Calls:
    """A page of calls, and how many there are."""

    query: Query
    logs: str
    """The directory as the user named it."""
    page: Page
    rows: tuple[Call, ...]
    calls: int
    """All calls of the question; about so many where not `is_exact`."""
    is_exact: bool
    """Whether everything was read that could count."""
    cache_hits: int
    """Among what was read, as is `unpriced`."""
    unpriced: int
    ledger: Ledger
    """Of what was read."""
    newest_day: date | None
    """Day of the newest log file that is not empty."""

    @property
    def pages(self) -> int:
        """How many pages there are, about as exact as `calls`; at least 1."""
        return max(1, -(-self.calls // self.page.limit))


def shape(table: pa.Table, fields: tuple[str, ...]) -> pa.Table:
    """Turn records into columns as `shape.columns_of` does, texts as they are."""
    shaped = columns_of(table, tuple(name for name in fields if name not in _TEXTS))
    for name in _TEXTS:
        # Codes into texts that are all distinct would only take time and room.
        shaped = shaped.append_column(name, table[name].cast(pa.string()))
    return shaped


def list_calls(query: Query, scan: Scan, page: Page, *, small: int = SMALL) -> Calls:
    """Return a page of the calls that a query is about.

    Args:
        query: the question; its dimensions play no part.
        scan: a scan of `plan(query, also=FIELDS, ...)` with `shape` and `ahead`; ended here.
        page: which calls.
        small: bytes of logs up to which they are read whole.

    Raises:
        LogsError: a file can't be read, or the directory does not hold still.
        WrongUseError: a filter compares a number with something that is none.
    """
    if page.order != "date" or scan.forms.size <= small:
        period = query.period
        start, end = since_epoch(period.start), since_epoch(period.end)
        gathered = gather(scan, start=start, end=end)
        return _answer(gathered.table, gathered.ledger, query, scan, page)
    for _ in range(LISTINGS):
        with scan:
            try:
                return _from_the_end(query, scan, page)
            except ListingChangedError:
                scan = scan.again()
    raise LogsError(
        f"The files in {str(scan.logs)!r} change faster than they can be read: try again."
    )


def _from_the_end(query: Query, scan: Scan, page: Page) -> Calls:
    start, end = since_epoch(query.period.start), since_epoch(query.period.end)
    recent = Recent(scan, start, end)
    times: list[npt.NDArray[np.int64]] = []
    wanted = page.number * page.limit
    while True:
        frontier = recent.frontier
        while frontier is not None and _after(times, frontier) < wanted:
            times += [_times(table, query.filters, start, end) for table in recent.read_on()]
            frontier = recent.frontier
        table, ledger = recent.gathered()
        found = _answer(table, ledger, query, scan, page, frontier=frontier)
        missing = page.limit - len(found.rows)
        if frontier is None or not missing:
            break
        # Some of the calls that were counted stand there twice.
        wanted = _after(times, frontier) + missing
    share = found.calls / len(table) if len(table) else 0
    calls = found.calls + round(share * recent.unread())
    return replace(found, calls=calls, is_exact=recent.is_whole)


def _after(times: list[npt.NDArray[np.int64]], moment: int) -> int:
    """Return how many of `times` are after a moment."""
    return sum(int(np.count_nonzero(some > moment)) for some in times)


def _times(
    table: pa.Table, filters: Filters, start: int | None, end: int | None
) -> npt.NDArray[np.int64]:
    """Return when the calls among some records ended that a question is about."""
    times = to_numpy(table["time"])
    counts = _truths(table["hit"]) == 0
    if start is not None:
        counts &= times >= start
    if end is not None:
        counts &= times < end
    if (mask := matching(table, filters)) is not None:
        counts &= mask
    found: npt.NDArray[np.int64] = times[counts]
    return found


def _answer(
    table: pa.Table,
    ledger: Ledger,
    query: Query,
    scan: Scan,
    page: Page,
    *,
    frontier: int | None = None,
) -> Calls:
    """Return the page out of what was read, without calls up to the `frontier`."""
    records = passing(table, query.filters, ledger)
    ledger.estimated = pc.sum(records["estimated"]).as_py() or 0
    calls = records.filter(pc.invert(records["hit"]))
    ranked = _ranked(calls, page.order)
    shown = ranked[(page.number - 1) * page.limit :][: page.limit]
    if frontier is not None:
        shown = shown[to_numpy(calls["time"])[shown] > frontier]
    return Calls(
        query=query,
        logs=str(scan.logs),
        page=page,
        rows=_rows(calls, shown),
        calls=len(calls),
        is_exact=True,
        cache_hits=len(records) - len(calls),
        unpriced=len(calls) - (pc.sum(calls["priced"]).as_py() or 0),
        ledger=ledger,
        newest_day=scan.newest_day,
    )


def _ranked(calls: pa.Table, order: str) -> npt.NDArray[np.intp]:
    """Return the places of calls from the first to be shown to the last."""
    keys = [to_numpy(calls["time"])]
    match order:
        case "cost":
            keys += [to_numpy(calls["cost_pico"].cast(pa.int64())), _truths(calls["priced"])]
        case "tokens":
            keys.append(to_numpy(calls["total_tokens"].cast(pa.int64())))
        case "response_time":
            keys += [to_numpy(calls["response_micro"].cast(pa.int64())), _truths(calls["timed"])]
    # Reversed, so that of equal ones the last that was written comes first.
    ranked: npt.NDArray[np.intp] = np.lexsort(keys)[::-1]
    return ranked


def _truths(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    return to_numpy(column.cast(pa.int64()))


def _rows(calls: pa.Table, places: npt.NDArray[np.intp]) -> tuple[Call, ...]:
    """Return the calls at some places, in that order."""
    mask = np.zeros(len(calls), np.bool_)
    mask[places] = True
    # To take them from the columns would first put all chunks of each of those together.
    few = calls.filter(from_numpy(mask)).to_pylist()
    of_place = dict(zip(np.flatnonzero(mask).tolist(), few, strict=True))
    return tuple(_call(of_place[place]) for place in places.tolist())


def _call(row: dict[str, Any]) -> Call:
    return Call(
        time=row["time"],
        user=row["user"],
        operation=row["operation"],
        model=row["model"],
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        total_tokens=row["total_tokens"],
        cost=row["cost_pico"] / PICO if row["priced"] else None,
        response_time=row["response_micro"] / MICRO if row["timed"] else None,
        success=not row["failed"],
        error_message=row["error_message"],
        usage_source=row["usage_source"],
        query=row["query"],
        id=row["id"],
    )
