"""What the tests of details share: groups of calls, by hand and as a directory gives them back."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date
from pathlib import Path
from typing import Any, Final, NamedTuple

from keeping import TODAY

from tokenusage.read.columns import fields_of
from tokenusage.read.details import COUNTS, NAMES, SCHEMA
from tokenusage.read.forms import Plan
from tokenusage.read.gather import Gathered, gather
from tokenusage.read.scan import Scan
from tokenusage.read.shape import columns_of

PLAN: Final = Plan(
    None,
    None,
    fields_of({*NAMES, "items"}),
    UTC,
    TODAY,
    summaries=True,
    whole_days=True,
    details=True,
)
"""A question that sums and details answer."""

_DAY: Final = 86_400_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()

Key = tuple[Any, ...]


class Group(NamedTuple):
    """What details say of a group of calls."""

    calls: int = 0
    cache_hits: int = 0
    unpriced: int = 0
    total_tokens: int = 0
    items: int = 0
    pico: int = 0
    first: float = float("inf")
    last: float = float("-inf")
    times: tuple[int, ...] = ()

    def plus(self, other: "Group") -> "Group":
        """Add up two parts of a group."""
        return Group(
            calls=self.calls + other.calls,
            cache_hits=self.cache_hits + other.cache_hits,
            unpriced=self.unpriced + other.unpriced,
            total_tokens=self.total_tokens + other.total_tokens,
            items=self.items + other.items,
            pico=self.pico + other.pico,
            first=min(self.first, other.first),
            last=max(self.last, other.last),
            times=tuple(sorted(self.times + other.times)),
        )


def by_hand(records: Iterable[Mapping[str, Any]]) -> dict[Key, Group]:
    """Group rows of the columns that `columns_of` gives, in plain Python."""
    found: dict[Key, Group] = {}
    for row in records:
        day = date.fromordinal(_EPOCH + row["time"] // _DAY)
        key = (day, row["session"], row["task"], row["batch"], row["cache"], row["items"] > 0)
        one = Group(
            calls=1,
            unpriced=int(not row["priced"]),
            total_tokens=row["total_tokens"],
            items=row["items"],
            pico=row["cost_pico"],
            first=row["time"],
            last=row["time"],
            times=(row["response_micro"],) if row["timed"] else (),
        )
        found[key] = found.get(key, Group()).plus(Group(cache_hits=1) if row["hit"] else one)
    return found


def of_rows(rows: Iterable[Mapping[str, Any]]) -> dict[Key, Group]:
    """Return rows of details as the same groups, each held against itself."""
    found: dict[Key, Group] = {}
    for row in rows:
        times = tuple(row["response_times"])
        assert times == tuple(sorted(times))
        assert (row["first"] is None) == (row["last"] is None) == (row["calls"] == 0)
        assert (row["cost"] is None) == (row["calls"] > 0 and row["calls"] == row["unpriced"])
        group = Group(
            **{name: row[name] for name in COUNTS},
            pico=int(row["cost"].scaleb(12)) if row["cost"] else 0,
            first=Group().first if row["first"] is None else row["first"],
            last=Group().last if row["last"] is None else row["last"],
            times=times,
        )
        key = (row["day"], *(row[name] for name in NAMES), row["with_items"])
        found[key] = found.get(key, Group()).plus(group)
    return found


def gathered(logs: Path, plan: Plan = PLAN) -> Gathered:
    """Read a directory for a question that sums and details answer."""
    return gather(Scan(logs, plan, columns_of))


def groups(logs: Path, plan: Plan = PLAN) -> dict[Key, Group]:
    """Return all groups of a directory: of details, and of the records of the other days."""
    found = gathered(logs, plan)
    rows = found.details or SCHEMA.empty_table()
    together = of_rows(rows.to_pylist())
    for key, group in by_hand(found.table.to_pylist()).items():
        together[key] = together.get(key, Group()).plus(group)
    return together


def days_with_details(logs: Path) -> set[date]:
    """Return the days that are read by their details."""
    with Scan(logs, PLAN) as scan:
        return {of_day.day for _, days in scan.forms.details for of_day in days}
