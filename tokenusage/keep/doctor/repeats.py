"""Strays whose id stands elsewhere too, so that moving them could change the totals.

Of the records with one id and UTC day the first counts, by name of file and line: a
stray counts where it stands, and another one might once it has moved. So it stays,
unless every line with its id is the same. Where such a line stands in a log file of
their day already, as a killed run leaves it, the stray need only be taken out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.keep.doctor.days import Days
from tokenusage.keep.doctor.finding import Setup
from tokenusage.keep.doctor.strays import EPOCH, Key, read_apart
from tokenusage.keep.plan import is_raw
from tokenusage.logs import DayFile
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.duplicates import DAY, start_of
from tokenusage.read.forms import Plan
from tokenusage.read.scan import Scan, Shape

_AHEAD = 6
"""Pieces that are read before the first one is looked through."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """What is known of strays whose id stands elsewhere too."""

    differing: Mapping[Key, list[str]] = field(default_factory=dict)
    """The names of the files with the strays that stay: not all lines with their id are
    the same, or one is in a sealed file."""
    arrived: Mapping[Key, Path] = field(default_factory=dict)
    """The log file of their own day in which the same line stands."""

    def staying(self, file: DayFile, day: date) -> int:
        """Return how many strays of a day stay in a file for that reason."""
        return sum(
            names.count(file.name) for key, names in self.differing.items() if key.day == day
        )


def find_repeats(setup: Setup, days: Days, files: Iterable[DayFile]) -> Repeats:
    """Look for the ids of strays in the whole directory; only these are kept in memory.

    Args:
        setup: the directory.
        days: its days, as they were listed.
        files: those of its log files whose strays are asked for.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
        LogsError: a file can't be read.
        OSError: likewise.
    """
    by_name = {file.name: file for file in files}
    if not by_name:
        return Repeats()
    first = min(file.day for file in by_name.values())
    last = max(file.day for file in by_name.values())
    strays = [
        (file, _of_others(table, file, days))
        for file, table in _read(setup, _keys, first, last)
        if file.name in by_name
    ]
    ids = _ids(table for _, table in strays)
    found = _read(setup, partial(_keys, among=ids), None, None)
    places = _repeated([(file, table) for file, table in found if len(table)])
    stays: dict[Key, list[str]] = defaultdict(list)
    for file, table in strays:
        for key in _as_keys(_among(table, {key.id for key in places})):
            if key in places:
                stays[key].append(file.name)
    return _judged(setup, stays, {key: places[key] for key in stays})


def _read(
    setup: Setup, shape: Shape, first: date | None, last: date | None
) -> Iterable[tuple[DayFile, pa.Table]]:
    """Yield what `shape` makes of each table of records, with its file."""
    plan = Plan(first, last, (), setup.naive_zone, setup.now.date())
    with Scan(setup.logs, plan, shape, ahead=_AHEAD) as scan:
        for part in scan.parts():
            for table in part.shaped:
                yield part.piece.file, table


def _keys(table: pa.Table, _fields: tuple[str, ...], among: pa.Array | None = None) -> pa.Table:
    """Return day and id of those records that have an id, or one of those `among` which it is."""
    ids = table["id"].cast(pa.string())
    days = from_numpy(to_numpy(table["timestamp"]) // DAY)
    wanted = pc.is_valid(ids) if among is None else pc.is_in(ids, among)
    return pa.table({"day": days, "id": ids}).filter(wanted)


def _of_others(table: pa.Table, file: DayFile, days: Days) -> pa.Table:
    """Return the records that are of other days than their file, and may go there."""
    strange = table.filter(pc.not_equal(table["day"], start_of(file.day) // DAY))
    going = [day for day in strange["day"].unique().to_pylist() if days.may_take(_date(day))]
    return strange.filter(pc.is_in(strange["day"], pa.array(going, pa.int64())))


def _ids(tables: Iterable[pa.Table]) -> pa.Array:
    """Return the distinct ids."""
    chunks = [chunk for table in tables for chunk in table["id"].chunks]
    return pa.chunked_array(chunks, pa.string()).unique()


def _repeated(found: list[tuple[DayFile, pa.Table]]) -> dict[Key, set[DayFile]]:
    """Return the files in which each key stands that stands more than once."""
    if not found:
        return {}
    counts = pa.concat_tables(table for _, table in found).group_by(["day", "id"])
    counts = counts.aggregate([([], "count_all")])
    keys = set(_as_keys(counts.filter(pc.greater(counts["count_all"], 1))))
    places: dict[Key, set[DayFile]] = {key: set() for key in keys}
    for file, table in found:
        for key in _as_keys(_among(table, {key.id for key in keys})):
            if key in keys:
                places[key].add(file)
    return places


def _judged(setup: Setup, stays: dict[Key, list[str]], places: dict[Key, set[DayFile]]) -> Repeats:
    """Read the lines of repeated strays, to see which of them are all the same."""
    lines: dict[Key, set[bytes]] = defaultdict(set)
    arrived: dict[Key, Path] = {}
    for file in sorted({file for files in places.values() for file in files if is_raw(file)}):
        for line in read_apart(file.path, setup.naive_zone):
            if line.key in places:
                lines[line.key].add(sha256(line.record).digest())
                if line.key.day == file.day:
                    arrived[line.key] = file.path
    alike = {
        key for key, files in places.items() if len(lines[key]) == 1 and all(map(is_raw, files))
    }
    return Repeats(
        differing={key: names for key, names in stays.items() if key not in alike},
        arrived={key: path for key, path in arrived.items() if key in alike},
    )


def _among(table: pa.Table, ids: set[str]) -> pa.Table:
    return table.filter(pc.is_in(table["id"], pa.array(ids, pa.string())))


def _as_keys(table: pa.Table) -> Iterable[Key]:
    days: list[Any] = table["day"].to_pylist()
    return (Key(_date(day), id_) for day, id_ in zip(days, table["id"].to_pylist(), strict=True))


def _date(day: int) -> date:
    """Return a day that is counted from the epoch."""
    return date.fromordinal(EPOCH.toordinal() + day)
