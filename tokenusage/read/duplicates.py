"""Records that were written twice: `id` is the only key, within a UTC day."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.read.arrays import concat, from_numpy, to_numpy

DAY: Final = 86_400_000_000
"""A day in microseconds."""
_EPOCH: Final = date(1970, 1, 1)

MapTables = Callable[[Callable[[pa.Table], pa.Table], Iterable[pa.Table]], Iterable[pa.Table]]
"""`map`, or that of a pool of threads."""


def without_repeats(days: dict[date, pa.Table], map_tables: MapTables) -> list[pa.Table]:
    """Leave out each record that has the id of an earlier one of the same UTC day.

    Args:
        days: in order, the records of the files of each day; columns `time` and `id`.
        map_tables: runs the work on each table.
    """
    tables = list(days.values())
    if not all(_is_of(day, table) for day, table in days.items()):
        # A record in the wrong day's file may repeat one of any other file.
        tables = [concat(tables)]
    return list(map_tables(_first_of_each_id, tables))


def has_strangers(days: dict[date, pa.Table]) -> bool:
    """Return whether a record with an id stands in the file of another UTC day."""
    return any(
        not _is_of(day, table.filter(pc.is_valid(table["id"])))
        for day, table in days.items()
        if not _is_of(day, table)
    )


def start_of(day: date) -> int:
    """Return midnight of a UTC day, in microseconds since the epoch."""
    return (day - _EPOCH).days * DAY


def _is_of(day: date, table: pa.Table) -> bool:
    """Return whether every record in `table` is of the UTC `day`."""
    midnight = start_of(day)
    bounds = pc.min_max(table["time"]).as_py()
    return bounds["min"] is None or midnight <= bounds["min"] <= bounds["max"] < midnight + DAY


def _first_of_each_id(table: pa.Table) -> pa.Table:
    ids = table["id"]
    if pc.count_distinct(ids).as_py() == len(ids) - ids.null_count:
        return table
    # The row of the first record with each id and day; records without an id all count.
    days = from_numpy(to_numpy(table["time"]) // DAY)
    rows = pa.table({"row": from_numpy(np.arange(len(table))), "day": days, "id": ids})
    named = rows.filter(pc.is_valid(ids))
    first = named.group_by(["day", "id"]).aggregate([("row", "min")])["row_min"]
    rest = rows.filter(pc.is_null(ids))["row"]
    kept = pa.chunked_array([*first.chunks, *rest.chunks], pa.int64())
    return table.take(kept.sort())
