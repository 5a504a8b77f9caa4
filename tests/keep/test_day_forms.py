"""A report gives the same figures whatever form each day is in."""

import json
import os
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Query
from tokenusage.analyse.report import Report
from tokenusage.errors import LogsError
from tokenusage.keep.seal.day import seal
from tokenusage.keep.sums.final import summary_of
from tokenusage.keep.sums.months import write_month
from tokenusage.keep.sums.summarise import NotSummarisedError, summarise
from tokenusage.logs import list_logs
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = [date(2026, 10, 30) + timedelta(days=n) for n in range(4)]

QUERIES = (
    Query(make_period(now=NOW, everything=True)),
    Query(make_period(now=NOW, everything=True), by=("day", "user")),
    Query(make_period(now=NOW, everything=True), by=("month", "model", "provider")),
    Query(make_period(now=NOW, since="2026-10-31", until="2026-11-01"), by=("week", "email")),
    Query(make_period(now=NOW, since="2026-10-31"), Filters(user=("1", "ann"), model=("gpt*",))),
    Query(make_period(now=NOW, everything=True), Filters(where=(("provider", "azure"),))),
    Query(make_period(now=NOW, everything=True), by=("hour", "tag.team"), percentiles=True),
    Query(make_period(now=NOW, month="2026-11", tz="Asia/Tokyo"), by=("day",)),
    Query(make_period(now=NOW, everything=True), by=("session", "cache")),
    Query(make_period(now=NOW, everything=True), Filters(where=(("field", "3"),)), by=("user",)),
)


def ask(logs: Path, query: Query) -> Report:
    scan = Scan(logs, plan(query, naive_zone=UTC, now=NOW))
    return answer(query, scan, prices=PriceTable(), now=NOW)


def figures(report: Report) -> dict[str, Any]:
    """Return everything of a report but how many files and bytes it was read from."""
    found = asdict(report)
    del found["logs"], found["ledger"]["files"], found["ledger"]["bytes"]
    del found["ledger"]["rejections"]
    return found


def summarise_days(logs: Path, days: list[date]) -> None:
    for _, month in groupby(days, lambda day: day.month):
        sums = []
        for day in month:
            try:
                sums.append(summarise(logs, day, naive_zone=UTC, today=NOW.date()))
            except NotSummarisedError:
                continue
        sums = [found for found in sums if found.files]
        if sums:
            like = sums[0].files[0].path.stat()
            write_month(logs, list(map(summary_of, sums)), like)


