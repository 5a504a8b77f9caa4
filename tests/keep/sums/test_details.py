"""The details of a day are the grouping of its records, whatever those are."""

import json
from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from detailing import PLAN, by_hand, gathered, of_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import FIELD_LINE, record, write_day

from tokenusage.keep.seal.day import seal
from tokenusage.keep.sums import details
from tokenusage.keep.sums.summarise import DaySums, summarise
from tokenusage.read.details import SCHEMA

DAY = date(2026, 11, 20)
TODAY = date(2026, 11, 22)


def sums_of(logs: Path, *lines: Any) -> DaySums:
    write_day(logs, str(DAY), lines)
    return summarise(logs, DAY, naive_zone=UTC, today=TODAY)


def test_a_row_holds_what_a_summary_leaves_out(tmp_path: Path) -> None:
    """Every column of the schema, for calls, hits and unpriced ones."""
    same: dict[str, Any] = {"session_id": "s", "task_id": 7, "batch_id": None}
    found = sums_of(
        tmp_path,
        record(**same, items=3),
        record(f"{DAY}T09:00:00Z", **same, items=4, cost_estimate=None, response_time=None),
        record(f"{DAY}T10:00:00Z", **same, items=1, cost_estimate=0.1, response_time=0.25),
    ).details
    assert found
    assert found.schema.equals(SCHEMA)
    assert found.to_pylist() == [
        {
            "log_day": DAY,
            "day": DAY,
            "session_id": "s",
            "task_id": "7",
            "batch_id": None,
            "cache": None,
            "with_items": True,
            "calls": 3,
            "cache_hits": 0,
            "unpriced": 1,
            "total_tokens": 330,
            "items": 8,
            "cost": Decimal("0.101000000000"),
            "first": 1_795_165_200_000_000,
            "last": 1_795_176_000_000_000,
            "response_times": [250_000, 500_000],
        }
    ]


def test_hits_are_apart_and_have_no_bounds(tmp_path: Path) -> None:
    """No call was made: nothing is known of when, how long or for how much."""
    found = sums_of(tmp_path, record(), record(cache="session"), record(cache="session")).details
    assert found
    call, hit = sorted(found.to_pylist(), key=lambda row: row["cache_hits"])
    assert (call["cache"], call["calls"], call["cache_hits"]) == (None, 1, 0)
    assert (hit["cache"], hit["calls"], hit["cache_hits"]) == ("session", 0, 2)
    assert (hit["first"], hit["last"], hit["cost"], hit["response_times"]) == (None, None, 0, [])


def test_a_day_that_repeats_an_id_has_none(tmp_path: Path) -> None:
    """What was counted twice could not be taken off again."""
    assert sums_of(tmp_path, record(id="a"), record(id="b")).details
    assert sums_of(tmp_path, record(id="a"), record(id="a")).details is None


def test_a_day_of_too_many_groups_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take more memory than a summary may."""
    monkeypatch.setattr(details, "MOST_GROUPS", 3)
    assert sums_of(tmp_path, *(record(session_id=n) for n in range(3))).details
    assert sums_of(tmp_path, *(record(session_id=n) for n in range(4))).details is None


def test_records_of_other_days_are_grouped_under_theirs(tmp_path: Path) -> None:
    """Without an id they count where they are found, as in summaries."""
    found = sums_of(tmp_path, FIELD_LINE, record()).details
    assert found
    assert found["day"].to_pylist() == [date(2024, 12, 26), DAY]
    assert set(found["log_day"].to_pylist()) == {DAY}


def test_a_day_without_records_has_no_rows(tmp_path: Path) -> None:
    """It has details all the same, so that it is not looked at again."""
    found = sums_of(tmp_path, b"", b"bad").details
    assert found is not None
    assert found.num_rows == 0


def test_pieces_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that many pieces of a day have in common, grouped again and again."""
    monkeypatch.setattr(details, "_PENDING", 0)
    lines = [
        record(session_id=n % 7, response_time=n / 7, query="x" * 60_000, items=n % 2)
        for n in range(700)
    ]
    found = sums_of(tmp_path, *lines).details
    assert found
    assert of_rows(found.to_pylist()) == by_hand(gathered(tmp_path).table.to_pylist())


names = st.sampled_from([None, "", "a", "b", 7, "a\u2028\x00"])
calls = st.fixed_dictionaries(
    {
        "timestamp": st.integers(0, 86_399).map(
            lambda n: f"{DAY}T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z"
        ),
        "prompt_tokens": st.integers(0, 10**12),
        "total_tokens": st.integers(0, 10**12),
        "cost_estimate": st.none() | st.floats(0, 10**6) | st.integers(0, 10**6),
        "response_time": st.none() | st.floats(0, 10) | st.floats(0, 10**9),
    },
    optional={
        "session_id": names,
        "task_id": names,
        "batch_id": names,
        "cache": st.sampled_from([None, "", "session", "persistent"]),
        "items": st.sampled_from([None, 0, 1, 5, -1, "x"]),
        "success": st.booleans(),
    },
)
days = st.lists(
    calls.map(lambda fields: json.dumps(record() | fields).encode()) | st.just(b"bad"), max_size=15
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(first=days, spilled=days, late=days, sealed=st.booleans())
def test_details_are_the_grouping_of_the_records(
    tmp_path_factory: pytest.TempPathFactory,
    first: list[bytes],
    spilled: list[bytes],
    late: list[bytes],
    sealed: bool,  # noqa: FBT001 (drawn)
) -> None:
    """To the last digit and microsecond, in several files, sealed ones among them."""
    logs = tmp_path_factory.mktemp("logs")
    write_day(logs, str(DAY), first)
    write_day(logs, f"{DAY}.host-1-ab", spilled)
    if sealed:
        seal(logs, DAY, naive_zone=UTC)
        write_day(logs, str(DAY), [*late, json.dumps(record(id="late")).encode()])
    expected = by_hand(gathered(logs, PLAN).table.to_pylist())
    found = summarise(logs, DAY, naive_zone=UTC, today=TODAY).details
    assert found is not None
    rows = found.to_pylist()
    assert of_rows(rows) == expected
    assert len(rows) == len(expected)
