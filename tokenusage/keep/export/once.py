"""Each id once a UTC day, in a stream that remembers no more than a day."""

from collections.abc import Callable, Iterable
from datetime import date

import numpy as np
import pyarrow as pa

from tokenusage.analyse.filters import Mask
from tokenusage.read.arrays import to_numpy
from tokenusage.read.duplicates import DAY, start_of


class Once:
    """Tells which records are the first of their id and UTC day, in the order of reading.

    It remembers the ids of the day whose files are being read. Of the few records that
    stand in another day's file it remembers all; where one belongs to a day that is over,
    the files of that day are looked at once more.

    Args:
        ids_of: gives the ids of the records of a day that stand in its own files; the day
            is counted from the epoch.
    """

    def __init__(self, ids_of: Callable[[int], Iterable[str]]) -> None:
        self._ids_of = ids_of
        self._file_day = 0
        self._days: dict[int, set[str]] = {}
        """Ids of each day that the files being read have records of."""
        self._strangers: dict[int, set[str]] = {}
        """Ids of each day's records in the files of other days."""

    def first(self, file_day: date, records: pa.Table) -> Mask:
        """Return which records count: those without an id, and the first of each id.

        Args:
            file_day: the day of the file that they stand in, never one before the last.
            records: the next ones, with the columns `time` and `id`.
        """
        number = start_of(file_day) // DAY
        if number != self._file_day:
            self._file_day = number
            self._days = {}
        counts = np.ones(len(records), np.bool_)
        days = (to_numpy(records["time"]) // DAY).tolist()
        for row, (day, name) in enumerate(zip(days, records["id"].to_pylist(), strict=True)):
            if name is not None:
                counts[row] = self._is_new(day, name)
        return counts

    def _is_new(self, day: int, name: str) -> bool:
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = set(self._strangers.get(day, ()))
            if day < self._file_day:
                known.update(self._ids_of(day))
        if name in known:
            return False
        known.add(name)
        if day != self._file_day:
            self._strangers.setdefault(day, set()).add(name)
        return True
