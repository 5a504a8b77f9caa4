"""Taking a person out of the sums of days."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.files import sync
from tokenusage.keep.forget.person import Person
from tokenusage.keep.forget.scrub import addressed, owned, seen_in
from tokenusage.keep.sums.final import added_up
from tokenusage.keep.sums.months import Summary, write_month
from tokenusage.logs import DayFile
from tokenusage.read.arrays import from_numpy
from tokenusage.read.ledger import Account
from tokenusage.read.summaries import SCHEMA, Month


@dataclass(slots=True)
class MonthSeen:
    """What the sums of a month hold of a person."""

    file: DayFile
    final: dict[date, int] = field(default_factory=dict)
    """Their records that were added up, for each day that has only sums."""
    stale: list[date] = field(default_factory=list)
    """Days that have records, and whose sums name the person."""
    others: bool = False
    """Whether there are sums of days without them."""
    emails: set[str] = field(default_factory=set)
    addressed: int = 0
    """Records of others, of days that have only sums, that carry one of their addresses."""


def look_at_month(file: DayFile, person: Person) -> MonthSeen:
    """Return what a month's file holds of a person.

    Raises:
        NotOursError: it is damaged, or not what tokenusage writes.
        ListingChangedError: it is gone, or another one stands in its place.
    """
    seen = MonthSeen(file)
    for summary in _summaries(file):
        of_day, table = summary.of_day, summary.table
        found = seen_in(table, person)
        seen.emails |= found.emails
        if of_day.final:
            seen.addressed += _records(table.filter(from_numpy(addressed(table, person))))
        if not found.records:
            seen.others = True
        elif of_day.final:
            seen.final[of_day.day] = _records(table.filter(from_numpy(owned(table, person))))
        else:
            seen.stale.append(of_day.day)
    return seen


def rewrite_month(logs: Path, seen: MonthSeen, person: Person) -> None:
    """Put sums without the person in the place of a month's.

    Days that have records lose theirs: the next rotation makes them anew from what is
    there then, and till then their records are read. That needs no proof that both
    are the same.

    Raises:
        LogsError: a sum would be larger than a summary can hold.
        SealError: the new file is damaged; the old one is unchanged.
        NotOursError: the old file is damaged.
        ListingChangedError: it is gone, or another one stands in its place.
        OSError: it can't be done; the old file is unchanged.
    """
    if not seen.final and not seen.others:
        seen.file.path.unlink()
        sync(logs)
        return
    changes = [
        _without(summary, person)
        for summary in _summaries(seen.file)
        if summary.of_day.day in seen.final
    ]
    write_month(logs, changes, seen.file.path.stat(), removed=seen.stale)


def _summaries(file: DayFile) -> Iterator[Summary]:
    with Month(file) as month:
        for day, of_day in month.days.items():
            yield Summary(of_day, month.read([day]).cast(SCHEMA))


def _without(summary: Summary, person: Person) -> Summary:
    """Return a final summary without the person."""
    of_day, table = summary.of_day, summary.table
    theirs = from_numpy(owned(table, person))
    if person.pseudonym is None:
        account = Account()
        account.add(of_day.account)
        account.lines -= _records(table.filter(theirs))
        table = table.filter(pc.invert(theirs))
        of_day = replace(of_day, account=account)
    else:
        for name, value in (("user_id", person.pseudonym), ("user_email", None)):
            replaced = pc.if_else(theirs, pa.scalar(value, pa.string()), table[name])
            table = table.set_column(SCHEMA.get_field_index(name), SCHEMA.field(name), replaced)
        table = added_up(table, of_day.day)
    return Summary(replace(of_day, rows=table.num_rows), table)


def _records(table: pa.Table) -> int:
    """Return how many records were added up."""
    return sum(pc.sum(table[name]).as_py() or 0 for name in ("calls", "cache_hits"))
