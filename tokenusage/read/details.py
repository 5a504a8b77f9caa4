"""Details: what a day's summary leaves out and `tokenusage summary` asks for, one file a month.

A row is a group of calls and cache hits: those of one log day, UTC day, session, task, batch,
kind of cache, and with or without `items`. The rows of a log day are one row group. Sums are
exact, as those of summaries are: `cost` is US dollars, null where no call of the group has a
price. `first` and `last` are when its first and its last call ended, null where there are cache
hits alone; `response_times` are those of its calls that have one, in microseconds, ascending.

Details are worth something beside the records alone: bound to the files of their day as a
summary is, thrown away with them, and made anew by the next `rotate`.
"""

from typing import Final

import pyarrow as pa

FORMAT: Final = "tokenusage.details/1"

NAMES: Final = ("session_id", "task_id", "batch_id", "cache")
"""What the calls of a log day and UTC day are grouped by, besides `with_items`."""

COUNTS: Final = ("calls", "cache_hits", "unpriced", "total_tokens", "items")
"""Sums of whole numbers; a cache hit counts in `cache_hits` alone."""

SCHEMA: Final = pa.schema(
    [
        ("log_day", pa.date32()),
        ("day", pa.date32()),
        *((name, pa.string()) for name in NAMES),
        ("with_items", pa.bool_()),
        *((name, pa.int64()) for name in COUNTS),
        ("cost", pa.decimal128(38, 12)),
        ("first", pa.int64()),
        ("last", pa.int64()),
        ("response_times", pa.list_(pa.int64())),
    ]
)