timestamps = st.builds(
    lambda day, seconds, form: form.format(
        (datetime.combine(day, datetime.min.time()) + timedelta(seconds=seconds)).isoformat()
    ),
    st.sampled_from(DAYS),
    st.integers(0, 86_399),
    st.sampled_from(["{}+00:00", "{}.500000+00:00", "{}", "{}Z", "{}+09:00"]),
)
costs = st.one_of(
    st.none(), st.integers(0, 1000), st.floats(0, 10**6), st.sampled_from([0, 1e-12, 5e-13])
)
records = st.fixed_dictionaries(
    {
        "timestamp": timestamps,
        "user_id": st.sampled_from([None, 1, "1", "ann", 'a\u2028"b\n', 2**70, 1.5]),
        "model_name": st.sampled_from(["gpt-4o", "gpt-4o-mini", "own"]),
        "prompt_tokens": st.sampled_from([0, 1, 2**31, 10**12]),
        "cost_estimate": costs,
        "response_time": st.one_of(st.none(), st.floats(0, 10**9)),
        "success": st.booleans(),
    },
    optional={
        "id": st.sampled_from(["a", "b", "c" * 24, 7]),
        "provider": st.sampled_from(["azure", "openai", None]),
        "user_email": st.sampled_from(["ann@example.org", None]),
        "session_id": st.sampled_from(["s", 5]),
        "cache": st.sampled_from(["session", "", None]),
        "usage_source": st.sampled_from(["estimated", "provider"]),
        "dropped": st.sampled_from([1, 0, -1, "x"]),
        "items": st.sampled_from([3, None]),
        "tags": st.sampled_from([{"team": "search"}, {"team": 1.0}, {}, "none"]),
        "field": st.sampled_from([3, {"deep": [1]}]),
    },
)
lines = st.lists(
    st.one_of(
        records.map(lambda fields: json.dumps(record() | fields, separators=(",", ":")).encode()),
        st.sampled_from([b"", b"bad", b'{"timestamp":"20', b'{"a":1}']),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    content=st.lists(lines, min_size=4, max_size=4),
    late=st.lists(lines, min_size=4, max_size=4),
    forms=st.lists(
        st.sampled_from(["raw", "summary", "sealed", "sealed, summary", "sealed, late"]),
        min_size=4,
        max_size=4,
    ),
)
def test_figures_do_not_depend_on_the_form(
    tmp_path_factory: pytest.TempPathFactory,
    content: list[list[bytes]],
    late: list[list[bytes]],
    forms: list[str],
) -> None:
    """Raw, summarised, sealed and sealed with late records: the same to the last digit."""
    plain = tmp_path_factory.mktemp("plain")
    mixed = tmp_path_factory.mktemp("mixed")
    for day, of_day, later, form in zip(DAYS, content, late, forms, strict=True):
        # Byte for byte the file that was sealed, in its inode again, it would be that file.
        other = [orjson.dumps(record(f"{day}T12:00:00Z", id="late")), *later]
        write_day(mixed, str(day), of_day)
        if "sealed" in form:
            seal(mixed, day, naive_zone=UTC)
        if "late" in form:
            write_day(mixed, str(day), other)
        write_day(plain, str(day), [*of_day, *(other if "late" in form else [])])
    summarise_days(mixed, [day for day, form in zip(DAYS, forms, strict=True) if "summary" in form])
    for query in QUERIES:
        assert figures(ask(mixed, query)) == figures(ask(plain, query)), query


def test_a_summary_is_read_instead_of_the_records(tmp_path: Path) -> None:
    """A question that it answers opens no log file; another one does."""
    write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z", id="a")])
    summarise_days(tmp_path, DAYS[:1])
    with Scan(tmp_path, plan(QUERIES[0], naive_zone=UTC, now=NOW)) as scan:
        assert not scan.forms.pieces
    with Scan(tmp_path, plan(QUERIES[6], naive_zone=UTC, now=NOW)) as scan:
        assert scan.forms.pieces


@pytest.mark.parametrize("change", ["append", "rewrite", "replace", "spill", "zone"])
def test_a_summary_that_no_longer_fits_is_ignored(tmp_path: Path, change: str) -> None:
    """Late records, a file rewritten in place with its old size and time, another inode."""
    path = write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z", prompt_tokens=1)])
    summarise_days(tmp_path, DAYS[:1])
    before = path.stat()
    content = path.read_bytes()
    zone: Any = UTC
    match change:
        case "append":
            path.write_bytes(content * 2)
        case "rewrite":
            path.write_bytes(content.replace(b'_tokens":1,', b'_tokens":2,'))
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        case "replace":
            path.rename(tmp_path / "old")
            path.write_bytes(content)
        case "spill":
            path.with_suffix(".host-1-a.jsonl").write_bytes(content)
        case _:
            zone = ZoneInfo("Asia/Tokyo")
    with Scan(tmp_path, plan(QUERIES[0], naive_zone=zone, now=NOW)) as scan:
        assert scan.forms.pieces


def test_strangers_beside_summaries_are_read_with_their_ids(tmp_path: Path) -> None:
    """A record in the wrong day's file may repeat one that a summary stands for."""
    twice = record("2026-10-30T12:00:00Z", id="a")
    write_day(tmp_path, "2026-10-30", [twice])
    write_day(tmp_path, "2026-10-31", [twice])
    summarise_days(tmp_path, DAYS[:1])
    assert ask(tmp_path, QUERIES[0]).totals.calls == 1
    with pytest.raises(NotSummarisedError, match="doctor --fix"):
        summarise(tmp_path, DAYS[1], naive_zone=UTC, today=NOW.date())


def test_a_line_in_flight_is_not_summarised(tmp_path: Path) -> None:
    """Half a line of yesterday may still become a whole one."""
    path = write_day(tmp_path, "2026-11-21", [record("2026-11-21T12:00:00Z")])
    path.write_bytes(path.read_bytes() + b'{"timestamp":')
    with pytest.raises(NotSummarisedError, match="still be"):
        summarise(tmp_path, date(2026, 11, 21), naive_zone=UTC, today=NOW.date())
    later = summarise(tmp_path, date(2026, 11, 21), naive_zone=UTC, today=date(2026, 11, 23))
    assert later.account.rejected == 1


@pytest.mark.parametrize("count", [10, 19, 5000])
def test_sums_of_money_and_time_have_no_end(tmp_path: Path, count: int) -> None:
    """Millions of dollars and centuries in one group are added up to the last digit."""
    huge = record("2026-10-30T12:00:00Z", cost_estimate=10**6, response_time=10**9)
    write_day(tmp_path, "2026-10-30", [huge] * count)
    before = figures(ask(tmp_path, QUERIES[1]))
    summarise_days(tmp_path, DAYS[:1])
    found = ask(tmp_path, QUERIES[1])
    assert found.totals.cost_pico == count * 10**18
    assert found.totals.response_micro == count * 10**15
    assert figures(found) == before


def test_tokens_beyond_int64_are_refused(tmp_path: Path) -> None:
    """A sum that a summary can't hold leaves the day to its records."""
    lines = [orjson.dumps(record("2026-10-30T12:00:00Z", prompt_tokens=10**12))] * 40_000
    write_day(tmp_path, "2026-10-30", lines * 120)
    with pytest.raises(NotSummarisedError, match="tokens"):
        summarise(tmp_path, DAYS[0], naive_zone=UTC, today=NOW.date())


def test_a_damaged_sealed_day_is_never_summed_up(tmp_path: Path) -> None:
    """What can't be read is no day without records: nothing may take its place."""
    write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z")] * 30)
    seal(tmp_path, DAYS[0], naive_zone=UTC)
    (path,) = tmp_path.glob("*.parquet")
    content = path.read_bytes()
    for damaged in (content[:-20], content[:10] + b"?" * 300 + content[310:], b""):
        path.write_bytes(damaged)
        with pytest.raises(LogsError, match="damaged"):
            summarise(tmp_path, DAYS[0], naive_zone=UTC, today=NOW.date())


def test_what_is_sealed_is_not_read_twice(tmp_path: Path) -> None:
    """A source that a killed run has left beside the sealed file is skipped as far as it went."""
    path = write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z")] * 3)
    copy = tmp_path / "kept"
    os.link(path, copy)
    seal(tmp_path, DAYS[0], naive_zone=UTC)
    copy.rename(path)
    assert list_logs(tmp_path).raw
    assert ask(tmp_path, QUERIES[0]).totals.calls == 3
    with path.open("ab") as file:
        file.write(b"\n".join([path.read_bytes().split(b"\n")[0], b""]))
    assert ask(tmp_path, QUERIES[0]).totals.calls == 4


def test_a_new_file_in_an_old_ones_inode_is_read_whole(tmp_path: Path) -> None:
    """Inode numbers come again: the digest tells a late file from a sealed one."""
    path = write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z")])
    copy = tmp_path / "kept"
    os.link(path, copy)
    seal(tmp_path, DAYS[0], naive_zone=UTC)
    copy.write_bytes(copy.read_bytes().replace(b"rag_answer", b"rag_replay") * 2)
    copy.rename(path)
    assert ask(tmp_path, QUERIES[0]).totals.calls == 3


def test_a_report_notices_the_successor_of_a_file_that_was_sealed_under_it(tmp_path: Path) -> None:
    """A late file may have its name and its inode; what it held is in the sealed file now."""
    path = write_day(tmp_path, "2026-10-30", [record("2026-10-30T12:00:00Z", id="a")] * 2)
    copy = tmp_path / "kept"
    os.link(path, copy)
    scan = Scan(tmp_path, plan(QUERIES[0], naive_zone=UTC, now=NOW))
    seal(tmp_path, DAYS[0], naive_zone=UTC)
    copy.write_bytes(copy.read_bytes().replace(b'"id":"a"', b'"id":"b"'))
    copy.rename(path)
    found = answer(QUERIES[0], scan, prices=PriceTable(), now=NOW)
    assert found.totals.calls == 2
    assert found.ledger.duplicates == 2
