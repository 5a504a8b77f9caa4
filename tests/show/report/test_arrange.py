from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import NOW, figures, overview, rows, table

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Filters, Query
from tokenusage.analyse.report import Figures, Report, Row, together
from tokenusage.read.ledger import Ledger
from tokenusage.show.columns import find_column
from tokenusage.show.report.arrange import Order, blocks, table_blocks

TODAY = NOW.date()


def of_days(*days: str, **period: object) -> Report:
    """Return an overview with a call on each of these days."""
    return Report(
        query=Query(make_period(now=NOW, **period)),  # type: ignore[arg-type]
        logs="logs",
        totals=figures(len(days)),
        users=1,
        ledger=Ledger(),
        sections={"day": rows(*((day, figures(1)) for day in days))},
    )


def shown_days(report: Report) -> list[str | None]:
    """Return the days that the overview's table shows."""
    (block,) = table_blocks(report, Order(), TODAY)
    return [row.keys[0] for row in block.rows]


def test_rows_sort_by_any_column_with_the_unknown_last() -> None:
    """Largest first; where nothing is priced there is no cost to compare."""
    report = table(
        ("model",),
        *rows(
            ("none", figures(1, unpriced=1)),
            ("a", figures(1, dollars=1)),
            ("b", figures(1, dollars=2)),
        ),
    )
    cost = find_column("cost", percentiles=False)
    for ascending, names in ((False, ["b", "a", "none"]), (True, ["a", "b", "none"])):
        (block,) = blocks(report, Order(cost, ascending))
        assert [row.keys[0] for row in block.rows] == names


@given(st.lists(st.integers(1, 9), min_size=1, max_size=80), st.integers(1, 90))
def test_what_a_limit_hides_is_summed(calls: list[int], limit: int) -> None:
    """Shown rows and the rest add up to all of them."""
    report = table(("user",), *rows(*((str(n), figures(count)) for n, count in enumerate(calls))))
    (block,) = blocks(report, Order(limit=limit))
    shown = together(row.figures for row in block.rows)
    assert len(block.rows) + block.hidden == len(calls)
    assert shown.calls + (block.rest.calls if block.rest else 0) == sum(calls)


def test_machine_formats_have_every_row_and_tables_fifty() -> None:
    """A table is for people."""
    report = table(("user",), *(Row((str(n),), figures(1)) for n in range(60)))
    assert len(blocks(report, Order())[0].rows) == 60
    (block,) = table_blocks(report, Order(), TODAY)
    assert (len(block.rows), block.hidden) == (50, 10)


def test_of_a_table_in_order_of_time_the_end_is_shown() -> None:
    """The last hours are what people look for; a sorted table begins with its largest row."""
    hours = [Row((f"2026-11-{n:02}",), figures(n)) for n in range(1, 6)]
    report = table(("day",), *hours)
    (block,) = table_blocks(report, Order(limit=2), TODAY)
    assert (block.rows, block.rest_is_earlier) == (tuple(hours[3:]), True)
    assert block.rest == together(row.figures for row in hours[:3])
    (block,) = table_blocks(report, Order(find_column("calls", percentiles=False), limit=2), TODAY)
    assert (block.rows[0], block.rest_is_earlier) == (hours[4], False)


def test_the_overview_shows_ten_users() -> None:
    """The dearest stand there, the others in a line; a limit changes that."""
    assert [len(block.rows) for block in table_blocks(overview(), Order(), TODAY)][-1] == 10
    assert [len(block.rows) for block in table_blocks(overview(), Order(limit=12), TODAY)][-1] == 12


def test_days_without_calls_stand_among_the_others() -> None:
    """Newest first, from the period's first day to today."""
    assert shown_days(of_days("2026-11-18", "2026-11-21", days=5)) == [
        "2026-11-22", "2026-11-21", "2026-11-20", "2026-11-19", "2026-11-18",
    ]  # fmt: skip


def test_days_that_have_not_been_yet_are_not_empty() -> None:
    """The rest of this month had no chance to hold calls."""
    assert shown_days(of_days("2026-11-21", month="2026-11"))[0] == "2026-11-22"


def test_a_record_of_tomorrow_is_shown() -> None:
    """A clock that is ahead does not hide its calls."""
    assert shown_days(of_days("2026-11-23", month="2026-11"))[0] == "2026-11-23"


def test_without_bounds_the_days_go_from_the_first_call_to_the_last() -> None:
    """``--all`` fills the gaps of a short span, and those of years it leaves alone."""
    assert shown_days(of_days("2026-10-01", "2026-10-03", everything=True)) == [
        "2026-10-03", "2026-10-02", "2026-10-01",
    ]  # fmt: skip
    assert len(shown_days(of_days("2024-12-26", "2026-10-03", everything=True))) == 2


@pytest.mark.parametrize(
    ("filters", "gone"),
    [
        (Filters(user=("7",)), "user"),
        (Filters(operation=("embedding",)), "operation"),
        (Filters(model=("gpt-4o",)), "model"),
        (Filters(where=(("operation_type", "embedding"),)), "operation"),
        (Filters(model=("gpt-4o*",)), None),
        (Filters(user=("7", "8")), None),
        (Filters(where=(("tag.team", "a"),)), None),
    ],
)
def test_a_section_that_a_filter_makes_constant_is_left_out(
    filters: Filters, gone: str | None
) -> None:
    """One user asked for is no ranking of users; a glob may still find several models."""
    names = {
        block.dimensions[0] for block in table_blocks(overview(filters=filters), Order(), TODAY)
    }
    assert {"operation", "model", "day", "user"} - names == ({gone} if gone else set())


def test_a_single_day_has_no_section_of_days() -> None:
    """The caption names it."""
    assert table_blocks(of_days("2026-11-22", days=1), Order(), date(2026, 11, 22)) == ()


def test_sums_are_exact() -> None:
    """Picodollars are added as integers."""
    total = together([Figures(calls=1, cost_pico=10**30), Figures(calls=2, cost_pico=1)])
    assert (total.calls, total.cost_pico) == (3, 10**30 + 1)
