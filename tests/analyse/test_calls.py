"""Pages of single calls."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import ago, fill, turn
from sealing import seal_day
from support import record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.calls import FIELDS, SMALL, Calls, list_calls, shape
from tokenusage.analyse.page import Page
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Query
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = "2026-11-20"


def listed(logs: Path, page: Page | None = None, *, small: int = SMALL, **filters: Any) -> Calls:
    """Return a page of all calls; with `small=0` they are read from the end."""
    query = Query(make_period(now=NOW, everything=True), Filters(**filters))
    wanted = plan(query, naive_zone=UTC, now=NOW, also=FIELDS)
    scan = Scan(logs, wanted, shape, ahead=1)
    return list_calls(query, scan, page or Page(), small=small)


def numbers(calls: Calls) -> list[int]:
    """Return the queries of a page's calls, which are numbers."""
    return [int(call.query or "") for call in calls.rows]


def second(number: int, **fields: Any) -> dict[str, Any]:
    """Return a record of so many seconds after ten o'clock, with that number as query."""
    time = datetime(2026, 11, 20, 10, tzinfo=UTC) + timedelta(seconds=number)
    return record(time.isoformat(), query=str(number), **fields)


def test_large_logs_are_read_from_the_end(tmp_path: Path) -> None:
    """The page is the same, and the number of calls about right."""
    long = "x" * 1500
    calls = [second(number, error_message=long, id=str(number)) for number in range(5000)]
    write_day(tmp_path, DAY, calls)
    whole, quick = listed(tmp_path), listed(tmp_path, small=0)
    assert whole.rows == quick.rows
    assert numbers(quick) == list(range(4999, 4949, -1))
    assert (whole.calls, whole.is_exact, quick.is_exact) == (5000, True, False)
    assert 4900 < quick.calls < 5100
    assert quick.ledger.bytes < whole.ledger.bytes / 2


def test_far_pages_are_the_same_both_ways(tmp_path: Path) -> None:
    """However late calls were written within a piece of a file."""
    late = [second(number ^ 7, error_message="x" * 700) for number in range(5000)]
    write_day(tmp_path, DAY, late)
    for number in (1, 7, 100, 101):
        page = Page(number=number)
        assert listed(tmp_path, page, small=0).rows == listed(tmp_path, page).rows


def test_what_stands_there_twice_leaves_no_gap(tmp_path: Path) -> None:
    """A page that would be short of calls goes on reading."""
    calls = [second(n // 2, id=str(n // 2), error_message="x" * 1500) for n in range(6000)]
    write_day(tmp_path, DAY, calls)
    page = Page(number=20)
    assert len(listed(tmp_path, page, small=0).rows) == 50
    assert listed(tmp_path, page, small=0).rows == listed(tmp_path, page).rows


def test_orders_have_the_largest_first_and_the_unknown_last(tmp_path: Path) -> None:
    """Among equal ones the newest comes first."""
    write_day(
        tmp_path,
        DAY,
        [
            second(1, cost_estimate=0.5, total_tokens=7, response_time=None),
            second(2, cost_estimate=None, total_tokens=9, response_time=3),
            second(3, cost_estimate=0.5, total_tokens=8, response_time=4),
        ],
    )
    orders = {order: numbers(listed(tmp_path, Page(order))) for order in ("cost", "tokens")}
    assert orders == {"cost": [3, 1, 2], "tokens": [2, 3, 1]}
    assert numbers(listed(tmp_path, Page("response_time"))) == [3, 2, 1]


def test_equal_times_are_listed_last_written_first(tmp_path: Path) -> None:
    """Both ways of reading agree."""
    write_day(tmp_path, DAY, [record(query=str(number)) for number in range(5)])
    assert numbers(listed(tmp_path)) == numbers(listed(tmp_path, small=0)) == [4, 3, 2, 1, 0]


def test_cache_hits_are_counted_and_not_listed(tmp_path: Path) -> None:
    """A cache hit is no call."""
    write_day(tmp_path, DAY, [second(1), second(2, cache="session")])
    for small in (SMALL, 0):
        found = listed(tmp_path, small=small)
        assert (numbers(found), found.calls, found.cache_hits) == ([1], 1, 1)


def test_days_of_which_only_sums_are_left_are_named(tmp_path: Path) -> None:
    """Their calls can't be listed."""
    fill(tmp_path, ago(4), ago(6))
    turn(tmp_path, keep_days=5)
    for small in (SMALL, 0):
        found = listed(tmp_path, small=small)
        assert (found.calls, found.ledger.unanswered_days) == (3, [str(ago(6))])


def test_a_day_that_is_sealed_meanwhile_is_read_again(tmp_path: Path) -> None:
    """No call is missing, and none is there twice."""
    write_day(tmp_path, DAY, [second(number) for number in range(3)])

    def sealing(table: pa.Table, fields: tuple[str, ...]) -> pa.Table:
        if (tmp_path / f"token_usage_{DAY}.jsonl").exists():
            seal_day(tmp_path)
        return shape(table, fields)

    query = Query(make_period(now=NOW, everything=True))
    scan = Scan(tmp_path, plan(query, naive_zone=UTC, now=NOW, also=FIELDS), sealing, ahead=1)
    found = list_calls(query, scan, Page(), small=0)
    assert (numbers(found), found.ledger.files) == ([2, 1, 0], 1)


def test_money_is_that_of_the_record(tmp_path: Path) -> None:
    """To the last of twelve decimals."""
    write_day(tmp_path, DAY, [record(cost_estimate=0.000000123457, response_time=0.123457)])
    (call,) = listed(tmp_path).rows
    assert (call.cost, call.response_time) == (0.000000123457, 0.123457)


CALLS = st.builds(
    second,
    st.integers(0, 86_400),
    user_id=st.integers(0, 2),
    success=st.booleans(),
    cost_estimate=st.none() | st.floats(0, 10),
    id=st.none() | st.sampled_from("abc"),
    cache=st.sampled_from([None, None, "session"]),
)


@pytest.mark.slow
@settings(max_examples=40)
@given(
    st.lists(CALLS, max_size=20),
    st.sampled_from([{}, {"user": ("1",)}, {"where": (("success", "false"),)}]),
    st.sampled_from([SMALL, 0]),
)
def test_as_many_calls_are_listed_as_a_report_counts(
    calls: list[dict[str, Any]], filters: dict[str, Any], small: int
) -> None:
    """Of the same selection, over all pages, with the same ledger."""
    with TemporaryDirectory() as folder:
        logs = Path(folder)
        write_day(logs, DAY, [*calls[:10], b"oops"])
        write_day(logs, "2026-11-21", calls[10:])
        query = Query(make_period(now=NOW, everything=True), Filters(**filters))
        with Scan(logs, plan(query, naive_zone=UTC, now=NOW)) as scan:
            report = answer(query, scan, prices=PriceTable(), now=NOW)
        pages = [listed(logs, Page(limit=7, number=n), small=small, **filters) for n in (1, 2, 3)]
    assert sum(len(page.rows) for page in pages) == report.totals.calls == pages[0].calls
    assert pages[0].unpriced == report.totals.unpriced
    assert pages[0].cache_hits == report.totals.cache_hits
    assert pages[0].ledger.as_dict() == report.ledger.as_dict()
