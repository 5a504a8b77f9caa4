"""A log directory and a window over it, looked at again and again."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Period, Query
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
        self._before: datetime | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self._stop()

    def look(self, now: datetime) -> Look:
        """Read what was appended since the last look, and return the figures of the present.

        The first look reads what the window needs. So does one that finds that what was
        read has been changed, as when a user was forgotten, or that the clock was set back.

        Raises:
            LogsError: the directory or a file can't be read.
            WrongUseError: a filter compares a number with something that is none.
        """
        for _ in range(LISTINGS):
            try:
                look = self._look(now)
            except ListingChangedError:
                self._stop()
            else:
                self._before = now
                return look
        raise LogsError(
            f"The files in {str(self._logs)!r} change faster than they can be read: try again."
        )

    def _look(self, now: datetime) -> Look:
        if self._before and self._window and now < self._before - self._window.bucket:
            self._stop()
        live, window = self._live, self._window
        anew = live is None or window is None
        if live is None or window is None:
            self._live = live = Live(self._logs, self._plan(now))
            self._window = window = Window(self._span, self._filters, now, self._before)
            found = live.catch_up()
        else:
            window.advance(now)
            found = live.look(self._first_day(now))
        for records, account in found:
            window.take(records, account)
        look = replace(window.look(), anew=anew and self._before is not None)
        ledger, since = look.ledger, look.start.date()
        ledger.files, ledger.bytes, ledger.refused = live.files, live.bytes, live.refused
        ledger.unanswered_days = [day.isoformat() for day in live.unanswered if day >= since]
        return look

    def _stop(self) -> None:
        """Close the log files, so that the next look begins anew."""
        if self._live is not None:
            self._live.close()
        self._live = self._window = None

    def _plan(self, now: datetime) -> Plan:
        period = Period(now - 2 * self._span, now, ZoneInfo("UTC"), "UTC", "window")
        return plan(Query(period, self._filters), naive_zone=self._naive_zone, now=now)

    def _first_day(self, now: datetime) -> date:
        return self._plan(now).first or now.astimezone(UTC).date()
