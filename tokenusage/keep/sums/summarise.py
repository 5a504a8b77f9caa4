"""From the records of a day to the rows of its summary, in memory that does not grow with them.

Threads turn each piece of the day into sums of groups and numbers for its ids.
Only where two numbers are the same are the ids themselves looked at, and what was
logged twice is taken off again: sums can be subtracted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError, TokenUsageError
from tokenusage.keep.sums.details import DetailsPiece, DetailsTotal
from tokenusage.keep.sums.groups import Groups
from tokenusage.keep.sums.hashes import Hashes, hashes_of
from tokenusage.keep.sums.values import (
    costs_of,
    dates_of,
    decimals,
    integers,
    same_date,
    texts_and_codes,
    texts_of,
    values_of,
)
from tokenusage.logs import DayFile
from tokenusage.read import details
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.columns import column_of, fields_of
from tokenusage.read.duplicates import DAY, start_of
from tokenusage.read.forms import Piece, Plan
from tokenusage.read.ledger import Account
from tokenusage.read.scan import Scan, accounted
from tokenusage.read.segments import LISTINGS, ListingChangedError
from tokenusage.read.shape import columns_of
from tokenusage.read.summaries import COUNTS, NAMES, SCHEMA

_AHEAD: Final = 6
"""Pieces that are read before the first one is added up."""

_PENDING: Final = 1 << 20
"""Rows that are collected before they are grouped again."""

_FIELDS: Final = fields_of(
    {
        *NAMES,
        *details.NAMES,
        "items",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    }
)


class NotSummarisedError(TokenUsageError):
    """A day can't be summarised as it is; the sentence says why, and what would help."""


@dataclass(frozen=True, slots=True)
class DaySums:
    """The sums of a day's records."""

    day: date
    table: pa.Table
    """Rows of `summaries.SCHEMA`, in order of their names."""
    account: Account
    """Of all lines of the day."""
    files: tuple[DayFile, ...]
    """All log files and sealed files of the day, in order of name, as they were listed."""
    zone: str
    """In which timestamps without one were read."""
    details: pa.Table | None = None
    """Rows of `details.SCHEMA`, in order of their names; None where the day can't have any."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the records of one piece come to."""

    names: list[list[str]]
    """For each of `NAMES` the distinct ones."""
    groups: Groups
    """By day and by places in `names`."""
    hashes: Hashes
    """Of the ids there are."""
    strangers: bool
    """Whether a record with an id is of another day."""
    details: DetailsPiece | None
    """None for records that are taken off again."""


def summarise(
    logs: Path,
    day: date,
    *,
    naive_zone: tzinfo,
    today: date,
    advance: Callable[[int], None] | None = None,
) -> DaySums:
    """Add up the records of the files of a UTC day, each id once.

    What a final summary of the day has taken in already is left out.

    Args:
        logs: the log directory.
        day: a day that is over.
        naive_zone: zone of timestamps that have none.
        today: the present UTC day.
        advance: told how many bytes were read since it was last told.

    Raises:
        NotSummarisedError: it can't be done; the day is to be read by its records.
        LogsError: a file can't be read.
    """
    plan = Plan(first=day, last=day, fields=_FIELDS, naive_zone=naive_zone, today=today)
    for _ in range(LISTINGS):
        with Scan(logs, plan, _shape(day), ahead=_AHEAD) as scan:
            scan.advance = advance
            try:
                return _summarise(scan, day)
            except ListingChangedError:
                continue
            except OverflowError as error:
                raise NotSummarisedError(
                    f"The tokens of {day} add up to more than a summary holds: "
                    "is there a wrong figure?"
                ) from error
    raise LogsError(f"The files of {day} change faster than they can be read.")


def _summarise(scan: Scan, day: date) -> DaySums:
    total, detailed = _Total(), DetailsTotal()
    account = Account()
    account.add(scan.forms.account)
    parts: list[tuple[Piece, Hashes]] = []
    for part, of_part in accounted(scan.parts()):
        account.add(of_part)
        for piece in part.shaped:
            if piece.strangers:
                raise NotSummarisedError(
                    f"{part.piece.file.name} holds records of other days: "
                    "`tokenusage doctor --fix` moves them."
                )
            total.add(piece)
            if piece.details:
                detailed.add(piece.details)
        none = np.empty(0, np.uint64)
        hashes = np.concatenate([none, *(piece.hashes for piece in part.shaped)])
        parts.append((part.piece, hashes))
    if scan.forms.damaged:
        raise LogsError(scan.forms.damaged[0])
    if scan.in_flight:
        raise NotSummarisedError(f"The last line of {day} may still be being written.")
    repeats = _take_off_repeats(scan, parts, total)
    account.duplicates += repeats
    return DaySums(
        day=day,
        table=total.table(day),
        account=account,
        files=tuple(scan.forms.listed),
        zone=str(scan.plan.naive_zone),
        details=None if repeats else detailed.table(day),
    )


