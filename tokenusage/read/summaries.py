"""Summaries: one Parquet file a month that holds the sums of its days.

A row is a group of calls: those of one log day, UTC day, user, e-mail, operation,
model and provider. The rows of a log day are one row group. Sums are exact: `cost`
is US dollars, null where no call of the group has a price; `response_time` is
seconds, over the `timed` calls that have one. A cache hit counts in `cache_hits`
(and `dropped`, and `estimated`) alone.

The summary of a day is bound to the files of that day, and is worth nothing when
they have changed since. When retention removes them it becomes *final*: it needs no
file, and is never replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from typing import Any, Final, Self

import pyarrow as pa

from tokenusage.logs import DayFile
from tokenusage.read.ledger import Account
from tokenusage.read.months import MonthFile
from tokenusage.read.sources import Source

# Of a file's footer; a document that `tokenusage schema summary` describes has the same name,
# but files with this one are out there.
FORMAT: Final = "tokenusage.summary/1"

NAMES: Final = ("user_id", "user_email", "operation_type", "model_name", "provider")
"""What the calls of a log day and UTC day are grouped by: columns of text."""

COUNTS: Final = (
    "calls",
    "failed",
    "unpriced",
    "timed",
    "estimated",
    "cache_hits",
    "dropped",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "items",
)
"""Sums of whole numbers."""

SCHEMA: Final = pa.schema(
    [
        ("log_day", pa.date32()),
        ("day", pa.date32()),
        *((name, pa.string()) for name in NAMES),
        *((name, pa.int64()) for name in COUNTS),
        ("cost", pa.decimal128(38, 12)),
        ("response_time", pa.decimal128(38, 6)),
    ]
)


_UNASKED: Final = (
    "log_day",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "items",
)
"""Columns that no report shows; a question that does asks for them by name."""


def summary_columns(fields: Sequence[str]) -> list[str]:
    """Return the columns that answer a question for these fields, from `columns.fields_of`."""
    seldom = {"user_email", "provider", *_UNASKED}.difference(fields)
    return [name for name in SCHEMA.names if name not in seldom]


@dataclass(frozen=True, slots=True)
class FileState:
    """A log or sealed file as it was when it was summarised."""

    name: str
    inode: int
    size: int
    stamp: tuple[int, int]
    """As in `DayFile`."""

    @classmethod
    def of(cls, file: DayFile) -> Self:
        """Return the state of `file` as it was listed."""
        return cls(file.name, file.inode, file.size, file.stamp)

    def as_json(self) -> list[Any]:
        """Return it as the footers of months hold it."""
        return [self.name, self.inode, self.size, *self.stamp]

    @classmethod
    def from_json(cls, document: list[Any]) -> Self:
        """Return what `as_json` has written; raises ValueError for anything else."""
        name, inode, size, changed, entered = document
        return cls(name, inode, size, (changed, entered))


@dataclass(frozen=True, slots=True)
class SummaryDay:
    """What a month's file says of one log day."""

    day: date
    rows: int
    account: Account
    """Of all lines of the day."""
    zone: str
    """In which timestamps without one were read."""
    files: tuple[FileState, ...] = ()
    """What it was made from, in order of name; of a final one nothing."""
    final: bool = False
    sources: tuple[Source, ...] = field(default=())
    """Of a final one: what it took in last, which may not be removed yet."""

    def fits(self, files: Sequence[DayFile], zone: tzinfo) -> bool:
        """Return whether it holds for the day's files, in order of name, as they are now."""
        now = tuple(map(FileState.of, files))
        return not self.final and self.files == now and self.zone == str(zone)

    def as_json(self) -> dict[str, Any]:
        """Return it as the footer holds it."""
        return {
            "day": self.day.isoformat(),
            "rows": self.rows,
            "account": self.account.as_json(),
            "zone": self.zone,
            "files": [file.as_json() for file in self.files],
            "final": self.final,
            "sources": [source.as_json() for source in self.sources],
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return what `as_json` has written."""
        return cls(
            day=date.fromisoformat(document["day"]),
            rows=document["rows"],
            account=Account.from_json(document["account"]),
            zone=document["zone"],
            files=tuple(map(FileState.from_json, document["files"])),
            final=document["final"],
            sources=tuple(Source(**source) for source in document["sources"]),
        )


class Month(MonthFile[SummaryDay]):
    """The summaries of a month; raises as `MonthFile` does."""

    def __init__(self, file: DayFile) -> None:
        super().__init__(file, FORMAT, SCHEMA, NAMES, SummaryDay.from_json)

    def read(self, days: Sequence[date], columns: Sequence[str] = tuple(SCHEMA.names)) -> pa.Table:
        """Return rows as `MonthFile.read` does, with all columns if none are named."""
        return super().read(days, columns)
