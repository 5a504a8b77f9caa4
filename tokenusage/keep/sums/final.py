"""Summaries that need no records any more, and what is added to them later."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.keep.sums.months import Summary
from tokenusage.keep.sums.summarise import DaySums
from tokenusage.read.ledger import Account
from tokenusage.read.sources import Source
from tokenusage.read.summaries import COUNTS, NAMES, SCHEMA, FileState, SummaryDay

_GROUP: Final = ("log_day", "day", *NAMES)
_EXACT: Final = pa.decimal128(38, 0)
_INT64: Final = Decimal(2**63 - 1)


def summary_of(sums: DaySums) -> Summary:
    """Return the summary that holds as long as the files of its day are as they were."""
    of_day = SummaryDay(
        day=sums.day,
        rows=sums.table.num_rows,
        account=sums.account,
        zone=sums.zone,
        files=tuple(map(FileState.of, sums.files)),
    )
    return Summary(of_day, sums.table)


def final_summary(sums: DaySums, sources: tuple[Source, ...], old: Summary | None) -> Summary:
    """Return the summary of a day whose files are going to be removed.

    Args:
        sums: of what `old` has not taken in yet.
        sources: the day's files as they were summed up.
        old: the summary that the day has; only a final one counts.

    Raises:
        LogsError: a sum would be larger than a summary can hold.
    """
    table, account = sums.table, sums.account
    if old is not None and old.of_day.final:
        table = added_up(pa.concat_tables([old.table, table.cast(SCHEMA)]), sums.day)
        account = Account()
        account.add(old.of_day.account)
        account.add(sums.account)
    of_day = summary_of(sums).of_day
    of_day = replace(
        of_day, rows=table.num_rows, account=account, files=(), final=True, sources=sources
    )
    return Summary(of_day, table)


def added_up(table: pa.Table, day: date) -> pa.Table:
    """Return the rows of a day's summary with one row for each group, in order of the first.

    Raises:
        LogsError: a sum would be larger than a summary can hold.
    """
    for name in COUNTS:
        # Sums of int64 would go round beyond it, sums of decimals don't.
        table = table.set_column(table.column_names.index(name), name, table[name].cast(_EXACT))
    grouped = table.group_by(list(_GROUP), use_threads=False)
    figures = [*COUNTS, "cost", "response_time"]
    added = grouped.aggregate([(name, "sum") for name in figures])
    added = added.rename_columns([name.removesuffix("_sum") for name in added.column_names])
    if any((pc.max(added[name]).as_py() or 0) > _INT64 for name in COUNTS):
        raise LogsError(
            f"The sums of {day} would be larger than a summary can hold: its late records "
            "stay where they are."
        )
    return added.select(SCHEMA.names).cast(SCHEMA)
