"""`Tracker.get_usage_stats`: totals as a dict."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support import record, write_day

from tokenusage import Tracker
from tokenusage.errors import WrongUseError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def stats(logs: Path, **options: Any) -> dict[str, Any]:
    with Tracker(logs, clock=lambda: NOW) as tracker:
        return tracker.get_usage_stats(**options)


def test_totals_and_groups_of_the_last_week(tmp_path: Path) -> None:
    """All keys are there, the groups add up to the totals, older days are left out."""
    calls = [
        record(user_id=1, response_time=1.0),
        record(user_id="2", success=False, cost_estimate=None),
        record(model_name="other", operation_type="embedding", cost_estimate=0.002),
    ]
    write_day(tmp_path, "2026-11-20", calls)
    write_day(tmp_path, "2026-11-01", [record("2026-11-01T00:00:00Z")])
    found = stats(tmp_path)
    assert (found["total_calls"], found["failed_calls"], found["unique_users"]) == (3, 1, 2)
    assert (found["prompt_tokens"], found["completion_tokens"], found["total_tokens"]) == (
        300,
        30,
        330,
    )
    assert found["success_rate"] == pytest.approx(2 / 3)
    assert (found["total_cost"], found["unpriced_calls"]) == (0.003, 1)
    assert (found["avg_tokens_per_call"], found["avg_cost_per_call"]) == (110, 0.0015)
    assert found["avg_response_time"] == pytest.approx(2 / 3)
    for group in ("by_operation", "by_model", "by_day", "by_user"):
        assert sum(part["total_calls"] for part in found[group].values()) == 3
    assert found["by_operation"]["embedding"]["total_cost"] == 0.002
    assert list(found["by_day"]) == ["2026-11-20"]


def test_filters_narrow_it(tmp_path: Path) -> None:
    """A user, an operation and a model can be asked for."""
    write_day(tmp_path, "2026-11-20", [record(user_id=n, operation_type=f"o{n}") for n in (1, 2)])
    assert stats(tmp_path, user_id="1")["total_calls"] == 1
    assert stats(tmp_path, operation_type="o2", model_name="gpt-4o-mini")["total_calls"] == 1
    assert stats(tmp_path, model_name="gpt-4o")["total_calls"] == 0


def test_naive_times_are_of_the_trackers_zone(tmp_path: Path) -> None:
    """A naive evening in Los Angeles is of the next UTC day."""
    write_day(tmp_path, "2026-11-21", [record("2026-11-21T20:00:00")])
    zone = ZoneInfo("America/Los_Angeles")
    with Tracker(tmp_path, clock=lambda: NOW, naive_timezone=zone) as tracker:
        assert list(tracker.get_usage_stats()["by_day"]) == ["2026-11-22"]


def test_nothing_logged_is_zero_calls(tmp_path: Path) -> None:
    """Before the first record every figure is 0 and of its type, and nothing raises."""
    empty = stats(tmp_path / "missing")
    assert empty == stats(tmp_path)
    assert (empty["total_calls"], empty["total_cost"], empty["by_user"]) == (0, 0.0, {})
    assert isinstance(empty["total_cost"], float)


def test_calls_without_a_price_cost_what_is_known(tmp_path: Path) -> None:
    """The total cost is always a float; unpriced calls are counted beside it."""
    write_day(tmp_path, "2026-11-20", [record(cost_estimate=None)])
    found = stats(tmp_path)
    assert (found["total_cost"], found["unpriced_calls"]) == (0.0, 1)


def test_days_must_be_some(tmp_path: Path) -> None:
    """Zero days are a mistake."""
    write_day(tmp_path, "2026-11-20", [])
    with pytest.raises(WrongUseError):
        stats(tmp_path, days=0)
