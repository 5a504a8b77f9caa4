"""Days that are summed up, and wait until the files of their month are written once for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from tokenusage.keep.outcome import Result
from tokenusage.keep.sums.detailed import Details
from tokenusage.keep.sums.months import Summary
from tokenusage.logs import DayFile

_MOST_ROWS: Final = 1 << 20
_MOST_BYTES: Final = 1 << 30
_MOST_FILES: Final = 200
"""What waits at most for its month to be written: rows in memory, bytes that a killed
run would have to read again, and files whose locks are held at once."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A day whose month is not written yet."""

    summary: Summary
    details: Details | None
    """None where its records are going to be removed."""
    files: tuple[DayFile, ...]
    """What it was made from."""
    result: Result

    @property
    def removes(self) -> bool:
        """Whether its files are removed then."""
        return self.details is None

    @property
    def rows(self) -> int:
        """Rows in memory."""
        tables = [self.summary.table, *([self.details.table] if self.details else [])]
        return sum(table.num_rows for table in tables)


def is_due(waiting: Sequence[Waiting], day: date) -> bool:
    """Return whether what waits, one day at least, has to be written before `day` is summed up."""
    return (
        waiting[0].summary.of_day.day.replace(day=1) != day.replace(day=1)
        or sum(one.rows for one in waiting) > _MOST_ROWS
        or sum(one.result.before for one in waiting) > _MOST_BYTES
        or sum(len(one.files) for one in waiting) > _MOST_FILES
    )