def _take_off_repeats(scan: Scan, parts: list[tuple[Piece, Hashes]], total: "_Total") -> int:
    """Take the records off that have the id of an earlier one; return how many they are."""
    in_order = np.sort(
        np.concatenate([hashes for _, hashes in parts] or [hashes_of(pa.array([], pa.string()))])
    )
    suspects = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
    seen: set[str] = set()
    repeats = 0
    for piece, hashes in parts:
        if not np.isin(hashes, suspects).any():
            continue
        for lines in scan.find(piece):
            again = _again(lines.table["id"], suspects, seen)
            repeats += int(again.sum())
            total.add(_piece(lines.table.filter(from_numpy(again))), sign=-1)
    return repeats


def _again(ids: pa.ChunkedArray, suspects: Hashes, seen: set[str]) -> npt.NDArray[np.bool_]:
    """Return where an id stands that was `seen` before, and add the others to those."""
    known = to_numpy(pc.is_valid(ids).cast(pa.int32())) != 0
    places = np.flatnonzero(known)[np.isin(hashes_of(ids), suspects)]
    again = np.zeros(len(ids), np.bool_)
    for place, id_ in zip(places.tolist(), ids.take(from_numpy(places)).to_pylist(), strict=True):
        again[place] = id_ in seen
        seen.add(id_)
    return again


def _shape(day: date) -> Callable[[pa.Table, tuple[str, ...]], _Piece]:
    return lambda table, _fields: _piece(table, start_of(day) // DAY)


def _piece(records: pa.Table, day: int | None = None) -> _Piece:
    """Add up records; `day` is the number of the day that those with ids have to be of.

    Without it they are to be taken off again.
    """
    columns = columns_of(records, _FIELDS)
    days = to_numpy(columns["time"]) // DAY
    texts = [texts_and_codes(columns[column_of(name)]) for name in NAMES]
    values = values_of(columns)
    with_id = integers(pc.is_valid(columns["id"])) == 1
    return _Piece(
        names=[names for names, _ in texts],
        groups=Groups.of(np.stack([days, *(codes for _, codes in texts)], axis=1), values),
        hashes=hashes_of(columns["id"]),
        strangers=day is not None and bool((days[with_id] != day).any()),
        details=DetailsPiece.of(columns, days, values) if day is not None else None,
    )


class _Total:
    """The sums of all pieces so far."""

    def __init__(self) -> None:
        self._codes: list[dict[str, int]] = [{} for _ in NAMES]
        self._groups = [Groups(np.empty((0, 1 + len(NAMES)), np.int64), {})]
        self._rows = 0

    def add(self, piece: _Piece, sign: int = 1) -> None:
        """Add the sums of a piece, or take them off; raises OverflowError as `Groups` does."""
        keys = piece.groups.keys.copy()
        for column, (names, known) in enumerate(zip(piece.names, self._codes, strict=True), 1):
            codes = [known.setdefault(name, len(known)) for name in names]
            keys[:, column] = np.array([*codes, -1])[keys[:, column]]
        self._groups.append(Groups(keys, {k: sign * v for k, v in piece.groups.sums.items()}))
        self._rows += len(keys)
        if self._rows > _PENDING:
            self._group()

    def table(self, day: date) -> pa.Table:
        """Return the rows of the summary of log day `day`, in order of their names."""
        self._group()
        return _rows(day, self._groups[0], [list(codes) for codes in self._codes])

    def _group(self) -> None:
        self._groups = [Groups.together(self._groups)]
        self._rows = len(self._groups[0].keys)


def _rows(day: date, groups: Groups, names: list[list[str]]) -> pa.Table:
    """Return groups as the rows of a summary."""
    keys = groups.keys.T
    columns = {
        "log_day": same_date(day, groups.size),
        "day": dates_of(keys[0]),
        **{
            name: texts_of(codes, texts)
            for name, codes, texts in zip(NAMES, keys[1:], names, strict=True)
        },
        **{name: from_numpy(groups.sum(name)) for name in COUNTS},
        "cost": costs_of(groups),
        "response_time": decimals("response_micro", groups, 6),
    }
    # Of a group whose records were all taken off again nothing is left.
    some = groups.sum("calls") + groups.sum("cache_hits") > 0
    table = pa.table(columns).filter(from_numpy(some)).cast(SCHEMA)
    return table.sort_by([(name, "ascending") for name in ("day", *NAMES)])
