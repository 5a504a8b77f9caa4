from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import FIELD_LINE, write_day

from tokenusage.errors import LogsError
from tokenusage.ingest.demo import make_records, write_demo
from tokenusage.price.pricer import Pricer
from tokenusage.read.decode import check
from tokenusage.record import Record
from tokenusage.write.appender import Appender

NOW = datetime(2026, 11, 20, 14, 20, 3, tzinfo=UTC)
PRICER = Pricer()


def make(now: datetime = NOW, days: int = 30, calls: int = 1200, seed: int = 1) -> list[Record]:
    return list(make_records(now, days, calls, Random(seed), PRICER))


def write(directory: Path) -> None:
    write_demo(
        directory,
        now=NOW,
        days=30,
        calls=300,
        rng=Random(1),
        pricer=PRICER,
        appender=Appender(directory),
    )


def test_the_same_seed_and_clock_make_the_same_records() -> None:
    """Seed and clock decide everything; another seed makes other records."""
    assert make() == make()
    assert make() != make(seed=2)


def test_every_kind_of_call_occurs() -> None:
    """The samples show what a report can: failures, caches, unpriced models, providers, tags."""
    records = make()
    assert len({r["id"] for r in records}) == 1200
    assert {r["operation_type"] for r in records} == {
        "rag_answer",
        "rag_streaming",
        "embedding",
        "batch_embedding",
    }
    assert {"openai", "anthropic", "google"} < {r["provider"] for r in records}
    assert {"session", "persistent", "search_results"} == {r.get("cache") for r in records} - {None}
    assert {type(r["user_id"]) for r in records} == {int, str}
    assert {r["model_name"] for r in records if r["cost_estimate"] is None} == {"support-tuned-8b"}
    assert all(r["error_message"] for r in records if not r["success"])
    for field in ("cache_read_tokens", "reasoning_tokens", "session_id", "batch_id", "tags"):
        assert any(field in r for r in records), field


def test_the_rhythm_of_days_and_weeks() -> None:
    """Working days are busier than weekends, and noon is busier than the night."""
    times = [datetime.fromisoformat(r["timestamp"]) for r in make(calls=5000)]
    weekdays = Counter(t.weekday() for t in times)
    assert min(weekdays[d] for d in range(5)) > 2 * max(weekdays[5], weekdays[6])
    assert sum(8 <= t.hour < 18 for t in times) > 0.7 * len(times)


@settings(deadline=None, max_examples=30)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.integers(1, 60),
    st.integers(0, 100),
)
def test_samples_end_now(now: datetime, days: int, seed: int) -> None:
    """All samples are records of the last days, in order, and none is later than now."""
    records = make(now, days, 50, seed)
    times = [datetime.fromisoformat(r["timestamp"]) for r in records]
    assert times == sorted(times)
    assert times[-1] <= now
    assert times[0].date() > (now - timedelta(days=days)).date()
    for record in records:
        check(record)
        assert record.get("cache_read_tokens", 0) <= record["prompt_tokens"]
        assert record.get("reasoning_tokens", 0) <= record["completion_tokens"]


def test_days_are_written_to_their_files(tmp_path: Path) -> None:
    """Each record stands in the file of its day, and all of them are there."""
    write(tmp_path / "demo")
    files = list((tmp_path / "demo").iterdir())
    lines = [(path, line) for path in files for line in path.read_bytes().splitlines()]
    assert len(lines) == 300
    assert all(orjson.loads(line)["timestamp"][:10] in path.name for path, line in lines)


def test_a_log_that_holds_records_is_refused(tmp_path: Path) -> None:
    """Samples never mix with records; empty day files are no obstacle."""
    write_day(tmp_path, "2026-11-20", [])
    write(tmp_path)
    with pytest.raises(LogsError, match="already holds records"):
        write(tmp_path)
    write_day(tmp_path / "field", "2024-12-26", [FIELD_LINE])
    with pytest.raises(LogsError, match="--logs"):
        write(tmp_path / "field")
