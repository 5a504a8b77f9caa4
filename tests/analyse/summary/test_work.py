from datetime import timedelta
from pathlib import Path

import pytest
from summaries import at, named, shop, summary_of, write

MINUTE = timedelta(minutes=1)


def test_sessions_come_to_averages(tmp_path: Path) -> None:
    """Calls and cost of each, and from the first call to the last; a hit is no call."""
    sessions = summary_of(shop(tmp_path / "logs")).sessions
    assert (sessions.number, sessions.active, sessions.calls, sessions.lasting) == (3, 2, 4, 3)
    assert sessions.avg_calls == pytest.approx(4 / 3)
    assert sessions.avg_cost == pytest.approx(4 * 0.0125 / 3)
    assert sessions.avg_duration == 15 * 60 / 3


def test_tasks_come_to_batches_and_projections(tmp_path: Path) -> None:
    """A batch counts once in each task, and a thousand tasks cost a thousand times as much."""
    tasks = summary_of(shop(tmp_path / "logs")).tasks
    assert (tasks.number, tasks.calls, tasks.batches, tasks.avg_batches) == (1, 2, 1, 1.0)
    assert (tasks.avg_duration, tasks.projected_cost(1000)) == (180.0, 2.0)


def test_items_have_tokens_and_a_price(tmp_path: Path) -> None:
    """Only of the calls that have some."""
    summary = summary_of(shop(tmp_path / "logs"))
    items = named(summary, "this_month").items
    assert (items.items, items.known, items.total_tokens, items.avg_tokens) == (
        60,
        60,
        6200,
        6200 / 60,
    )
    assert items.projected_cost(1000) == pytest.approx(0.002 / 60 * 1000)
    assert named(summary, "today").items.projected_cost(1000) is None


def test_hits_save_what_such_calls_cost(tmp_path: Path) -> None:
    """The average priced call of the same operation and model; without one it is unknown."""
    cache = summary_of(shop(tmp_path / "logs")).cache
    assert (cache.hits, cache.session, cache.persistent, cache.other) == (3, 1, 1, 1)
    assert (cache.estimated_saving, cache.unpriced) == (0.025, 1)
    assert cache.hit_rate == 3 / 12


def test_a_session_of_hits_alone_has_no_duration(tmp_path: Path) -> None:
    """It is a session all the same."""
    hit = at(MINUTE, cache="session", session_id="s", cost_estimate=0)
    sessions = summary_of(write(tmp_path / "logs", hit)).sessions
    assert (sessions.number, sessions.active, sessions.avg_calls) == (1, 1, 0.0)
    assert (sessions.avg_duration, sessions.avg_cost) == (None, 0.0)


def test_what_is_unpriced_has_no_price(tmp_path: Path) -> None:
    """Unknown is never 0."""
    call = at(MINUTE, session_id="s", items=3, cost_estimate=None)
    summary = summary_of(write(tmp_path / "logs", call))
    assert summary.sessions.avg_cost is None
    assert named(summary, "all_time").items.projected_cost(1000) is None
    assert summary.projection.cost is None


def test_what_is_priced_at_nothing_has_a_price(tmp_path: Path) -> None:
    """Beside calls without a price it is the least that items, sessions and calls cost."""
    calls = [at(MINUTE, session_id="s", items=3, cost_estimate=cost) for cost in (0, None)]
    summary = summary_of(write(tmp_path / "logs", *calls))
    assert named(summary, "all_time").items.projected_cost(1000) == 0.0
    assert (summary.sessions.avg_cost, summary.totals.cost) == (0.0, 0.0)
