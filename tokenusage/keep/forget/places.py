"""The files of a log directory that may name a person."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Final, Protocol

from tokenusage.errors import LogsError
from tokenusage.keep.forget.outcome import Form
from tokenusage.keep.forget.raw import LogPlace
from tokenusage.keep.forget.scrub import Scrub, Seen
from tokenusage.keep.forget.sealed import OrphanPlace, SealedPlace, rejected_file
from tokenusage.keep.plan import files_by_day, is_raw
from tokenusage.keep.sums.months import summarised_days
from tokenusage.logs import DayFile, Listing, is_ours, parse_day, rejected_name
from tokenusage.read.parquet import NotOursError
from tokenusage.read.reader import Reader
from tokenusage.read.segments import ListingChangedError
from tokenusage.read.sources import taken_in

_FAILURES: Final = (LogsError, OSError, NotOursError, ListingChangedError)

_OURS: Final = re.compile(r"token_usage_|(?:rejected|summary|details)_[0-9]")
"""What is in the names of days and sums, and of copies that somebody has made of them."""


class Place(Protocol):
    """A file, with what belongs to it, that may name a person."""

    @property
    def form(self) -> Form:
        """What it is."""

    @property
    def file(self) -> DayFile:
        """The file as it was listed; once it is rewritten, it is another."""

    @property
    def has_to_change(self) -> bool:
        """Whether it is to be rewritten whoever is named in it."""

    def look(self, scrub: Scrub) -> Seen:
        """Return what it holds of the person."""

    def rewrite(self, scrub: Scrub) -> None:
        """Put it without the person in its own place."""


def find_places(
    listing: Listing, pool: ThreadPoolExecutor
) -> tuple[list[Place], dict[str, Exception]]:
    """Return the files of a directory that may name somebody.

    Also returned is what came between each other one and the look at it, by its name.

    Raises:
        ListingChangedError: a summary is gone, or another one, since it was listed.
    """
    reader = Reader(pool)
    places: list[Place] = []
    left: dict[str, Exception] = {}
    summaries = summarised_days(listing)
    for day, files in files_by_day(listing).items():
        summary = summaries.get(day)
        sources = summary.sources if summary else ()
        for file in sorted(files, key=is_raw):
            try:
                if is_raw(file):
                    places.append(LogPlace(file, taken_in(file, sources), reader))
                else:
                    sealed = SealedPlace(file, reader, pool)
                    places.append(sealed)
                    sources = (*sources, *sealed.footer.sources)
            except _FAILURES as error:
                left[file.name] = error
    for path, day in _orphans(listing):
        try:
            rejected = rejected_file(path, day)
        except _FAILURES as error:
            left[path.name] = error
        else:
            places += [OrphanPlace(rejected, reader)] if rejected else []
    return places, left


def unknown_names(logs: Path) -> list[str]:
    """Return names like those of days and sums that no reader looks at, in order.

    Raises:
        OSError: the directory can't be read.
    """
    names = (path.name for path in logs.iterdir())
    return sorted(name for name in names if _OURS.search(name) and not is_ours(name))


def _orphans(listing: Listing) -> list[tuple[Path, date]]:
    """Return the files of rejected lines of days that are not sealed, with their days."""
    orphans = []
    for path in sorted(listing.directory.glob("rejected_*.jsonl")):
        day = parse_day(path.stem.removeprefix("rejected_"))
        if day is not None and day not in listing.sealed and path.name == rejected_name(day):
            orphans.append((path, day))
    return orphans
