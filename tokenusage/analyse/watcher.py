"""A log directory and a window over it, looked at again and again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Period, Query
from tokenusage.analyse.report import Figures
from tokenusage.analyse.window import Look, Window
from tokenusage.errors import LogsError
from tokenusage.read.forms import Plan
from tokenusage.read.live import Live
from tokenusage.read.segments import LISTINGS, ListingChangedError


class Watcher:
    """Looks at the calls of the last while; a context manager that closes the log files.

    Args:
        logs: the log directory, which may not be there yet.
        filters: which calls count.
        span: how long the window is.
        naive_zone: the zone of timestamps that have none.
    """

    def __init__(
        self, logs: Path, filters: Filters, span: timedelta, *, naive_zone: tzinfo
    ) -> None:
        self._logs = logs
        self._filters = filters
        self._span = span
        self._naive_zone = naive_zone
        self._live: Live | None = None
        self._window: Window | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        if self._live is not None:
            self._live.close()

    def look(self, now: datetime) -> Look:
        """Read what was appended since the last look, and return the figures of the present.

        The first look reads what the window needs. So does one that finds that what was
        read has been changed, as when a user was forgotten; then nothing is new.

        Raises:
            LogsError: the directory or a file can't be read.
            WrongUseError: a filter compares a number with something that is none.
        """
        for _ in range(LISTINGS):
            try:
                if self._live is None or self._window is None:
                    return self._begin(now)
                self._window.advance(now)
                for records, account in self._live.look(self._first_day(now)):
                    self._window.take(records, account)
                return _with_files(self._window.look(), self._live)
            except ListingChangedError:
                self.__exit__()
                self._live = None
        raise LogsError(
            f"The files in {str(self._logs)!r} change faster than they can be read: try again."
        )

    def _begin(self, now: datetime) -> Look:
        live = Live(self._logs, self._plan(now))
        self._live, self._window = live, Window(self._span, self._filters, now)
        for records, account in live.catch_up():
            self._window.take(records, account)
        return replace(_with_files(self._window.look(), live), new=Figures())

    def _plan(self, now: datetime) -> Plan:
        period = Period(now - 2 * self._span, now, ZoneInfo("UTC"), "UTC", "window")
        return plan(Query(period, self._filters), naive_zone=self._naive_zone, now=now)

    def _first_day(self, now: datetime) -> date:
        return self._plan(now).first or now.astimezone(UTC).date()


def _with_files(look: Look, live: Live) -> Look:
    look.ledger.files, look.ledger.bytes = live.files, live.bytes
    return look
