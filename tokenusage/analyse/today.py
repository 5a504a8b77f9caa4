"""The cost of a day so far, from what the last look left and the bytes appended since.

The figure is that of a report of the same day and zone. Nothing here needs more than
the standard library and orjson, but for a first look beside Parquet files.
"""

import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, Final

from tokenusage.analyse.query import Period
from tokenusage.errors import LogsError
from tokenusage.logs import DayFile, Listing, list_logs
from tokenusage.read.decode import as_text, microseconds
from tokenusage.read.follow import Mark, mark_at, read_on, torn_line
from tokenusage.read.judge import judge
from tokenusage.read.memory import Ids, recall, remember
from tokenusage.read.segments import (
    LISTINGS,
    SEGMENT_BYTES,
    ListingChangedError,
    open_regular,
)
from tokenusage.record import PICO, Record

_VERSION: Final = "2"
_DAY: Final = 86_400_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Seen = tuple[int, ...]
"""A log file as it was listed: its inode, its size and its stamp."""


@dataclass(slots=True)
class Sums:
    """The calls of a day so far."""

    calls: int = 0
    cost_pico: int = 0
    """Sum of the known costs, in picodollars."""
    unpriced: int = 0
    """Calls without a cost."""

    def add(self, cost_pico: int | None) -> None:
        """Add a call; None is a cost that is unknown."""
        self.calls += 1
        self.unpriced += cost_pico is None
        self.cost_pico += cost_pico or 0


@dataclass(slots=True)
class _State:
    """What was read so far."""

    sums: Sums = field(default_factory=Sums)
    marks: dict[str, tuple[Seen, Mark]] = field(default_factory=dict)
    """By file name: what it was when it was last looked at, and how far it was read."""
    parquet: list[list[Any]] = field(default_factory=list)
    """The Parquet files that there were."""
    ids: Ids = field(default_factory=Ids)

    def as_json(self) -> dict[str, Any]:
        return {
            "sums": [self.sums.calls, self.sums.cost_pico, self.sums.unpriced],
            "marks": {
                name: [seen, mark.offset, mark.before.hex()]
                for name, (seen, mark) in self.marks.items()
            },
            "parquet": self.parquet,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any], ids: Ids) -> "_State":
        marks = {
            name: (tuple(seen), Mark(offset, bytes.fromhex(before)))
            for name, (seen, offset, before) in document["marks"].items()
        }
        return cls(Sums(*document["sums"]), marks, document["parquet"], ids)


