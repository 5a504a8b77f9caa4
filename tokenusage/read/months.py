"""Files that hold a row group for each log day of a month, and say in the footer which."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Generic, Protocol, Self, TypeVar

import pyarrow as pa

from tokenusage.logs import DayFile
from tokenusage.read.parquet import NotOursError, ParquetFile


class DayEntry(Protocol):
    """What a month's file says of one log day."""

    @property
    def day(self) -> date:
        """The log day."""

    @property
    def rows(self) -> int | None:
        """Rows of it; where there are none it has no row group."""


_Day = TypeVar("_Day", bound=DayEntry)


class MonthFile(Generic[_Day]):
    """A month's file, open for reading; a context manager that closes it.

    Args:
        file: as it was listed.
        format_: what its footer has to say that it is.
        schema: the columns that it has to have.
        texts: those of them that come as codes into the distinct texts.
        entry_of: turns what the footer says of a day into its entry.

    Raises:
        ListingChangedError: the file is gone, or another one stands in its place.
        NotOursError: it is not what tokenusage writes.
    """

    def __init__(
        self,
        file: DayFile,
        format_: str,
        schema: pa.Schema,
        texts: Sequence[str],
        entry_of: Callable[[dict[str, Any]], _Day],
    ) -> None:
        self.file = file
        self._texts = texts
        self._parquet = ParquetFile(file, format_, schema)
        try:
            days = [entry_of(day) for day in self._parquet.footer["days"]]
        except (KeyError, TypeError, ValueError) as error:
            self._parquet.__exit__()
            raise NotOursError(f"{file.name} is damaged: its footer can't be read") from error
        self.days: dict[date, _Day] = {day.day: day for day in days}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._parquet.__exit__()

    def read(self, days: Sequence[date], columns: Sequence[str]) -> pa.Table:
        """Return columns of the rows of some of its days, texts as codes.

        Raises:
            NotOursError: the file is damaged.
        """
        filled = [day for day, entry in self.days.items() if entry.rows]
        groups = [filled.index(day) for day in days if self.days[day].rows]
        texts = [name for name in self._texts if name in columns]
        return self._parquet.read(groups, list(columns), texts)
