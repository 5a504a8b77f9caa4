"""The files of summaries, one for each month: read, changed by days, written whole."""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from tokenusage.errors import LogsError, SealError
from tokenusage.files import put_in_place, temporary_path
from tokenusage.keep.sums.writing import Layout, write_days
from tokenusage.logs import DayFile, Listing, summary_name
from tokenusage.read.parquet import NotOursError
from tokenusage.read.summaries import COUNTS, FORMAT, NAMES, SCHEMA, Month, SummaryDay

_LAYOUT: Final = Layout(FORMAT, SCHEMA, dictionaries=("log_day", "day", *NAMES), deltas=COUNTS)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of one log day."""

    of_day: SummaryDay
    table: pa.Table
    """Its rows, as `read.summaries.SCHEMA`."""


def summarised_days(listing: Listing) -> dict[date, SummaryDay]:
    """Return what the months of a directory hold, by day.

    Of a damaged month that is nothing; `write_month` refuses to replace it.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
    """
    days: dict[date, SummaryDay] = {}
    for file in listing.summaries:
        try:
            with Month(file) as month:
                days |= month.days
        except NotOursError:
            continue
    return days


def read_summary(logs: Path, day: date) -> Summary | None:
    """Return the summary that a directory holds of a day.

    Raises:
        LogsError: the month's file is damaged.
    """
    with ExitStack() as stack:
        month = _open(logs / summary_name(day), day, stack)
        if month is None or day not in month.days:
            return None
        return Summary(month.days[day], _rows(month, day))


def write_month(
    logs: Path,
    changes: Sequence[Summary],
    like: os.stat_result,
    *,
    removed: Collection[date] = (),
) -> None:
    """Put summaries of days of one month into its file, in the place of older ones.

    A final summary is replaced by a final one alone. The new file is read back and
    compared before it takes the old one's place. Where that says the same of those days
    already, from the same state of the same files, it stays.

    Args:
        logs: the log directory.
        changes: the summaries of one or more days.
        like: whose owner, group and mode the file takes where there is none yet.
        removed: other days of the month, whose summaries are left out.

    Raises:
        LogsError: the old file is damaged; it is unchanged.
        SealError: the new file is damaged; the old one is unchanged.
        OSError: the new file can't be written; the old one is unchanged.
    """
    by_day = {change.of_day.day: change for change in changes}
    first = min([*by_day, *removed]).replace(day=1)
    target = logs / summary_name(first)
    temporary = temporary_path(logs)
    with ExitStack() as stack:
        old = _open(target, first, stack)
        if old is not None:
            if not removed and all(old.days.get(d) == one.of_day for d, one in by_day.items()):
                return
            like = target.stat()
        stack.callback(temporary.unlink, missing_ok=True)
        merged = _merged(old, by_day, removed)
        write_days(temporary, _LAYOUT, ((one.of_day.as_json(), one.table) for one in merged))
        if not _holds(temporary, _merged(old, by_day, removed)):
            raise SealError(
                f"{target.name} would not hold what was written to it: it was not replaced."
            )
        put_in_place(temporary, target, like)


def _open(path: Path, day: date, stack: ExitStack) -> Month | None:
    """Open a month's file until the stack ends; None where there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    first = day.replace(day=1)
    try:
        return stack.enter_context(Month(DayFile.of(path, first, status)))
    except NotOursError as error:
        raise LogsError(
            f"{error}. Move it away to have its days summed up anew; "
            "of days whose records are gone it is all there was."
        ) from error


def _rows(month: Month, day: date) -> pa.Table:
    try:
        return month.read([day]).cast(SCHEMA)
    except NotOursError as error:
        raise LogsError(f"{error}.") from error


def _merged(
    old: Month | None, changes: Mapping[date, Summary], removed: Collection[date]
) -> Iterator[Summary]:
    """Yield the summaries of a month in order of day, one in memory at a time."""
    kept = {day: of_day for day, of_day in old.days.items() if day not in removed} if old else {}
    for day in sorted({*kept, *changes}):
        change = changes.get(day)
        is_kept = day in kept and kept[day].final and change and not change.of_day.final
        if change and not is_kept:
            yield change
        elif old:
            yield Summary(kept[day], _rows(old, day))


def _holds(path: Path, summaries: Iterator[Summary]) -> bool:
    """Return whether a file holds exactly these summaries."""
    file = DayFile.of(path, date.min, path.stat())
    try:
        with Month(file) as month:
            found = iter(month.days.values())
            return all(
                next(found, None) == summary.of_day
                and _rows(month, summary.of_day.day).equals(summary.table)
                for summary in summaries
            ) and not any(found)
    except (NotOursError, LogsError):
        return False
