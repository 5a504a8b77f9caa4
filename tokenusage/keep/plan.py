"""What is to be done with each day of a log directory; decided here, done in `rotate`.

Everything is decided by the dates in the names of files, never by when a file was
changed. Nothing is done with a day before it is over for `GRACE`: a clock that is
slow somewhere, or a call that ends late, may still write to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

from tokenusage.errors import WrongUseError
from tokenusage.logs import DayFile, Listing, day_file_name
from tokenusage.read.details import DetailsDay
from tokenusage.read.summaries import SummaryDay

GRACE: Final = timedelta(hours=1)

SPILL_DAYS: Final = 2
"""Whole days for which a spill file is left alone: its writer has no lock that could be asked."""

LARGEST_GAP: Final = timedelta(days=7)
"""A larger one, between logged days or to the clock, may be a clock that has jumped."""


class Action(StrEnum):
    """The most that is done with a day; each takes in those before it."""

    LEAVE = "leave"
    SUMMARISE = "summarise"
    SEAL = "seal"
    """Then its summary is of the sealed file."""
    REMOVE = "remove"
    """Once its summary is final; it is not sealed before."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user allows to be done with the records.

    Raises:
        WrongUseError: a number is below the least that it can be.
    """

    keep_days: int | None = None
    """Days before today of which records are kept; None keeps all."""
    seal_after: int | None = None
    """Days before today that are not sealed yet; None seals none."""
    force: bool = False
    """Whether a clock that may have jumped is trusted."""

    def __post_init__(self) -> None:
        if self.keep_days is not None and self.keep_days < 1:
            raise WrongUseError(f"--keep-days must be 1 or more, not {self.keep_days}.")
        if self.seal_after is not None and self.seal_after < 0:
            raise WrongUseError(f"--seal-after must be 0 or more, not {self.seal_after}.")


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with one day."""

    day: date
    action: Action
    files: tuple[DayFile, ...]
    """Its log files and sealed file, in order of name."""
    why: str = ""
    """Why no more is done, as a sentence without its end; empty where nothing more is wanted."""

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, oldest day first; a day of which nothing is wanted is not named."""

    steps: tuple[Step, ...]
    open_days: tuple[date, ...] = ()
    """Days that are not over for `GRACE`, which nobody touches."""
    doubt: str = ""
    """A sentence on the clock, where it keeps days from being sealed or removed."""


def make_plan(
    listing: Listing,
    summaries: Mapping[date, SummaryDay],
    details: Mapping[date, DetailsDay],
    *,
    now: datetime,
    zone: tzinfo,
    wishes: Wishes,
) -> Plan:
    """Return what is to be done.

    Args:
        listing: the directory.
        summaries: what its summaries hold, by day.
        details: what its details hold, by day.
        now: the clock, with a zone.
        zone: of timestamps that have none.
        wishes: what the user allows.
    """
    now = now.astimezone(UTC)
    files = files_by_day(listing)
    logged = {day for day, group in files.items() if any(file.size for file in group)}
    doubt = "" if wishes.force else _doubt(logged | summaries.keys(), now.date())
    # Not by the end of a day, which the last of all days does not have.
    over = now - timedelta(days=1) - GRACE
    is_open = {day: datetime.combine(day, time(), UTC) > over for day in sorted(files)}
    rules = _Rules(now.date(), zone, wishes, doubt)
    steps = [
        step
        for day, open_ in is_open.items()
        if not open_ and (step := rules.step(day, files[day], summaries.get(day), details.get(day)))
    ]
    open_days = tuple(day for day, open_ in is_open.items() if open_)
    return Plan(tuple(steps), open_days, doubt if rules.doubted else "")


def files_by_day(listing: Listing) -> dict[date, tuple[DayFile, ...]]:
    """Return the log files and the sealed file of each day, in order of name."""
    days: dict[date, list[DayFile]] = {}
    for file in (*listing.raw, *listing.sealed.values()):
        days.setdefault(file.day, []).append(file)
    return {day: tuple(sorted(group)) for day, group in days.items()}


def is_raw(file: DayFile) -> bool:
    """Return whether a day's file is a log file, not its sealed file."""
    return file.name.endswith(".jsonl")


class _Rules:
    """The rules for a day, with what they are asked of in common."""

    def __init__(self, today: date, zone: tzinfo, wishes: Wishes, doubt: str) -> None:
        self.today = today
        self.zone = zone
        self.wishes = wishes
        self.doubt = doubt
        self.doubted = False
        """Whether the doubt has kept a day from anything."""

    def step(
        self,
        day: date,
        files: tuple[DayFile, ...],
        summary: SummaryDay | None,
        details: DetailsDay | None,
    ) -> Step | None:
        """Return what is to be done with a closed day that has files; None for nothing."""
        final = summary is not None and summary.final
        wanted = self._wanted(day, files, final=final)
        why = self._obstacle(day, files) if wanted else ""
        if wanted and not why:
            return Step(day, wanted, files)
        if final:
            late = "only its sums are left; what came later stays until --keep-days removes it"
            return Step(day, Action.LEAVE, files, why or late)
        if not all(of_day and of_day.fits(files, self.zone) for of_day in (summary, details)):
            return Step(day, Action.SUMMARISE, files, why)
        return Step(day, Action.LEAVE, files, why) if why else None

    def _wanted(self, day: date, files: tuple[DayFile, ...], *, final: bool) -> Action | None:
        """Return what the user wants done with the records of a closed day."""
        keep, seal = self.wishes.keep_days, self.wishes.seal_after
        age = (self.today - day).days
        if keep is not None and age > keep:
            return Action.REMOVE
        if seal is not None and age > seal and not final and any(map(is_raw, files)):
            return Action.SEAL
        return None

    def _obstacle(self, day: date, files: tuple[DayFile, ...]) -> str:
        """Return why the records of a day can't be touched yet; empty where they can."""
        if self.doubt:
            self.doubted = True
            return "the clock may have jumped"
        spilled = any(is_raw(file) and file.name != day_file_name(day) for file in files)
        if spilled and (self.today - day).days <= SPILL_DAYS:
            until = day + timedelta(days=SPILL_DAYS + 1)
            return f"a writer without lock may still be at its file, until {until}"
        return ""


def _doubt(logged: set[date], today: date) -> str:
    """Return why the clock may be wrong, as a sentence; empty where it is not in doubt."""
    if not logged:
        return ""
    *_, newest = days = sorted(logged)
    gaps = [(abs(today - newest), f"newest logged day, {newest}, and the clock's, {today}")]
    if len(days) > 1:
        gaps.append((newest - days[-2], f"newest logged days, {days[-2]} and {newest}"))
    for gap, between in gaps:
        if gap > LARGEST_GAP:
            return (
                f"Nothing is sealed or removed: {gap.days} days lie between the {between}. "
                "If no clock has jumped, use --force."
            )
    return ""
