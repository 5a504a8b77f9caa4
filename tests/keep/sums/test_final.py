from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.errors import LogsError
from tokenusage.keep.sums.final import final_summary
from tokenusage.keep.sums.months import Summary
from tokenusage.keep.sums.summarise import DaySums
from tokenusage.logs import DayFile
from tokenusage.read.ledger import Account, Rejection
from tokenusage.read.sources import Source
from tokenusage.read.summaries import COUNTS, NAMES, SCHEMA

DAY = date(2026, 10, 30)
Group = tuple[str | None, int, Decimal | None]
"""A user, a number that stands for every count, and a cost."""


def sums(groups: Sequence[Group], account: Account | None = None) -> DaySums:
    rows = [
        {
            "log_day": DAY,
            "day": DAY,
            **dict.fromkeys(NAMES, user),
            **dict.fromkeys(COUNTS, number),
            "cost": cost,
            "response_time": None,
        }
        for user, number, cost in groups
    ]
    table = pa.Table.from_pylist(rows, SCHEMA)
    file = DayFile("x.jsonl", Path("x.jsonl"), DAY, 1, 1)
    return DaySums(DAY, table, account or Account(lines=1), (file,), str(UTC))


def final(groups: Sequence[Group], old: Summary | None = None) -> Summary:
    return final_summary(sums(groups), (Source("x.jsonl", 1, 1, "ab"),), old)


def groups_of(table: pa.Table) -> dict[str | None, tuple[int, Decimal | None]]:
    return {row["user_id"]: (row["items"], row["cost"]) for row in table.to_pylist()}


def test_the_first_one_holds_the_sums_as_they_are() -> None:
    """It needs no file any more, and names what it has taken in."""
    found = final([("ann", 3, Decimal("0.5"))])
    assert groups_of(found.table) == {"ann": (3, Decimal("0.5"))}
    assert (found.of_day.final, found.of_day.files) == (True, ())
    assert found.of_day.sources == (Source("x.jsonl", 1, 1, "ab"),)


def test_later_records_are_added_group_by_group() -> None:
    """A cost stays unknown only where none of the calls has one."""
    old = final([("ann", 3, Decimal("0.5")), ("bob", 1, None), (None, 1, None)])
    new = [("ann", 1, None), ("bob", 2, Decimal("0.000000000001")), (None, 5, None)]
    found = final([*new, ("eve", 1, Decimal(0))], old)
    assert groups_of(found.table) == {
        "ann": (4, Decimal("0.5")),
        "bob": (3, Decimal("0.000000000001")),
        None: (6, None),
        "eve": (1, Decimal(0)),
    }
    assert found.of_day.rows == 4
    assert found.table.schema == SCHEMA


def test_accounts_are_added() -> None:
    """The old one's is not changed in its place."""
    account = Account(lines=2, rejected=1, rejections=[Rejection("a", 1, "is torn")])
    old = final_summary(sums([], account), (), None)
    found = final_summary(sums([], Account(lines=3, blank=1)), (), old)
    assert (found.of_day.account.lines, found.of_day.account.rejected) == (5, 1)
    assert found.of_day.account.rejections == account.rejections
    assert old.of_day.account.lines == 2


def test_a_summary_that_is_not_final_counts_for_nothing() -> None:
    """What it was made from is summed up anew."""
    old = final([("ann", 3, None)])
    not_final = Summary(replace(old.of_day, final=False), old.table)
    assert groups_of(final([("bob", 1, None)], not_final).table) == {"bob": (1, None)}


def test_counts_that_no_reader_could_hold_are_refused() -> None:
    """They are int64: never a sum that has gone round."""
    old = final([("ann", 2**62, None)])
    with pytest.raises(LogsError, match="larger than a summary can hold"):
        final([("ann", 2**62, None)], old)


def test_money_has_no_such_end() -> None:
    """It is added up to the last digit, however much it is."""
    much = Decimal("4611686018427.387905000001")
    old = final([("ann", 1, much)])
    assert groups_of(final([("ann", 1, much)], old).table) == {"ann": (2, 2 * much)}


picodollars = st.none() | st.integers(0, 10**12).map(lambda n: Decimal(n).scaleb(-12))
group_lists = st.lists(
    st.tuples(st.sampled_from([None, "", "a", "b"]), st.integers(0, 2**40), picodollars),
    max_size=4,
    unique_by=lambda group: group[0],
)


@given(st.lists(group_lists, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_order_in_which_records_come_does_not_matter(
    batches: list[list[Group]], order: Random
) -> None:
    """And nothing ever shrinks: sums are exact, whatever was taken in first."""

    def taken_in(lists: list[list[Group]]) -> dict[str | None, tuple[int, Decimal | None]]:
        summary = None
        for groups in lists:
            summary = final(groups, summary)
        assert summary
        return groups_of(summary.table)

    shuffled = order.sample(batches, len(batches))
    found = taken_in(batches)
    assert found == taken_in(shuffled)
    for user, (number, _) in found.items():
        assert number == sum(group[1] for groups in batches for group in groups if group[0] == user)
