import logging
from pathlib import Path
from typing import Any

import pytest
from writing import records

from tokenusage.context import track
from tokenusage.errors import RecordError
from tokenusage.write.tracker import Tracker

CALL: dict[str, Any] = {"model_name": "m", "operation_type": "x"}


def test_a_record_takes_what_it_is_not_given_from_the_track(tracker: Tracker) -> None:
    """What is said around a call holds for it, in the order of the fields."""
    around: dict[str, Any] = {
        "user_id": 7,
        "query": "why?",
        "session_id": "s",
        "provider": "azure",
        "tags": {"team": "search"},
    }
    with track(operation_type="never asked for", **around):
        record = tracker.record(**CALL, items=3, user_id=None, session_id=None)

    assert record is not None
    assert {name: record[name] for name in around} == around
    assert (record["operation_type"], record["items"]) == ("x", 3)
    assert list(record)[-5:] == ["provider", "session_id", "items", "tags", "cost_source"]


def test_what_a_record_is_given_wins_and_tags_are_merged(tracker: Tracker) -> None:
    """The call knows best; of tags, each by itself."""
    with track(user_id=7, query="outer", session_id="outer", tags={"a": "outer", "b": "outer"}):
        record = tracker.record(
            **CALL, user_id=0, query="", session_id="own", tags={"b": "own", "c": "own"}
        )

    assert record is not None
    assert (record["user_id"], record["query"], record["session_id"]) == (0, "", "own")
    assert record["tags"] == {"a": "outer", "b": "own", "c": "own"}


def test_wrong_fields_raise_inside_a_track_too(tracker: Tracker, logs: Path) -> None:
    """With the same words, and before anything is written."""
    with track(user_id=7, tags={"a": 1}):
        with pytest.raises(RecordError, match="tags must be a mapping"):
            tracker.record(**CALL | {"tags": ["a"]})
        with pytest.raises(TypeError, match="Did you mean user_id"):
            tracker.record(**CALL | {"userid": 1})
    assert not logs.exists()


def test_a_timed_call_is_of_the_track_in_which_it_begins(tracker: Tracker) -> None:
    """Even where another one holds at its end, or it fails."""
    call = tracker.call(**CALL)
    with track(user_id="begin"):
        call.__enter__()
    with track(user_id="end", session_id="end"):
        call.__exit__(None, None, None)
    with pytest.raises(ZeroDivisionError), track(user_id=7), tracker.call(**CALL) as failed:
        raise ZeroDivisionError

    assert call.record is not None
    assert failed.record is not None
    assert (call.record["user_id"], "session_id" in call.record) == ("begin", False)
    assert (failed.record["user_id"], failed.record["success"]) == (7, False)


def test_a_cache_hit_is_a_record_without_tokens_or_cost(tracker: Tracker, logs: Path) -> None:
    """Its level is any word; the track around it holds for it as for a call."""
    with track(user_id=7):
        first = tracker.cache_hit(operation_type="rag_answer", model_name="gpt-4o-mini")
        second = tracker.cache_hit(**CALL, level="ours", response_time=0.01, tags={"a": 1})

    assert first is not None
    assert second is not None
    assert records(logs) == [first, second]
    assert (first["cache"], first["user_id"], second["cache"]) == ("session", 7, "ours")
    assert (first["total_tokens"], first["cost_estimate"]) == (0, 0.0)
    assert (second["response_time"], second["tags"]) == (0.01, {"a": 1})


@pytest.mark.parametrize("name", ["prompt_tokens", "total_tokens", "cost_estimate", "cache", "no"])
def test_a_cache_hit_has_neither_tokens_nor_cost_to_give(tracker: Tracker, name: str) -> None:
    """They are what a cache hit is, and not the caller's to say."""
    with pytest.raises(TypeError):
        tracker.cache_hit(**CALL | {name: 1})


@pytest.mark.parametrize("level", ["", None, 5])
def test_a_cache_hit_without_a_level_is_refused(tracker: Tracker, logs: Path, level: Any) -> None:
    """It would be a record of a call that nobody made."""
    with pytest.raises(RecordError, match="level must be a str"):
        tracker.cache_hit(**CALL, level=level)
    assert not logs.exists()


def test_what_could_not_be_captured_is_a_drop(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Announced by the next record, warned of once a kind, by place and not by message."""
    with caplog.at_level(logging.WARNING, "tokenusage"):
        for _ in range(3):
            try:
                int("my secret prompt")
            except ValueError as error:
                tracker.count_drop(error)
    record = tracker.record(**CALL)

    assert record is not None
    assert record["dropped"] == 3
    assert len(caplog.records) == 1
    assert "ValueError: test_scope.py, line" in caplog.text
    assert "secret" not in caplog.text
