"""Every call once, as a typed row: what the formats other than JSON lines are made of.

A row is a record that counts, as a report's ledger counts `records`: each id once a UTC
day, cache hits among them, in order of file name and line. Its columns are the fields of
the record in their order (`CALLS`). Costs are exact, and response times are rounded to
microseconds as everywhere; `usage`, `price_context`, `tags` and `truncated` are JSON text.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.filters import Mask
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Query
from tokenusage.errors import LogsError, ReplacedError
from tokenusage.keep.export.choice import Choice
from tokenusage.keep.export.lines import Watch
from tokenusage.keep.export.once import Once
from tokenusage.logs import list_logs
from tokenusage.price.table import PriceTable
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.calls import frame_of
from tokenusage.read.columns import COUNTS
from tokenusage.read.duplicates import DAY, start_of
from tokenusage.read.exact import to_integers
from tokenusage.read.gather import touches
from tokenusage.read.ledger import Ledger
from tokenusage.read.scan import Part, Scan, accounted
from tokenusage.read.segments import LISTINGS, ListingChangedError
from tokenusage.read.shape import columns_of
from tokenusage.record import FIELDS, MICRO, PICO

_AHEAD: Final = 3
"""Parts that are read before the first of them is written."""

_TYPES: Final = {
    "timestamp": pa.timestamp("us", "UTC"),
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), pa.int64()),
    "cost_estimate": pa.decimal128(38, 12),
    "response_time": pa.float64(),
    "success": pa.bool_(),
    **dict.fromkeys((*COUNTS, "dropped"), pa.int64()),
}
CALLS: Final = pa.schema([(name, _TYPES.get(name, pa.string())) for name in FIELDS])
"""The columns: cost in US dollars, response time in seconds, null where unknown."""

Take = Callable[[pa.Table], object]
"""Is given the next rows, in the schema `CALLS`, some thousand at a time."""


def export_calls(
    logs: Path,
    query: Query,
    take: Take,
    *,
    prices: PriceTable,
    naive_zone: tzinfo,
    now: datetime,
    watch: Watch = lambda _total: nullcontext(),
) -> tuple[Ledger, int]:
    """Give all calls that a query is about to `take`.

    Args:
        logs: the log directory.
        query: the period, the filters, and at which prices `cost_estimate` is.
        take: told of the calls.
        prices: the user's own prices, for recomputed costs.
        naive_zone: the zone of timestamps that have none.
        now: the time of asking.
        watch: told of the progress.

    Returns:
        The account of all lines, and how many calls of those that came out have no cost.

    Raises:
        LogsError: a file can't be read.
        ReplacedError: one was replaced after the first calls were given.
        WrongUseError: a filter compares a number with something that is none.
    """
    fields = plan(query, naive_zone=naive_zone, now=now).fields
    wanted = plan(query, naive_zone=naive_zone, now=now, also=FIELDS)

    def shape(table: pa.Table, _fields: tuple[str, ...]) -> tuple[pa.Table, pa.Table]:
        return _calls_of(table), columns_of(table, fields)

    reprice = _repricing(query, fields, prices, now)
    for _ in range(LISTINGS):
        sealed = list_logs(logs).sealed
        with Scan(logs, wanted, shape, ahead=_AHEAD) as scan:
            export = _Export(scan, Choice.of(query), take, reprice)
            try:
                with watch(scan.forms.size) as scan.advance:
                    export.run()
                    if list_logs(logs).sealed == sealed:
                        return export.ledger, export.unpriced
            except ListingChangedError:
                pass
            if export.ledger.records:
                raise ReplacedError(
                    f"The files in {str(logs)!r} were replaced while they were being exported: "
                    "export them again."
                )
    raise LogsError(f"The files in {str(logs)!r} change faster than they can be read: try again.")


Reprice = Callable[[pa.Table], tuple[npt.NDArray[np.int64], Mask]]
"""Returns the recomputed cost of records, in picodollars, and which of them have one."""


class _Export:
    """One reading of the directory."""

    def __init__(self, scan: Scan, choice: Choice, take: Take, reprice: Reprice | None) -> None:
        forms = scan.forms
        self.ledger = Ledger(files=forms.files, bytes=forms.size, refused=forms.refused)
        self.ledger.unanswered_days = [
            day.isoformat() for day in forms.unanswered if touches(day, choice.start, choice.end)
        ]
        self.unpriced = 0
        self._scan = scan
        self._choice = choice
        self._take = take
        self._reprice = reprice
        self._once = Once(self._ids_of)

    def run(self) -> None:
        """Read everything."""
        for part, account in accounted(self._scan.parts()):
            self.ledger.take(account)
            for calls, records in part.shaped:
                self._add(part, calls, records)
        self.ledger.take(self._scan.forms.account)

    def _add(self, part: Part, calls: pa.Table, records: pa.Table) -> None:
        ledger = self.ledger
        once = self._once.first(part.piece.file.day, records)
        inside = once & self._choice.inside(records)
        ledger.duplicates += len(records) - int(once.sum())
        ledger.outside += int(once.sum() - inside.sum())
        ledger.dropped += pc.sum(_where(records, inside)["dropped"]).as_py() or 0
        chosen = inside & self._choice.passing(records)
        ledger.filtered += int(inside.sum() - chosen.sum())
        calls, records = _where(calls, chosen), _where(records, chosen)
        if not len(calls):
            return
        ledger.records += len(calls)
        ledger.estimated += pc.sum(records["estimated"]).as_py()
        priced = records["priced"]
        if self._reprice:
            pico, known = self._reprice(records)
            priced = from_numpy(known)
            place = CALLS.get_field_index("cost_estimate")
            calls = calls.set_column(place, CALLS.field(place), _decimals(pico, priced))
        without = pc.invert(pc.or_(priced, records["hit"]))
        self.unpriced += pc.sum(without).as_py()
        self._take(calls)

    def _ids_of(self, day: int) -> Iterable[str]:
        for piece in self._scan.forms.pieces:
            if start_of(piece.file.day) // DAY == day:
                for lines in self._scan.find(piece):
                    own = to_numpy(lines.table["timestamp"]) // DAY == day
                    yield from _where(lines.table, own)["id"].drop_null().to_pylist()


def _where(table: pa.Table, mask: Mask) -> pa.Table:
    return table if mask.all() else table.filter(from_numpy(mask))


def _calls_of(table: pa.Table) -> pa.Table:
    """Return records that were read with all fields in the schema `CALLS`."""
    columns: dict[str, Any] = {}
    for field in CALLS:
        column = table[field.name]
        if field.name == "cost_estimate":
            pico = to_integers(to_numpy(column), PICO)
            columns[field.name] = _decimals(pico, column.is_valid())
        elif field.name == "response_time":
            seconds = pa.array(to_integers(to_numpy(column), MICRO) / MICRO)
            columns[field.name] = pc.if_else(column.is_valid(), seconds, None)
        else:
            columns[field.name] = column.cast(field.type)
    return pa.table(columns, schema=CALLS)


def _decimals(pico: npt.NDArray[np.int64], known: Any) -> Any:
    """Return picodollars from 0 on as decimals of 12 places, null where they are not `known`."""
    words = np.zeros((len(pico), 2), np.int64)
    words[:, 0] = pico
    kind = CALLS.field("cost_estimate").type
    dollars = pa.Array.from_buffers(kind, len(pico), [None, pa.py_buffer(words)])
    return pc.if_else(known, dollars, pa.scalar(None, kind))


def _repricing(
    query: Query, fields: tuple[str, ...], prices: PriceTable, now: datetime
) -> Reprice | None:
    """Return what recomputes costs; None where they are wanted as logged."""
    mode = query.cost
    if mode == "logged":
        return None
    # Loading every list price takes longer than most exports.
    from tokenusage.price.pricer import Pricer  # noqa: PLC0415
    from tokenusage.price.reprice import reprice  # noqa: PLC0415

    pricer = Pricer(prices)
    return lambda records: reprice(frame_of(records, fields), pricer, mode=mode, now=now)
