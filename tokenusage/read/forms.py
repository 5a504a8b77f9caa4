"""Which form of each day is read: its sums, its records, or both.

A day is its log files, or a sealed file, or both where records came late; and
beside them its summary, and its details. What a sealed file or a final summary has taken in already
is not read a second time.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path

from tokenusage.errors import LogsError
from tokenusage.logs import DayFile, Listing, list_logs
from tokenusage.read.details import DetailsDay, DetailsMonth
from tokenusage.read.ledger import Account
from tokenusage.read.parquet import NotOursError
from tokenusage.read.sealed import RowGroup, open_sealed
from tokenusage.read.segments import LISTINGS, ListingChangedError, Segment, segments
from tokenusage.read.sources import Source, taken_in
from tokenusage.read.summaries import Month, SummaryDay

Piece = Segment | RowGroup


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be read."""

    first: date | None
    """First UTC day whose files are opened; None is all before."""
    last: date | None
    """Last one; None is all after."""
    fields: tuple[str, ...]
    """Fields that are asked for by name, from `columns.fields_of`."""
    naive_zone: tzinfo
    """Zone of timestamps that have none."""
    today: date
    """The UTC day: an unterminated last line of it or the day before is in flight."""
    summaries: bool = False
    """Whether summaries can answer the question, as far as it is of whole UTC days."""
    whole_days: bool = False
    """Whether it is: then no records are wanted of a day that has a summary."""
    split: frozenset[date] = frozenset()
    """Days that it divides even so: their records are wanted."""
    details: bool = False
    """Whether what summaries leave out is wanted too: a day is read by its sums only if its
    details fit as well."""

    def covers(self, day: date) -> bool:
        """Return whether the files of a UTC day are opened."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(slots=True)
class Forms:
    """What is read of a listed directory."""

    listed: list[DayFile] = field(default_factory=list)
    """All log files and sealed files of the days that are read, in order of name."""
    pieces: list[Piece] = field(default_factory=list)
    """Records: in order of day; in a day what is sealed first, then by file name."""
    files: int = 0
    """Files that are read, or that a summary stands for."""
    size: int = 0
    """Bytes of the pieces."""
    summarised: int = 0
    """Bytes of the files that a summary stands for."""
    account: Account = field(default_factory=Account)
    """What became of the lines that the sealed files among them were made from."""
    months: list[tuple[DayFile, list[SummaryDay]]] = field(default_factory=list)
    """The summaries that are read instead of records."""
    details: list[tuple[DayFile, list[DetailsDay]]] = field(default_factory=list)
    """The details of those days, where the plan wants them; a final one has none."""
    unanswered: list[date] = field(default_factory=list)
    """Days of which only summaries are left, which can't answer the question."""
    refused: list[str] = field(default_factory=list)
    """A sentence for each file that is not read at all, or not to its end."""
    damaged: list[str] = field(default_factory=list)
    """Those of them that are of sealed files, whose records are missing."""

    @property
    def only_sums(self) -> set[date]:
        """Days that are read by their sums because nothing else is left of them."""
        return {of_day.day for _, days in self.months for of_day in days if of_day.final}

    def miss(self, error: NotOursError) -> None:
        """Note that records of a sealed file can't be read."""
        sentence = f"{error}: not all of it was read; bring it back from a backup"
        if sentence not in self.damaged:
            self.damaged.append(sentence)
            self.refused.append(sentence)


def look(logs: Path, plan: Plan) -> tuple[Listing, Forms]:
    """List a directory, and choose what is read of it, until both are of one state.

    Raises:
        LogsError: it can't be read, or changes faster than that.
    """
    for _ in range(LISTINGS):
        listing = list_logs(logs)
        try:
            return listing, choose(listing, plan)
        except ListingChangedError:
            continue
    raise LogsError(f"The files in {str(logs)!r} change faster than they can be read: try again.")


def choose(listing: Listing, plan: Plan) -> Forms:
    """Choose the cheapest form of each day that can answer the question.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
        LogsError: a log file can't be read.
    """
    forms = Forms(refused=list(listing.refused))
    summaries = _summaries(listing, plan, forms)
    details = _details(listing, plan)
    files: dict[date, list[DayFile]] = {day: [] for day in summaries}
    for file in (*listing.sealed.values(), *listing.raw):
        if plan.covers(file.day):
            files.setdefault(file.day, []).append(file)
    forms.listed = sorted(file for of_day in files.values() for file in of_day)
    for day in sorted(files):
        _choose_day(sorted(files[day]), summaries.get(day), details.get(day), plan, forms)
    return forms


