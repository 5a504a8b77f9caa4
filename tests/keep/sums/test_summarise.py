"""The sums of a day, each id once, in memory that does not grow."""

from datetime import UTC, date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from support import FIELD_LINE, record, write_day

from tokenusage.keep.sums import hashes
from tokenusage.keep.sums.summarise import DaySums, summarise
from tokenusage.read.summaries import SCHEMA

DAY = date(2026, 11, 20)
TODAY = date(2026, 11, 22)


def sums_of(logs: Path, *lines: Any) -> DaySums:
    write_day(logs, str(DAY), lines)
    return summarise(logs, DAY, naive_zone=UTC, today=TODAY)


def test_a_row_holds_exact_sums(tmp_path: Path) -> None:
    """Every column of the schema, for calls, failures, hits and unpriced ones."""
    found = sums_of(
        tmp_path,
        record(provider="azure", user_email="a@b", items=3, cache_read_tokens=5, dropped=2),
        record(provider="azure", user_email="a@b", success=False, cost_estimate=0.1, items=4),
        record(provider="azure", user_email="a@b", cost_estimate=None, response_time=None),
        record(provider="azure", user_email="a@b", cache="session", usage_source="estimated"),
    )
    assert found.table.schema.equals(SCHEMA)
    assert found.table.to_pylist() == [
        {
            "log_day": DAY,
            "day": DAY,
            "user_id": "1",
            "user_email": "a@b",
            "operation_type": "rag_answer",
            "model_name": "gpt-4o-mini",
            "provider": "azure",
            "calls": 3,
            "failed": 1,
            "unpriced": 1,
            "timed": 2,
            "estimated": 1,
            "cache_hits": 1,
            "dropped": 2,
            "prompt_tokens": 300,
            "completion_tokens": 30,
            "total_tokens": 330,
            "cache_read_tokens": 5,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0,
            "items": 7,
            "cost": Decimal("0.101000000000"),
            "response_time": Decimal("1.000000"),
        }
    ]


def test_unknown_cost_is_null_and_never_0(tmp_path: Path) -> None:
    """A group without any price has no cost; one of cache hits alone has spent nothing."""
    found = sums_of(
        tmp_path,
        record(user_id="a", cost_estimate=None),
        record(user_id="b", cache="session", cost_estimate=0),
    )
    costs = dict(
        zip(found.table["user_id"].to_pylist(), found.table["cost"].to_pylist(), strict=True)
    )
    assert costs == {"a": None, "b": 0}


def test_a_repeated_id_counts_once_across_files_and_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first by file name and line counts, even where all numbers of ids are the same."""
    monkeypatch.setattr(hashes, "_MULTIPLIER", np.uint64(0))
    big = [record(id=f"{n:05}", query="x" * 20_000, user_id="first") for n in range(600)]
    write_day(tmp_path, f"{DAY}.host-1-a", [*big, *big[:2]])
    found = sums_of(tmp_path, record(id="00007", user_id="late"), record(), record())
    users = found.table.select(["user_id", "calls"]).to_pylist()
    assert users == [{"user_id": "1", "calls": 2}, {"user_id": "first", "calls": 600}]
    assert found.account.duplicates == 3
    assert found.account.lines == 605


def test_lines_of_other_days_without_an_id_are_summed_up_as_theirs(tmp_path: Path) -> None:
    """They can repeat nobody, so they count where they are found, under their own day."""
    found = sums_of(tmp_path, FIELD_LINE, record())
    assert found.table["day"].to_pylist() == [date(2024, 12, 26), DAY]
    assert found.table["log_day"].to_pylist() == [DAY, DAY]


def test_a_day_without_records_has_no_rows(tmp_path: Path) -> None:
    """Its lines are accounted for all the same."""
    found = sums_of(tmp_path, b"", b"bad")
    assert (found.table.num_rows, found.account.blank, found.account.rejected) == (0, 1, 1)


def test_rows_are_the_same_in_any_order_of_lines(tmp_path: Path) -> None:
    """Sums are integers, and rows are sorted by their names."""
    lines = [record(user_id=n % 5, cost_estimate=n / 7, model_name=f"m{n % 3}") for n in range(50)]
    one = sums_of(tmp_path / "a", *lines)
    other = sums_of(tmp_path / "b", *map(orjson.dumps, reversed(lines)))
    assert one.table.equals(other.table)
