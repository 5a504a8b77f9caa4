"""The files of a log directory that may name a person."""

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tokenusage.keep.forget.outcome import Form
from tokenusage.keep.forget.raw import LogPlace
from tokenusage.keep.forget.scrub import Scrub, Seen
from tokenusage.keep.forget.sealed import OrphanPlace, SealedPlace, rejected_file
from tokenusage.keep.months import summarised_days
from tokenusage.keep.outcome import sentence
from tokenusage.keep.plan import files_by_day, is_raw
from tokenusage.keep.reader import Reader
from tokenusage.logs import DayFile, Listing, parse_day, rejected_name
from tokenusage.read.parquet import NotOursError
from tokenusage.read.segments import ListingChangedError
from tokenusage.read.sources import taken_in


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


def find_places(listing: Listing, pool: ThreadPoolExecutor) -> tuple[list[Place], dict[str, str]]:
    """Return the files of a directory that may name somebody.

    Also returned is why each other one can't be looked at, by its name.

    Raises:
        ListingChangedError: a summary is gone, or another one, since it was listed.
    """
    reader = Reader(pool)
    places: list[Place] = []
    left: dict[str, str] = {}
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
            except (OSError, NotOursError, ListingChangedError) as error:
                left[file.name] = sentence(error)
    places += _orphans(listing, reader)
    return places, left


def _orphans(listing: Listing, reader: Reader) -> list[OrphanPlace]:
    """Return the files of rejected lines of days that are not sealed."""
    orphans = []
    for path in sorted(listing.directory.glob("rejected_*.jsonl")):
        day = parse_day(path.stem.removeprefix("rejected_"))
        if day is None or day in listing.sealed or path.name != rejected_name(day):
            continue
        file = rejected_file(path, day)
        if file is not None:
            orphans.append(OrphanPlace(file, reader))
    return orphans