def _summaries(
    listing: Listing, plan: Plan, forms: Forms
) -> dict[date, tuple[DayFile, SummaryDay]]:
    """Return the summary of each day that the plan covers, with the file that holds it."""
    found: dict[date, tuple[DayFile, SummaryDay]] = {}
    for file in _months(listing.summaries, plan):
        try:
            with Month(file) as month:
                of_month = {day: (file, summary) for day, summary in month.days.items()}
        except NotOursError as error:
            forms.refused.append(f"{error}: it was not read")
        else:
            found |= {day: pair for day, pair in of_month.items() if plan.covers(day)}
    return found


def _details(listing: Listing, plan: Plan) -> dict[date, tuple[DayFile, DetailsDay]]:
    """Return the details of each day that has some, where they are wanted."""
    found: dict[date, tuple[DayFile, DetailsDay]] = {}
    for file in _months(listing.details, plan) if plan.details else []:
        # Of a damaged month the records are read: nothing is missing then.
        with suppress(NotOursError), DetailsMonth(file) as month:
            some = [of_day for of_day in month.days.values() if of_day.rows is not None]
            found |= {of_day.day: (file, of_day) for of_day in some}
    return found


def _months(files: Sequence[DayFile], plan: Plan) -> list[DayFile]:
    """Return the files of the months of which the plan covers a day."""
    first = plan.first and plan.first.replace(day=1)
    return [
        file
        for file in files
        if (first is None or first <= file.day) and (plan.last is None or file.day <= plan.last)
    ]


def _choose_day(
    files: Sequence[DayFile],
    summary: tuple[DayFile, SummaryDay] | None,
    details: tuple[DayFile, DetailsDay] | None,
    plan: Plan,
    forms: Forms,
) -> None:
    sources: tuple[Source, ...] = ()
    if summary is not None:
        month, of_day = summary
        whole = plan.whole_days and of_day.day not in plan.split
        fits = plan.summaries and whole and of_day.fits(files, plan.naive_zone)
        if fits and plan.details:
            fits = details is not None and details[1].fits(files, plan.naive_zone)
        if fits or (of_day.final and plan.summaries):
            _add_summary(month, of_day, forms)
        elif of_day.final:
            forms.unanswered.append(of_day.day)
        if fits:
            _add_details(details, forms)
            return
        sources = of_day.sources
    _add_records(files, sources, forms)


def _add_summary(month: DayFile, of_day: SummaryDay, forms: Forms) -> None:
    if not forms.months or forms.months[-1][0] != month:
        forms.months.append((month, []))
    forms.months[-1][1].append(of_day)
    forms.files += len(of_day.files)
    forms.summarised += sum(file.size for file in of_day.files)


def _add_details(details: tuple[DayFile, DetailsDay] | None, forms: Forms) -> None:
    if details is None:
        return
    month, of_day = details
    if not forms.details or forms.details[-1][0] != month:
        forms.details.append((month, []))
    forms.details[-1][1].append(of_day)


def _add_records(files: Sequence[DayFile], sources: Sequence[Source], forms: Forms) -> None:
    """Add what of a day's files is not in `sources` already."""
    raw = [file for file in files if file.name.endswith(".jsonl")]
    for file in files:
        if file in raw or 0 < _taken(file, sources) == file.size:
            continue
        try:
            footer, groups = open_sealed(file)
        except NotOursError as error:
            forms.miss(error)
            continue
        forms.pieces += groups
        forms.account.add(footer.account)
        forms.files += 1
        forms.size += file.size
        sources = [*sources, *footer.sources]
    for file in raw:
        start = _taken(file, sources)
        if 0 < start == file.size:
            continue
        forms.pieces += segments(file, start)
        forms.files += 1
        forms.size += file.size - start


def _taken(file: DayFile, sources: Sequence[Source]) -> int:
    try:
        return taken_in(file, sources)
    except OSError as error:
        if _has_gone(file):
            raise ListingChangedError(file.name) from error
        raise LogsError(f"{str(file.path)!r} can't be read: {error.strerror}.") from error


def _has_gone(file: DayFile) -> bool:
    """Return whether what was listed is not there any more: who took it in has removed it."""
    try:
        status = file.path.lstat()
    except FileNotFoundError:
        return True
    return status.st_ino != file.inode or status.st_size < file.size


def newest_day(listing: Listing) -> date | None:
    """Return the newest day that has records or, where none has, a summary."""
    days = [file.day for file in (*listing.raw, *listing.sealed.values()) if file.size]
    if days or not listing.summaries:
        return max(days, default=None)
    try:
        with Month(listing.summaries[-1]) as month:
            return max((day for day, of_day in month.days.items() if of_day.rows), default=None)
    except NotOursError:
        return None
