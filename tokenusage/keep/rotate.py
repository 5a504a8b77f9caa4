"""Rotation: summaries and details for closed days, and what the user wants done with their records.

A run may be killed at any moment. Nothing is removed before what takes its place is
whole, compared and on the disk, and names what it took in: readers don't count that
twice, and the next run removes it.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import Final

from tokenusage.errors import LogsError, TokenUsageError
from tokenusage.files import sync
from tokenusage.keep.ahead import DaysAhead
from tokenusage.keep.hold import hold
from tokenusage.keep.lock import keeping
from tokenusage.keep.outcome import Outcome, Result
from tokenusage.keep.plan import Action, Plan, Step, Wishes, is_raw, make_plan
from tokenusage.keep.removal import finish_killed_run, remove_day, remove_temporaries
from tokenusage.keep.seal.day import seal
from tokenusage.keep.sums.detailed import Details, detailed_days, tidy_details, write_details
from tokenusage.keep.sums.final import final_summary, summary_of
from tokenusage.keep.sums.months import Summary, read_summary, summarised_days, write_month
from tokenusage.keep.sums.summarise import DaySums, summarise
from tokenusage.keep.waiting import Waiting, is_due
from tokenusage.logs import DayFile, list_logs
from tokenusage.read.ledger import Account
from tokenusage.read.parquet import NotOursError
from tokenusage.read.segments import ListingChangedError, ends_torn
from tokenusage.read.sources import Source, digest_of

_FAILURES: Final = (TokenUsageError, OSError, NotOursError)

Watch = Callable[[int], AbstractContextManager[Callable[[int], None] | None]]
"""Given how many bytes there are to read, gives what is told of those that were read."""


def plan_rotation(logs: Path, *, now: datetime, naive_zone: tzinfo, wishes: Wishes) -> Plan:
    """Return what a rotation would do now; changes nothing.

    Raises:
        LogsError: the directory can't be read.
    """
    for _ in range(3):
        listing = list_logs(logs)
        try:
            summaries, details = summarised_days(listing), detailed_days(listing)
        except ListingChangedError:
            continue  # another rotation is at work
        return make_plan(listing, summaries, details, now=now, zone=naive_zone, wishes=wishes)
    raise LogsError(f"The files in {str(logs)!r} change faster than they can be read: try again.")


def rotate(
    logs: Path,
    *,
    now: datetime,
    naive_zone: tzinfo,
    wishes: Wishes,
    watch: Watch = lambda _total: nullcontext(),
) -> Outcome:
    """Rotate a log directory; what goes wrong with one day does not stop the others.

    Args:
        logs: the log directory.
        now: the clock, with a zone.
        naive_zone: of timestamps that have none.
        wishes: what may be done with records.
        watch: told of the progress.

    Raises:
        BusyError: another process is changing the directory.
        LogsError: the directory can't be read or locked.
        OSError: what a killed run has left can't be removed.
    """
    list_logs(logs)  # says it best where there is none
    with keeping(logs):
        remove_temporaries(logs)
        rotation = _Rotation(logs, now.astimezone(UTC).date(), naive_zone)
        rotation.finish_killed_run()
        plan = plan_rotation(logs, now=now, naive_zone=naive_zone, wishes=wishes)
        total = sum(step.size for step in plan.steps if step.action is not Action.LEAVE)
        with watch(total) as rotation.advance:
            rotation.apply(plan.steps)
    results = sorted(rotation.results, key=lambda result: result.day)
    return Outcome(tuple(results), plan.doubt)


class _Rotation:
    """One rotation of a directory whose lock is held."""

    def __init__(self, logs: Path, today: date, zone: tzinfo) -> None:
        self.results: list[Result] = []
        self.advance: Callable[[int], None] | None = None
        self._logs = logs
        self._today = today
        self._zone = zone
        self._waiting: list[Waiting] = []

    def finish_killed_run(self) -> None:
        """Remove what is in a sealed file or a final summary already."""
        for files, error in finish_killed_run(self._logs):
            self._stop(files[0].day, files, error)

    def apply(self, steps: Sequence[Step]) -> None:
        """Do what is planned: what is to be sealed first, then the sums and what waits for them."""
        with DaysAhead(self.advance) as days:
            left = self._seal([step for step in steps if step.action is Action.SEAL], days)
            left += [step for step in steps if step.action is not Action.SEAL]
            self.results += [Result.left(step) for step in left if step.action is Action.LEAVE]
            wanted = [step for step in left if step.action is not Action.LEAVE]
            summarise_day = partial(
                summarise,
                self._logs,
                naive_zone=self._zone,
                today=self._today,
                advance=days.tell,
            )
            for step, summed in days.each(sorted(wanted, key=lambda step: step.day), summarise_day):
                if self._waiting and is_due(self._waiting, step.day):
                    self._write_waiting()
                self._sum_up(step, summed)
        if self._waiting:
            self._write_waiting()
        for file, error in tidy_details(self._logs, self._zone):
            self._stop(file.day, (), error)

    def _sum_up(self, step: Step, summed: Callable[[], DaySums]) -> None:
        try:
            sums = summed()
            removes = step.action is Action.REMOVE
            summary = self._final(sums) if removes else summary_of(sums)
            details = None if removes else Details.of(sums)
        except (ListingChangedError, *_FAILURES) as error:
            self._stop(step.day, step.files, error)
            return
        if not any(file.size for file in sums.files):
            # A summary of nothing would be final, and keep late records out for ever.
            if removes:
                self._remove_empty(step)
            return
        after = 0 if removes else sum(file.size for file in sums.files)
        result = Result(step.day, step.action, step.size, after, _records(sums.account), step.why)
        self._waiting.append(Waiting(summary, details, sums.files, result))

    def _remove_empty(self, step: Step) -> None:
        try:
            with hold([file for file in step.files if is_raw(file)]):
                remove_day(self._logs, step.day, step.files)
                sync(self._logs)
        except (ListingChangedError, *_FAILURES) as error:
            self._stop(step.day, step.files, error)
        else:
            self.results.append(Result(step.day, step.action, 0, 0, 0))

    def _seal(self, steps: Sequence[Step], days: DaysAhead) -> list[Step]:
        """Seal days; return what is left to do with each."""
        whole = [step for step in steps if not self._may_be_in_flight(step)]
        why = "its last line may still be being written"
        left = [
            replace(step, action=Action.SUMMARISE, why=why) for step in steps if step not in whole
        ]
        seal_day = partial(seal, self._logs, naive_zone=self._zone, advance=days.tell)
        for step, sealed in days.each(whole, seal_day):
            try:
                sealed()
            except (ListingChangedError, *_FAILURES) as error:
                self._stop(step.day, step.files, error)
                left.append(replace(step, action=Action.SUMMARISE))
            else:
                left.append(step)
        return left

    def _may_be_in_flight(self, step: Step) -> bool:
        """Return whether somebody may still be writing the last line of a day."""
        raw = filter(is_raw, step.files)
        return step.day >= self._today - timedelta(days=1) and any(map(ends_torn, raw))

    def _final(self, sums: DaySums) -> Summary:
        """Return the final summary of a day that is going to be removed."""
        sources = tuple(
            Source(file.name, file.inode, file.size, digest_of(file.path, file.size))
            for file in sums.files
        )
        return final_summary(sums, sources, read_summary(self._logs, sums.day))

    def _write_waiting(self) -> None:
        """Write the month of the days that wait, and then remove what is to be removed."""
        waiting, self._waiting = self._waiting, []
        with ExitStack() as held:
            ready = [one for one in waiting if not one.removes or self._holds(one, held)]
            if not ready:
                return
            try:
                like = ready[-1].files[-1].path.stat()
                write_month(self._logs, [one.summary for one in ready], like)
            except _FAILURES as error:
                for one in ready:
                    self._stop(one.result.day, one.files, error)
                return
            failure = self._write_details(ready, like)
            for one in ready:
                if failure and not one.removes:
                    self._stop(one.result.day, one.files, failure)
                else:
                    self._finish(one)

    def _write_details(self, ready: Sequence[Waiting], like: os.stat_result) -> Exception | None:
        """Write the details of the days whose records stay; return what came between."""
        changes = [one.details for one in ready if one.details]
        leaving = {one.result.day for one in ready if one.removes}
        try:
            write_details(self._logs, changes, like, self._zone, leaving=leaving)
        except (ListingChangedError, *_FAILURES) as error:
            return error
        return None

    def _holds(self, one: Waiting, held: ExitStack) -> bool:
        """Hold the log files of a day, and return whether its files are as they were summed up."""
        try:
            held.enter_context(hold([file for file in one.files if is_raw(file)]))
            _check_unchanged(one.files)
        except (ListingChangedError, *_FAILURES) as error:
            self._stop(one.result.day, one.files, error)
            return False
        return True

    def _finish(self, one: Waiting) -> None:
        try:
            if one.removes:
                remove_day(self._logs, one.result.day, one.files)
                sync(self._logs)
        except OSError as error:
            self._stop(one.result.day, one.files, error)
        else:
            self.results.append(one.result)

    def _stop(self, day: date, files: Iterable[DayFile], error: Exception) -> None:
        self.results.append(Result.stopped(day, sum(file.size for file in files), error))


def _check_unchanged(files: Iterable[DayFile]) -> None:
    """Make sure that files are as they were listed, to the nanosecond.

    Raises:
        ListingChangedError: one is not.
        OSError: one is gone.
    """
    for file in files:
        status = file.path.lstat()
        stamp = (status.st_mtime_ns, status.st_ctime_ns)
        if (status.st_ino, status.st_size, stamp) != (file.inode, file.size, file.stamp):
            raise ListingChangedError(file.name)


def _records(account: Account) -> int:
    return account.lines - account.blank - account.rejected - account.duplicates
