"""Forgetting a person in a whole log directory.

What names them is looked for first, and with it their e-mail addresses; lines that are
no records may name them by those alone. So such lines go before the records do: where
a run was killed, the next one still finds the addresses. The sums go last. Details, which
hold sessions but no users, can't tell whose they are: whole months of them go first, and
the next rotation makes them anew.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from tokenusage.errors import LogsError, TokenUsageError, WrongUseError
from tokenusage.files import TEMPORARY_PREFIX, sync
from tokenusage.keep.forget.outcome import Form, Found, Left, Outcome
from tokenusage.keep.forget.person import Person
from tokenusage.keep.forget.places import Place, find_places, unknown_names
from tokenusage.keep.forget.scrub import Scrub, Seen
from tokenusage.keep.forget.sums import MonthSeen, look_at_month, rewrite_month
from tokenusage.keep.lock import keeping
from tokenusage.keep.outcome import sentence
from tokenusage.keep.plan import SPILL_DAYS
from tokenusage.keep.removal import finish_killed_run, remove_temporaries
from tokenusage.keep.sums.detailed import outdated_details
from tokenusage.logs import DayFile, list_logs
from tokenusage.read.parquet import NotOursError
from tokenusage.read.pool import threads
from tokenusage.read.segments import LISTINGS, ListingChangedError
from tokenusage.write.mounts import locks_work

_FAILURES: Final = (TokenUsageError, OSError, NotOursError, ListingChangedError)

Watch = Callable[[str, int], AbstractContextManager[Callable[[int], None] | None]]
"""Given what is done and to how many bytes, gives what is told of those that are done."""


def forget(
    logs: Path,
    user: str,
    *,
    delete: bool,
    dry_run: bool,
    now: datetime,
    naive_zone: tzinfo,
    watch: Watch = lambda _what, _total: nullcontext(),
) -> Outcome:
    """Take a person out of every file of a log directory; what goes wrong stops no other file.

    Their id becomes a pseudonym, another one in each run, that is kept nowhere else.

    Args:
        logs: the log directory.
        user: the person's id as text.
        delete: whether their records are dropped instead.
        dry_run: whether they are only looked for.
        now: the clock, with a zone.
        naive_zone: of timestamps that have none.
        watch: told of the progress.

    Raises:
        WrongUseError: the id is empty.
        BusyError: another process is changing the directory.
        LogsError: the directory can't be read or locked.
        OSError: what a killed run has left can't be removed.
    """
    if not user:
        raise WrongUseError(
            "--user has to name somebody: records without a user, or with an empty one, are "
            "nobody's, and can't be told apart."
        )
    list_logs(logs)  # says it best where there is none
    person = Person(user, None if delete else f"forgotten-{secrets.token_hex(4)}")
    pool = ThreadPoolExecutor(threads())
    with ExitStack() as stack:
        stack.callback(pool.shutdown, cancel_futures=True)
        today = now.astimezone(UTC).date()
        run = _Run(logs, Scrub(person, naive_zone), today, pool, watch)
        if dry_run:
            run.look()
        else:
            stack.enter_context(keeping(logs))
            remove_temporaries(logs)
            run.finish_killed_run()
            run.look()
            run.change()
    return run.outcome()


class _Run:
    """One run over a directory."""

    def __init__(
        self, logs: Path, scrub: Scrub, today: date, pool: ThreadPoolExecutor, watch: Watch
    ) -> None:
        self._logs = logs
        self._scrub = scrub
        self._today = today
        self._pool = pool
        self._watch = watch
        self._locking = locks_work(logs)
        self._found: list[tuple[Place, Seen]] = []
        self._months: list[MonthSeen] = []
        self._left: dict[str, str] = {}
        """Why each file is left, by its name."""
        self._refused: tuple[str, ...] = ()

    def finish_killed_run(self) -> None:
        """Remove what is in a sealed file or a final summary already."""
        for files, error in finish_killed_run(self._logs):
            self._leave(files[0].name, error)

    def look(self) -> None:
        """Look for the person everywhere, and for their addresses where those may be."""
        listing = list_logs(self._logs)
        self._refused = listing.refused
        months = map(self._look_at_month, listing.summaries)
        self._months = [month for month in months if month is not None]
        emails = {email for month in self._months for email in month.emails}
        places = self._find_places()
        with self._watch("Looking", sum(place.file.size for place in places)) as advance:
            for place in places:
                seen = self._look(place)
                if seen is not None:
                    emails |= seen.emails
                    self._found.append((place, seen))
                if advance:
                    advance(place.file.size)
        if emails:
            self._look_for(emails)

    def _look_for(self, emails: set[str]) -> None:
        """Look once more where the person's addresses may be."""
        self._scrub = self._scrub.knowing(emails)
        self._months = [self._look_at_month(month.file) or month for month in self._months]
        self._found = [
            (place, (seen.depends_on_emails and self._look(place)) or seen)
            for place, seen in self._found
        ]

    def change(self) -> None:
        """Take the person out of all that was found."""
        self._remove_details()
        seen = {place.file.name: seen for place, seen in self._found}
        named = [place for place, seen in self._found if seen.named]
        places = [place for place, _ in self._found]
        if len(named) > 1:
            self._rewrite(named, self._scrub.for_lines())
            places = self._find_places()
        changing = [
            place
            for place in places
            if place.has_to_change or seen.get(place.file.name, Seen()).has_any
        ]
        changing.sort(key=lambda place: place not in named)
        self._rewrite(changing, self._scrub)
        for month in self._months:
            if month.final or month.stale:
                try:
                    rewrite_month(self._logs, month, self._scrub.person)
                except _FAILURES as error:
                    self._leave(month.file.name, error)

    def _remove_details(self) -> None:
        """Remove the details of each month in which anything was found, or may be.

        What was made from files that have changed since may hold what is in none of them
        any more. One that stays would hold what is gone from everywhere else, so that no later run
        would look for it: it stops this one.

        Raises:
            LogsError: a file can't be removed; nothing else was changed.
        """
        listing = list_logs(self._logs)
        days = {place.file.day for place, seen in self._found if seen.has_any}
        files = (*listing.raw, *listing.parquet)
        days |= {file.day for file in files if file.name in self._left}
        months = {day.replace(day=1) for day in days}
        months |= {file.day for file in outdated_details(listing, self._scrub.naive_zone)}
        for file in listing.details:
            if file.day in months:
                try:
                    file.path.unlink()
                    sync(self._logs)
                except OSError as error:
                    raise LogsError(
                        f"{str(file.path)!r} can't be removed, so nothing was changed: "
                        f"{error.strerror}."
                    ) from error

    def outcome(self) -> Outcome:
        """Return what was found: what is forgotten or, in a dry run, would be, and what stays."""
        found = [
            (place.file.name, Found(place.form, place.file.day, seen.records, seen.named))
            for place, seen in self._found
            if seen.has_any
        ]
        found += [
            (month.file.name, Found(Form.SUMS, day, records))
            for month in self._months
            for day, records in month.final.items()
        ]
        stale = [(month.file.name, day) for month in self._months for day in month.stale]
        addressed = sum(seen.addressed for _, seen in self._found)
        left = [
            Left(
                why,
                records=sum(one.records for at, one in found if at == name),
                rejected=sum(one.rejected for at, one in found if at == name),
                sums=sum(at == name for at, _ in stale),
            )
            for name, why in sorted(self._left.items())
        ]
        return Outcome(
            found=tuple(one for name, one in found if name not in self._left),
            stale=tuple(day for name, day in stale if name not in self._left),
            left=(*left, *map(Left, self._refused)),
            addressed=addressed + sum(month.addressed for month in self._months),
            unknown=tuple(unknown_names(self._logs)),
        )

    def _find_places(self) -> list[Place]:
        for _ in range(LISTINGS):
            try:
                places, left = find_places(list_logs(self._logs), self._pool)
            except ListingChangedError:
                continue  # only a dry run has others beside it
            for name, error in left.items():
                self._leave(name, error)
            return places
        raise LogsError(f"The files in {str(self._logs)!r} change faster than they can be read.")

    def _look_at_month(self, file: DayFile) -> MonthSeen | None:
        try:
            return look_at_month(file, self._scrub.person)
        except _FAILURES as error:
            self._leave(file.name, error)
            return None

    def _look(self, place: Place) -> Seen | None:
        try:
            seen = place.look(self._scrub)
        except _FAILURES as error:
            self._leave(place.file.name, error)
            return None
        until = place.file.day + timedelta(days=SPILL_DAYS)
        if seen.has_any and place.form is Form.LOG and not self._locking and self._today <= until:
            self._left[place.file.name] = (
                f"{place.file.name}: there are no locks on this file system, and a writer may "
                f"still be at it, until {until + timedelta(days=1)}"
            )
        return seen

    def _rewrite(self, places: Sequence[Place], scrub: Scrub) -> None:
        with self._watch("Forgetting", sum(place.file.size for place in places)) as advance:
            for place in places:
                if place.file.name not in self._left:
                    try:
                        place.rewrite(scrub)
                    except _FAILURES as error:
                        self._leave(place.file.name, error)
                if advance:
                    advance(place.file.size)

    def _leave(self, name: str, error: Exception) -> None:
        self._left[name] = _why(name, error)


def _why(name: str, error: Exception) -> str:
    """Return why a file is left, as a sentence that begins with its name."""
    if isinstance(error, ListingChangedError):
        why = "it was replaced meanwhile"
    elif isinstance(error, OSError) and TEMPORARY_PREFIX in os.fsdecode(error.filename or ""):
        why = error.strerror or str(error)  # whoever reads it knows no temporary file
    else:
        why = sentence(error)
    return why if why.startswith(name) else f"{name}: {why}"
