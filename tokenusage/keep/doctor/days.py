"""The files of days: torn tails, spill files, sums, details, and what a killed run has left."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date

from tokenusage.keep.doctor.finding import Finding, Setup, Weight
from tokenusage.keep.plan import SPILL_DAYS, Action, Step, Wishes, make_plan
from tokenusage.keep.sums.detailed import damaged_details
from tokenusage.logs import DayFile, Listing, day_file_name
from tokenusage.read.details import DetailsDay
from tokenusage.read.parquet import NotOursError
from tokenusage.read.sealed import open_sealed
from tokenusage.read.segments import ends_torn
from tokenusage.read.sources import Source, taken_in
from tokenusage.read.summaries import SummaryDay


class Days:
    """The days of a directory, as they were listed.

    Args:
        setup: what the directory is held against.
        listing: the directory.
        summaries: what its summaries hold, by day.
        details: what its details hold, by day.
    """

    def __init__(
        self,
        setup: Setup,
        listing: Listing,
        summaries: Mapping[date, SummaryDay],
        details: Mapping[date, DetailsDay],
    ) -> None:
        self.listing = listing
        self.summaries = summaries
        self._today = setup.now.date()
        self._zone = setup.naive_zone
        self._plan = make_plan(
            listing, summaries, details, now=setup.now, zone=setup.naive_zone, wishes=Wishes()
        )
        self.open = frozenset(self._plan.open_days)
        """Days that are not over for an hour, which nobody touches."""

    @property
    def final(self) -> list[date]:
        """The days of which only sums are left."""
        return [day for day, summary in self.summaries.items() if summary.final]

    @property
    def unsummarised(self) -> list[date]:
        """Closed days that have no summary, or one that no longer fits."""
        return [step.day for step in self._to_sum_up() if not self._has_summary(step)]

    @property
    def undetailed(self) -> list[date]:
        """Closed days whose summary fits, but that have no details, or ones that do not fit."""
        return [step.day for step in self._to_sum_up() if self._has_summary(step)]

    def is_at_rest(self, file: DayFile) -> bool:
        """Return whether no writer is at a log file any more."""
        spilled = file.name != day_file_name(file.day)
        if spilled and (self._today - file.day).days <= SPILL_DAYS:
            return False
        return file.day not in self.open

    def is_movable(self, file: DayFile) -> bool:
        """Return whether records may be taken out of a file."""
        return file in self.listing.raw and self.is_at_rest(file) and not self.taken_in(file)

    def may_take(self, day: date) -> bool:
        """Return whether records may be put into the log file of a day.

        One in the future would look like a clock that has jumped; of a final one
        nobody knows the ids.
        """
        summary = self.summaries.get(day)
        return day <= self._today and (summary is None or not summary.final)

    def torn(self) -> list[DayFile]:
        """Return the log files at rest that end in the middle of a line."""
        return [file for file in self.listing.raw if self.is_at_rest(file) and _is_torn(file)]

    def taken_in(self, file: DayFile) -> int:
        """Return how many bytes at the beginning of a log file stand elsewhere already."""
        try:
            return taken_in(file, self._sources(file.day))
        except OSError:
            return 0  # a reader says so

    def _to_sum_up(self) -> list[Step]:
        steps = self._plan.steps
        return [step for step in steps if step.action is Action.SUMMARISE and step.size]

    def _has_summary(self, step: Step) -> bool:
        summary = self.summaries.get(step.day)
        return summary is not None and summary.fits(step.files, self._zone)

    def _sources(self, day: date) -> Sequence[Source]:
        summary, sealed = self.summaries.get(day), self.listing.sealed.get(day)
        sources = summary.sources if summary else ()
        if sealed:
            with suppress(NotOursError):
                sources = (*sources, *open_sealed(sealed)[0].sources)
        return sources


def check_days(days: Days) -> list[Finding]:
    """Return what is to be said of the files of days.

    Raises:
        ListingChangedError: a sealed file is gone, or another, since it was listed.
    """
    return [
        *_torn(days),
        *_spills(days.listing),
        *_summaries(days),
        *_details(days),
        *_taken_in(days),
    ]


def _is_torn(file: DayFile) -> bool:
    try:
        return ends_torn(file)
    except OSError:
        return False  # a reader says so


def _torn(days: Days) -> Iterator[Finding]:
    if torn := days.torn():
        yield Finding.at(
            "torn-tails",
            Weight.WARNING,
            "Files that end in the middle of a line: their writer was killed, or found no room",
            [file.name for file in torn],
            help_="At most that line is lost, which nobody was told is written.",
            fixable=True,
        )


def _spills(listing: Listing) -> Iterator[Finding]:
    spilled = [file for file in listing.raw if file.name != day_file_name(file.day)]
    if spilled:
        days = sorted({file.day for file in spilled})
        yield Finding.at(
            "spill-files",
            Weight.NOTE,
            f"Files of writers that did not get the lock in time, of {_span(days)}",
            [file.name for file in spilled],
            help_="They are read like the others; many of them tell of a slow disk or of stopped "
            "processes.",
        )


def _summaries(days: Days) -> Iterator[Finding]:
    if missing := days.unsummarised:
        yield Finding.at(
            "no-summary",
            Weight.NOTE,
            "Closed days without a summary that fits, so that reports read all their records",
            [str(day) for day in missing],
            help_="`tokenusage rotate` makes them; have cron run it every night.",
            fixable=True,
        )


def _details(days: Days) -> Iterator[Finding]:
    help_ = "`tokenusage rotate` makes them anew; no figure is missing."
    if missing := days.undetailed:
        yield Finding.at(
            "no-details",
            Weight.NOTE,
            "Closed days without details that fit, so that a summary reads all their records",
            [str(day) for day in missing],
            help_=help_,
            fixable=True,
        )
    if damaged := [file.name for file in damaged_details(days.listing)]:
        yield Finding.at(
            "damaged-details",
            Weight.NOTE,
            "Details that can't be read, so that a summary reads the records of their days",
            damaged,
            help_="Remove them: " + help_,
            fixable=True,
        )


def _taken_in(days: Days) -> Iterator[Finding]:
    files = [file for file in days.listing.raw if file.size]
    if left := [file.name for file in files if days.taken_in(file) == file.size]:
        yield Finding.at(
            "taken-in",
            Weight.NOTE,
            "Files that a killed run has put into a sealed file or final summary, but not removed",
            left,
            help_="They count once; the next `tokenusage rotate` removes them.",
            fixable=True,
        )


def _span(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{len(days)} days from {days[0]} to {days[-1]}"
