"""From day files to the frame of calls that every question is asked of.

The frame has a row for each record that counts, in order of file name and line:

| column | dtype | |
|---|---|---|
| time | int64 | microseconds since the epoch, UTC |
| user, operation, model, cache, usage_source | category of str | null where the record has none |
| prompt_tokens, completion_tokens, total_tokens | int64 | |
| cost_pico, priced | int64, bool | picodollars; 0 and False where unknown |
| response_micro, timed | int64, bool | microseconds; 0 and False where unknown |
| failed, hit | bool | not `success`; `cache` is set |
| dropped | int64 | records that the writer announced as never written |

and one more for each extra field asked for: int64 with 0 for null for the counts
in `columns.COUNTS`, else category of str; under its short name (`session`) where it has one.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.read.duplicates import without_repeats
from tokenusage.read.ledger import MAX_REJECTIONS, Ledger, Rejection
from tokenusage.read.scan import Part, Scan


def read_calls(
    scan: Scan, *, start: int | None = None, end: int | None = None, with_id: bool = False
) -> tuple[pd.DataFrame, Ledger]:
    """Gather a scan, as `gather` does, into the frame that this module describes.

    With `with_id` the frame keeps the column `id`. The ledger's `estimated` is not
    counted yet: it is of the calls that pass the filters.
    """
    table, ledger = gather(scan, start=start, end=end)
    ids = table["id"]
    table = table.drop_columns("id")
    if with_id:
        table = table.append_column("id", ids.dictionary_encode())
    ledger.dropped = pc.sum(table["dropped"]).as_py() or 0
    frame = table.unify_dictionaries().to_pandas(split_blocks=True, self_destruct=True)
    return frame, ledger


def gather(
    scan: Scan, *, start: int | None = None, end: int | None = None
) -> tuple[pa.Table, Ledger]:
    """Gather the records of a period that a scan finds, each id once.

    Args:
        scan: the scan, which can be gathered once.
        start: first moment of the period, in microseconds since the epoch; None is all before.
        end: first moment after it; None is all after.

    Returns:
        The records in order of file name and line, and the account of all lines;
        nothing is filtered yet.

    Raises:
        FileNotFoundError: a file is gone since it was listed.
        LogsError: a file can't be read.
    """
    ledger = Ledger(
        files=len(scan.files), bytes=sum(file.size for file in scan.files), refused=scan.refused
    )
    days: dict[date, pa.Table] = {}
    for day, parts in groupby(scan.parts(), lambda part: part.file.day):
        days[day] = pa.concat_tables(_accounted(parts, ledger))
    if not days:
        days[scan.plan.today] = scan.nothing()
    found = sum(map(len, days.values()))
    table = pa.concat_tables(without_repeats(days, scan.map))
    ledger.duplicates = found - len(table)
    table = _within(table, start, end, ledger)
    ledger.records = len(table)
    return table, ledger


def _accounted(parts: Iterable[Part], ledger: Ledger) -> Iterator[pa.Table]:
    """Yield the table of each part of a day, and write its lines into the ledger."""
    for file, of_file in groupby(parts, lambda part: part.file):
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
