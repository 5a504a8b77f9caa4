"""Removing files of a log directory, once what they held stands elsewhere for sure."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from tokenusage.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, sync
from tokenusage.keep.hold import hold
from tokenusage.keep.plan import is_raw
from tokenusage.logs import DayFile, Listing, rejected_name
from tokenusage.read.parquet import NotOursError
from tokenusage.read.sealed import open_sealed
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


def remove_taken_in(
    logs: Path, files: Sequence[DayFile], listing: Listing, summary: SummaryDay | None
) -> bool:
    """Remove those files of a day that a killed run had taken in, but not removed yet.

    Returns whether there were any.

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
        return False
    with hold([file for file in taken if is_raw(file)]):
        # The renaming of what took them in may not be on the disk yet.
        sync(logs)
        if final:
            remove_day(logs, day, taken)
        else:
            for file in taken:
                file.path.unlink(missing_ok=True)
        sync(logs)
    return True


def _is_taken_in(file: DayFile, sources: Sequence[Source]) -> bool:
    named = any((source.name, source.inode) == (file.name, file.inode) for source in sources)
    return named and taken_in(file, sources) == file.size
