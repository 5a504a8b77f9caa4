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
from tokenusage.keep.sums.groups import Groups, Integers
from tokenusage.keep.sums.hashes import Hashes, hashes_of
from tokenusage.logs import DayFile
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
    {*NAMES, "items", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"}
)
_WIDE: Final = ("cost_pico", "response_micro")
"""Sums beyond 64 bits: they are added up in two halves, named by `_halves`."""

_HALF: Final = 32
"""Bits of the lower half."""

_OF_HITS: Final = ("cache_hits", "estimated", "dropped")
"""Sums to which a cache hit adds."""


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
    total = _Total()
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
        none = np.empty(0, np.uint64)
        hashes = np.concatenate([none, *(piece.hashes for piece in part.shaped)])
        parts.append((part.piece, hashes))
    if scan.forms.damaged:
        raise LogsError(scan.forms.damaged[0])
    if scan.in_flight:
        raise NotSummarisedError(f"The last line of {day} may still be being written.")
    account.duplicates += _take_off_repeats(scan, parts, total)
    return DaySums(
        day=day,
        table=total.table(day),
        account=account,
        files=tuple(scan.forms.listed),
        zone=str(scan.plan.naive_zone),
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
    """Add up records; `day` is the number of the day that those with ids have to be of."""
    columns = columns_of(records, _FIELDS)
    days = to_numpy(columns["time"]) // DAY
    names = [columns[column_of(name)].combine_chunks() for name in NAMES]
    codes = [to_numpy(pc.fill_null(name.indices.cast(pa.int64()), -1)) for name in names]
    hit = _integers(columns["hit"])
    sums = {
        "calls": np.ones(len(hit), np.int64),
        "unpriced": 1 - _integers(columns["priced"]),
        "cache_hits": hit,
        **{name: _integers(columns[name]) for name in COUNTS if name in columns.column_names},
    }
    for name in _WIDE:
        numbers = _integers(columns[name])
        high, low = _halves(name)
        sums[high], sums[low] = numbers >> _HALF, numbers & ((1 << _HALF) - 1)
    if hit.any():
        sums |= {name: sums[name] * (1 - hit) for name in sums if name not in _OF_HITS}
    with_id = _integers(pc.is_valid(columns["id"])) == 1
    return _Piece(
        names=[name.dictionary.to_pylist() for name in names],
        groups=Groups.of(np.stack([days, *codes], axis=1), sums),
        hashes=hashes_of(columns["id"]),
        strangers=day is not None and bool((days[with_id] != day).any()),
    )


def _integers(column: pa.ChunkedArray) -> Integers:
    return to_numpy(column.cast(pa.int64()))


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
    # Of a group whose records were all taken off again nothing is left.
    some = groups.sum("calls") + groups.sum("cache_hits") > 0
    keys = groups.keys[some]
    figures = {name: from_numpy(groups.sum(name)[some]) for name in COUNTS}
    kept = from_numpy(some)
    unknown = pc.and_(
        pc.greater(figures["calls"], 0), pc.equal(figures["calls"], figures["unpriced"])
    )
    columns = {
        "log_day": pa.repeat(pa.scalar(day, pa.date32()), len(keys)),
        "day": from_numpy(keys[:, 0].astype(np.int32)).cast(pa.date32()),
        **{
            name: pa.array(texts, pa.string()).take(_codes(keys[:, place]))
            for place, (name, texts) in enumerate(zip(NAMES, names, strict=True), 1)
        },
        **{name: figures[name] for name in COUNTS},
        # What nobody knows is null, and never 0.
        "cost": pc.if_else(unknown, None, _decimals("cost_pico", groups, 12).filter(kept)),
        "response_time": _decimals("response_micro", groups, 6).filter(kept),
    }
    table = pa.table(columns).cast(SCHEMA)
    return table.sort_by([(name, "ascending") for name in ("day", *NAMES)])


def _codes(codes: Integers) -> pa.Array:
    """Return codes as indices, null for none."""
    return pc.replace_with_mask(
        from_numpy(codes.copy()), from_numpy(codes < 0), pa.scalar(None, pa.int64())
    )


def _halves(name: str) -> tuple[str, str]:
    """Return the names of the upper and the lower half of a sum."""
    return f"{name} high", f"{name} low"


def _decimals(name: str, groups: Groups, scale: int) -> pa.Array:
    """Return a sum that was added up in halves, from 0 on, as decimals of `scale` digits."""
    high, low = (groups.sum(half).astype(np.uint64) for half in _halves(name))
    words = np.empty((len(high), 2), np.uint64)
    words[:, 0] = (high << np.uint64(_HALF)) + low
    carried = words[:, 0] < low
    words[:, 1] = (high >> np.uint64(_HALF)) + carried
    kind = pa.decimal128(38, scale)
    return pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(words)])
