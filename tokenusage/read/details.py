"""Details: what a day's summary leaves out and `tokenusage summary` asks for, one file a month.

A row is a group of calls and cache hits: those of one log day, UTC day, session, task, batch,
kind of cache, and with or without `items`. The rows of a log day are one row group. Sums are
exact, as those of summaries are: `cost` is US dollars, null where no call of the group has a
price. `first` and `last` are when its first and its last call ended, null where there are cache
hits alone; both are microseconds since the epoch. `response_times` are those of its calls that have
one, in microseconds, ascending. `with_items` is whether a call has 1 or more of them.

Details are worth something beside the records alone: bound to the files of their day as a
summary is, thrown away with them, and made anew by the next `rotate`. Some days can't have any:
those of which a record repeats the id of another, because what was counted twice can't be taken
off again here as it is from sums, and those with more groups than anybody has sessions. The
footer says so, and they are read by their records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any, Final, Self

import pyarrow as pa

from tokenusage.logs import DayFile
from tokenusage.read.months import MonthFile
from tokenusage.read.summaries import FileState

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


@dataclass(frozen=True, slots=True)
class DetailsDay:
    """What a month's file says of one log day."""

    day: date
    rows: int | None
    """None where the day can't have details."""
    zone: str
    """In which timestamps without one were read."""
    files: tuple[FileState, ...]
    """What it was made from, in order of name."""

    def fits(self, files: Sequence[DayFile], zone: tzinfo) -> bool:
        """Return whether it holds for the day's files, in order of name, as they are now."""
        return self.files == tuple(map(FileState.of, files)) and self.zone == str(zone)

    def as_json(self) -> dict[str, Any]:
        """Return it as the footer holds it."""
        return {
            "day": self.day.isoformat(),
            "rows": self.rows,
            "zone": self.zone,
            "files": [file.as_json() for file in self.files],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return what `as_json` has written."""
        return cls(
            day=date.fromisoformat(document["day"]),
            rows=document["rows"],
            zone=document["zone"],
            files=tuple(map(FileState.from_json, document["files"])),
        )


class DetailsMonth(MonthFile[DetailsDay]):
    """The details of a month; raises as `MonthFile` does."""

    def __init__(self, file: DayFile) -> None:
        super().__init__(file, FORMAT, SCHEMA, NAMES, DetailsDay.from_json)

    def read(self, days: Sequence[date], columns: Sequence[str] = tuple(SCHEMA.names)) -> pa.Table:
        """Return rows as `MonthFile.read` does, with all columns if none are named."""
        return super().read(days, columns)
