"""Removing files of a log directory, once what they held stands elsewhere for sure."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from tokenusage.errors import TokenUsageError
from tokenusage.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, sync
from tokenusage.keep.hold import hold
from tokenusage.keep.plan import files_by_day, is_raw
from tokenusage.keep.sums.months import summarised_days
from tokenusage.logs import DayFile, Listing, list_logs, rejected_name
from tokenusage.read.parquet import NotOursError
from tokenusage.read.sealed import open_sealed
from tokenusage.read.segments import ListingChangedError
from tokenusage.read.sources import Source, taken_in
from tokenusage.read.summaries import SummaryDay


def remove_temporaries(logs: Path) -> None:
    """Remove what a killed run was writing; only under the lock of the directory.

    Raises:
        OSError: one can't be removed.
    """
    for path in logs.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"):
        path.unlink(missing_ok=True)


def remove_day(logs: Path, day: date, files: Sequence[DayFile]) -> None:
    """Remove files of a day whose final summary is safely there; their locks are held.

    Raises:
        OSError: one can't be removed.
    """
    # First: what is left of a killed run is known by the other files.
    (logs / rejected_name(day)).unlink(missing_ok=True)
    for file in files:
        file.path.unlink(missing_ok=True)


def finish_killed_run(logs: Path) -> Iterator[tuple[tuple[DayFile, ...], Exception]]:
    """Remove what is in a sealed file or a final summary already, day by day.

    Yields the files of each day with which that failed, and why; a day that somebody
    writes to meanwhile is left, as its late records are taken in later.

    Raises:
        LogsError: the directory can't be read.
    """
    listing = list_logs(logs)
    summaries = summarised_days(listing)
    for day, files in files_by_day(listing).items():
        try:
            _remove_taken_in(logs, files, listing, summaries.get(day))
        except ListingChangedError:
            continue
        except (TokenUsageError, OSError, NotOursError) as error:
            yield files, error


def _remove_taken_in(
    logs: Path, files: Sequence[DayFile], listing: Listing, summary: SummaryDay | None
) -> None:
    """Remove those files of a day that a killed run had taken in, but not removed yet.

    Raises:
        HeldError, ListingChangedError: another process is at one of them.
        OSError: one can't be read or removed.
    """
    final = summary is not None and summary.final
    sources = summary.sources if summary is not None and summary.final else ()
    day = files[0].day
    sealed = listing.sealed.get(day)
    if sealed is not None and any(map(is_raw, files)):
        with suppress(NotOursError):
            sources = (*sources, *open_sealed(sealed)[0].sources)
    taken = [file for file in files if _is_taken_in(file, sources)]
    if not taken:
        return
    with hold([file for file in taken if is_raw(file)]):
        # The renaming of what took them in may not be on the disk yet.
        sync(logs)
        if final:
            remove_day(logs, day, taken)
        else:
            for file in taken:
                file.path.unlink(missing_ok=True)
        sync(logs)


def _is_taken_in(file: DayFile, sources: Sequence[Source]) -> bool:
    named = any((source.name, source.inode) == (file.name, file.inode) for source in sources)
    return named and taken_in(file, sources) == file.size
