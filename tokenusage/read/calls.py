"""From day files to the frame of calls that every question is asked of.

The frame has a row for each record that counts, in order of file name and line:

| column | dtype | |
|---|---|---|
| time | int64 | microseconds since the epoch, UTC |
| user, operation, model | category of str | user is null where the record has none |
| prompt_tokens, completion_tokens, total_tokens | int | |
| cost_pico, priced | int, bool | picodollars; 0 and False where unknown |
| response_micro, timed | int, bool | microseconds; 0 and False where unknown |
| failed, hit, estimated | bool | not `success`; `cache` is set; tokens were estimated |

and one more for each other field that is asked for: int with 0 for null for the
counts in `columns.COUNTS`, else category of str; under its short name (`session`)
where it has one. Where the table says int, it is the narrowest type that holds the
column.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.read.arrays import concat
from tokenusage.read.duplicates import without_repeats
from tokenusage.read.ledger import MAX_REJECTIONS, Ledger, Rejection
from tokenusage.read.scan import Part, Scan
from tokenusage.read.segments import ListingChangedError

_LISTINGS: Final = 3
"""How often the directory is listed again when a file vanishes before it is opened."""


def read_calls(
    scan: Scan, *, start: int | None = None, end: int | None = None
) -> tuple[pd.DataFrame, Ledger]:
    """Gather a scan, as `gather` does, into the frame that this module describes.

    The ledger's `estimated` is not counted yet: it is of the calls that pass the filters.
    """
    table, ledger = gather(scan, start=start, end=end)
    ledger.dropped = pc.sum(table["dropped"]).as_py() or 0
    if "dropped" not in scan.plan.fields:
        table = table.drop_columns("dropped")
    ids = table["id"]
    table = table.drop_columns("id")
    if "id" in scan.plan.fields:
        table = table.append_column("id", ids.dictionary_encode())
    del ids
    frame = table.unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
    return frame, ledger


def gather(
    scan: Scan, *, start: int | None = None, end: int | None = None
) -> tuple[pa.Table, Ledger]:
    """Gather the records of a period that a scan finds, each id once.

    Args:
        scan: the scan, which is ended here; where the directory changes under it, it is
            started again.
        start: first moment of the period, in microseconds since the epoch; None is all before.
        end: first moment after it; None is all after.

    Returns:
        The records in order of file name and line, and the account of all lines;
        nothing is filtered yet.

    Raises:
        LogsError: a file can't be read, or the directory does not hold still.
    """
    for _ in range(_LISTINGS):
        with scan:
            try:
                return _gather(scan, start, end)
            except ListingChangedError:
                scan = scan.again()
    raise LogsError(
        f"The files in {str(scan.logs)!r} change faster than they can be read: try again."
    )


def _gather(scan: Scan, start: int | None, end: int | None) -> tuple[pa.Table, Ledger]:
    ledger = Ledger(files=len(scan.files), bytes=scan.size, refused=scan.refused)
    days: dict[date, pa.Table] = {}
    for day, parts in groupby(scan.parts(), lambda part: part.segment.file.day):
        days[day] = concat(_accounted(parts, ledger))
    if not days:
        days[scan.plan.today] = scan.nothing()
    found = sum(map(len, days.values()))
    table = concat(without_repeats(days, scan.map))
    ledger.duplicates = found - len(table)
    table = _within(table, start, end, ledger)
    ledger.records = len(table)
    return table, ledger


def _accounted(parts: Iterable[Part], ledger: Ledger) -> Iterator[pa.Table]:
    """Yield the table of each part of a day, and write its lines into the ledger."""
    for file, of_file in groupby(parts, lambda part: part.segment.file):
        line = 0
        for part in of_file:
            for found in part.found:
                ledger.lines += found.lines + found.salvaged
                ledger.blank += found.blank
                ledger.rejected += len(found.rejections)
                room = MAX_REJECTIONS - len(ledger.rejections)
                ledger.rejections += [
                    Rejection(file.name, line + number, reason)
                    for number, reason in found.rejections[:room]
                ]
                line += found.lines
            yield part.table


def _within(table: pa.Table, start: int | None, end: int | None, ledger: Ledger) -> pa.Table:
    """Return the rows of the period, and count the others as outside."""
    bounds = pc.min_max(table["time"]).as_py()
    if bounds["min"] is None:
        return table
    inside = (start is None or start <= bounds["min"]) and (end is None or bounds["max"] < end)
    if inside:
        return table
    time = table["time"].to_numpy()
    mask = np.ones(len(time), np.bool_)
    if start is not None:
        mask &= time >= start
    if end is not None:
        mask &= time < end
    ledger.outside = int(len(mask) - mask.sum())
    return table.filter(pa.array(mask))