class Today:
    """The question what a day has cost so far.

    Args:
        logs: the log directory.
        period: the day.
        naive_zone: the zone of timestamps that have none.
        cache: the file in which a look leaves what the next one needs.
    """

    def __init__(self, logs: Path, period: Period, naive_zone: tzinfo, cache: Path) -> None:
        if period.start is None or period.end is None:
            raise ValueError("a day has a begin and an end")
        self._logs = logs
        self._naive_zone = naive_zone
        self._cache = cache
        self._start, self._end = (
            (moment - _EPOCH) // timedelta(microseconds=1) for moment in (period.start, period.end)
        )
        # As a report does: see `plan.plan`.
        more = timedelta(days=int({str(period.zone), str(naive_zone)} != {"UTC"}))
        self._first = period.start.astimezone(UTC).date() - more
        self._last = (period.end - timedelta(microseconds=1)).astimezone(UTC).date() + more
        self._about = [
            _VERSION,
            str(logs.resolve()),
            period.zone_name,
            str(naive_zone),
            period.start.isoformat(),
        ]

    def sums(self) -> Sums:
        """Return the sums as of now.

        Raises:
            LogsError: the directory or a file can't be read.
        """
        recalled = recall(self._cache, self._about)
        state = _State.from_json(*recalled) if recalled else None
        for _ in range(LISTINGS):
            try:
                return self._look(state or _State(), anew=state is None)
            except ListingChangedError:
                state = None
            except OSError as error:
                raise LogsError(f"{str(self._logs)!r} can't be read: {error.strerror}.") from error
        raise LogsError(
            f"The files in {str(self._logs)!r} change faster than they can be read: try again."
        )

    def _look(self, state: _State, *, anew: bool) -> Sums:
        listing = list_logs(self._logs)
        files = [file for file in listing.raw if self._first <= file.day <= self._last]
        parquet = self._parquet(listing)
        before = dict(state.marks)
        if anew:
            state.parquet = parquet
            if parquet:
                self._take_in(state, files)
        elif state.parquet != parquet or not before.keys() <= {file.name for file in files}:
            raise ListingChangedError
        torn: list[tuple[bytes, bool]] = []
        for file in files:
            # A repeat in the last file is one of an earlier line, as in a report.
            in_order = anew or file is files[-1]
            torn.append((self._read(file, state, in_order=in_order), in_order))
        if anew or state.marks != before:
            self._keep(state)
        # Counted in this look alone: its end comes later.
        for line, in_order in torn:
            self._judge(line, state, in_order=in_order)
        return state.sums

    def _keep(self, state: _State) -> None:
        remember(self._cache, self._about, state.as_json(), state.ids)

    def _parquet(self, listing: Listing) -> list[list[Any]]:
        months = {self._first.replace(day=1), self._last.replace(day=1)}
        return [
            [file.name, file.inode, file.size, *file.stamp]
            for file in listing.parquet
            if self._first <= file.day <= self._last
            or (file in listing.summaries and file.day in months)
        ]

    def _read(self, file: DayFile, state: _State, *, in_order: bool) -> bytes:
        """Count what was appended to a file; return its last line where it has no newline."""
        now = _seen(file)
        before, mark = state.marks.get(file.name, (now, Mark()))
        # Written to without growing: it was changed. What was changed before more was
        # appended can't be seen, except in the last line that was read.
        if before[0] != file.inode or (before[1] == file.size and before != now):
            raise ListingChangedError(file.name)
        if mark.offset == file.size:
            return b""
        with open(file.path, "rb", buffering=0, opener=open_regular) as opened:
            descriptor = opened.fileno()
            if os.fstat(descriptor).st_ino != file.inode:
                raise ListingChangedError(file.name)
            for appended in read_on(descriptor, mark, file.size):
                for line in appended.lines.split(b"\n"):
                    self._judge(line, state, in_order=in_order)
                mark = appended.mark
                state.marks[file.name] = (now, mark)
                if file.size - mark.offset > SEGMENT_BYTES:
                    self._keep(state)  # a long look may be interrupted
            state.marks[file.name] = (now, mark)
            return torn_line(descriptor, mark, file.size)

    def _judge(self, line: bytes, state: _State, *, in_order: bool) -> None:
        record = judge(line, self._naive_zone).record if line.strip() else None
        if record is not None:
            time = microseconds(record["timestamp"], self._naive_zone)
            cost = None if _is_hit(record) else _pico(record.get("cost_estimate"))
            name = as_text(record.get("id"))
            self._count(state, time, name, cost, is_hit=_is_hit(record), in_order=in_order)

    def _count(
        self,
        state: _State,
        time: int,
        name: str | None,
        cost_pico: int | None,
        *,
        is_hit: bool,
        in_order: bool,
    ) -> None:
        if name is not None and not state.ids.add(time // _DAY, name):
            if not in_order:
                # Perhaps the record that was counted is the later one.
                raise ListingChangedError
            return
        if self._start <= time < self._end and not is_hit:
            state.sums.add(cost_pico)

    def _take_in(self, state: _State, files: list[DayFile]) -> None:
        """Count sealed records, and mark what of the log files was taken into Parquet files."""
        # Parquet files come with pyarrow, which takes longer than all the rest.
        from tokenusage.read.clean import CleanReader  # noqa: PLC0415
        from tokenusage.read.forms import Plan, look  # noqa: PLC0415
        from tokenusage.read.parquet import NotOursError  # noqa: PLC0415
        from tokenusage.read.sealed import RowGroup, read_group  # noqa: PLC0415
        from tokenusage.read.shape import columns_of  # noqa: PLC0415

        plan = Plan(self._first, self._last, (), self._naive_zone, date.max)
        _, forms = look(self._logs, plan)
        begins: dict[str, int] = {}
        clean = CleanReader((), self._naive_zone)
        for piece in forms.pieces:
            if not isinstance(piece, RowGroup):
                begins.setdefault(piece.file.name, piece.start)
                continue
            try:
                found = read_group(piece, (), clean, self._naive_zone)
            except NotOursError:
                continue  # a report says so, and leaves it out as well
            columns = columns_of(found.table, ())
            rows = zip(
                *(
                    columns[name].to_pylist()
                    for name in ("time", "id", "cost_pico", "priced", "hit")
                ),
                strict=True,
            )
            for time, name, cost, priced, hit in rows:
                known = cost if priced else None
                self._count(state, time, name, known, is_hit=hit, in_order=True)
        for file in files:
            with open(file.path, "rb", buffering=0, opener=open_regular) as opened:
                mark = mark_at(opened.fileno(), begins.get(file.name, file.size))
            state.marks[file.name] = (_seen(file), mark)


def _seen(file: DayFile) -> Seen:
    return (file.inode, file.size, *file.stamp)


def _is_hit(record: Record) -> bool:
    """Return whether a record is a cache hit, as `lines.read_lines` and `shape` have it."""
    cache = record.get("cache")
    return cache is not False and as_text(cache) not in {None, ""}


def _pico(cost: float | None) -> int | None:
    """Return US dollars in picodollars, half even, as `exact.to_integers` does."""
    if cost is None:
        return None
    return int((Decimal(repr(float(cost))) * PICO).to_integral_value(ROUND_HALF_EVEN))
