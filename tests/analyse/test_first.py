"""Rankings of very many groups."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import orjson
import pytest
from support import record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.first import MANY
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import First, Query
from tokenusage.analyse.ranking import MEASURES, rank
from tokenusage.analyse.report import Report
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GROUPS = 2 * MANY + 2000


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Calls with many queries: equal ones, unpriced and untimed ones, hits, and none at all."""
    rng = Random(1)
    calls = [
        record(
            query=f"q{rng.randrange(GROUPS * 9)}" if rng.random() < 0.99 else None,
            prompt_tokens=(tokens := rng.randrange(4)),
            total_tokens=tokens,
            cost_estimate=rng.choice([None, 0, 0.5, 0.25]),
            response_time=rng.choice([None, 0.5, 1]),
            success=rng.random() < 0.999,
            cache="session" if rng.random() < 0.1 else None,
        )
        for _ in range(GROUPS + 8000)
    ]
    logs = tmp_path_factory.mktemp("logs")
    write_day(logs, "2026-11-20", map(orjson.dumps, calls))
    return logs


def ask(logs: Path, first: First | None) -> Report:
    query = Query(make_period(now=NOW), by=("query",), first=first)
    with Scan(logs, plan(query, naive_zone=UTC, now=NOW)) as scan:
        return answer(query, scan, prices=PriceTable(), now=NOW)


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("limit", [1, 7])
def test_choosing_the_first_changes_nothing(logs: Path, measure: str, limit: int) -> None:
    """Ranks, shares, the rest and the totals are those of all groups ranked."""
    everything, chosen = ask(logs, None), ask(logs, First(measure, limit))
    slow, fast = (rank(report, "queries", measure, limit) for report in (everything, chosen))
    assert fast.rows == slow.rows
    assert (fast.hidden, fast.rest) == (slow.hidden, slow.rest)
    assert (chosen.totals, chosen.users) == (everything.totals, everything.users)


@pytest.mark.slow
def test_no_row_is_made_of_what_is_not_shown(logs: Path) -> None:
    """Of tens of thousands of groups a few are left."""
    assert len(ask(logs, First("cost", 5)).rows) < 1000 < ask(logs, First("cost", 5)).hidden
