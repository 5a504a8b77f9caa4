"""The files of details, one for each month: changed by days, rid of what no longer fits.

Nothing in them needs a proof: what is lost or damaged is made anew from the records.
"""

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import Final

import pyarrow as pa

from tokenusage.errors import LogsError, TokenUsageError
from tokenusage.files import put_in_place, sync, temporary_path
from tokenusage.keep.plan import files_by_day
from tokenusage.keep.sums.summarise import DaySums
from tokenusage.keep.sums.writing import Layout, write_days
from tokenusage.logs import DayFile, Listing, details_name, list_logs
from tokenusage.read.details import COUNTS, FORMAT, NAMES, SCHEMA, DetailsDay, DetailsMonth
from tokenusage.read.parquet import NotOursError
from tokenusage.read.segments import ListingChangedError
from tokenusage.read.summaries import FileState

_LAYOUT: Final = Layout(
    FORMAT,
    SCHEMA,
    dictionaries=("log_day", "day", *NAMES),
    deltas=(*COUNTS, "first", "last", "response_times.list.element"),
)


@dataclass(frozen=True, slots=True)
class Details:
    """The details of one log day."""

    of_day: DetailsDay
    table: pa.Table
    """Its rows, as `read.details.SCHEMA`; none where it can't have any."""

    @classmethod
    def of(cls, sums: DaySums) -> "Details":
        """Return the details that hold as long as the files of their day are as they were."""
        table = SCHEMA.empty_table() if sums.details is None else sums.details
        rows = None if sums.details is None else table.num_rows
        files = tuple(map(FileState.of, sums.files))
        return cls(DetailsDay(sums.day, rows, sums.zone, files), table)


def detailed_days(listing: Listing) -> dict[date, DetailsDay]:
    """Return what the details of a directory hold, by day; of a damaged month that is nothing.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
    """
    days: dict[date, DetailsDay] = {}
    for file in listing.details:
        with suppress(NotOursError), DetailsMonth(file) as month:
            days |= month.days
    return days


def damaged_details(listing: Listing) -> list[DayFile]:
    """Return the files of details that can't be read from beginning to end.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
    """
    damaged = []
    for file in listing.details:
        try:
            with DetailsMonth(file) as month:
                for day in month.days:
                    month.read([day])
        except NotOursError:
            damaged.append(file)
    return damaged


def outdated_details(listing: Listing, zone: tzinfo) -> list[DayFile]:
    """Return the files with details that don't fit the files of their day, or can't be read."""
    files = files_by_day(listing)
    outdated = []
    for file in listing.details:
        with suppress(NotOursError, ListingChangedError, OSError), DetailsMonth(file) as month:
            days = month.days.values()
            if all(of_day.fits(files.get(of_day.day, ()), zone) for of_day in days):
                continue
        outdated.append(file)
    return outdated


def write_details(
    logs: Path,
    changes: Sequence[Details],
    like: os.stat_result,
    zone: tzinfo,
    *,
    leaving: Collection[date] = (),
) -> None:
    """Put details of days of one month into its file, in the place of older ones.

    What no longer fits the files of its day is left out.

    Args:
        logs: the log directory, whose lock is held.
        changes: the details of some days.
        like: whose owner, group and mode the file takes where there is none yet.
        zone: of timestamps that have none.
        leaving: other days of the month, whose records are going to be removed.

    Raises:
        ListingChangedError: somebody has changed the old file, in spite of the lock.
        LogsError: the directory can't be read, or something else than a file is in the way.
        SealError: the new file is damaged on the disk; the old one is unchanged.
        OSError: the new file can't be written; the old one is unchanged.
    """
    month = min([*leaving, *(change.of_day.day for change in changes)]).replace(day=1)
    _Details(list_logs(logs), zone).write(month, changes, like, leaving)


def tidy_details(logs: Path, zone: tzinfo) -> Iterator[tuple[DayFile, Exception]]:
    """Remove what no longer fits; yield each file with which that failed, and why.

    Raises:
        LogsError: the directory can't be read.
    """
    details = _Details(list_logs(logs), zone)
    for file in details.listing.details:
        try:
            details.write(file.day, (), None, ())
        except (ListingChangedError, TokenUsageError, OSError) as error:
            yield file, error


class _Details:
    """The details of a directory, as it was listed."""

    def __init__(self, listing: Listing, zone: tzinfo) -> None:
        self.listing = listing
        self._files = files_by_day(listing)
        self._zone = zone

    def write(
        self,
        month: date,
        changes: Sequence[Details],
        like: os.stat_result | None,
        leaving: Collection[date],
    ) -> None:
        """Write a month anew, if anything of it changes."""
        target = self.listing.directory / details_name(month)
        by_day = {change.of_day.day: change for change in changes}
        with ExitStack() as stack:
            old = self._open(target, stack)
            days = old.days if old else {}
            kept = {day: of_day for day, of_day in days.items() if self._fits(of_day)}
            kept = {day: of_day for day, of_day in kept.items() if day not in leaving}
            if old and kept | {day: one.of_day for day, one in by_day.items()} == days:
                return
            if not kept and not by_day:
                target.unlink(missing_ok=True)
                sync(target.parent)
                return
            temporary = temporary_path(target.parent)
            stack.callback(temporary.unlink, missing_ok=True)
            merged = _merged(old, kept, by_day)
            write_days(temporary, _LAYOUT, ((one.of_day.as_json(), one.table) for one in merged))
            put_in_place(temporary, target, target.stat() if old else like)

    def _fits(self, of_day: DetailsDay) -> bool:
        return of_day.fits(self._files.get(of_day.day, ()), self._zone)

    def _open(self, path: Path, stack: ExitStack) -> DetailsMonth | None:
        """Open a month's file until the stack ends; None where there is none, or a damaged one."""
        for file in self.listing.details:
            if file.path == path:
                with suppress(NotOursError):
                    return stack.enter_context(DetailsMonth(file))
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise LogsError(f"{path.name} is not a regular file: move it away.")
        return None


def _merged(
    old: DetailsMonth | None, kept: Mapping[date, DetailsDay], changes: Mapping[date, Details]
) -> Iterator[Details]:
    """Yield the details of a month in order of day, one in memory at a time."""
    for day in sorted({*kept, *changes}):
        if day in changes:
            yield changes[day]
        elif old:
            # A day that can't be read is made anew by the next rotation.
            with suppress(NotOursError):
                yield Details(kept[day], old.read([day]).cast(SCHEMA))
