import logging
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from writing import LinearPricer, broken_handler, lines, records

from tokenusage.errors import RecordError, WrongUseError
from tokenusage.record import BASE_FIELDS, FIELDS, Record
from tokenusage.write.tracker import Tracker

CALL: dict[str, Any] = {"model_name": "m", "operation_type": "x"}


def test_what_is_returned_is_what_was_written(tracker: Tracker, logs: Path) -> None:
    """The caller sees the line as it stands in the file, fields in order."""
    record = tracker.record(
        model_name="gpt-4o-mini",
        operation_type="rag_answer",
        prompt_tokens=1250,
        completion_tokens=150,
        user_id=123,
        query="one\u2028two\nthree",
        response_time=2.34,
        tags={"team": "search"},
        session_id="s",
    )

    assert record is not None
    assert records(logs) == [record]
    assert list(record)[:12] == list(BASE_FIELDS)
    assert list(record) == sorted(record, key=FIELDS.index)
    assert (record["total_tokens"], record["cost_estimate"]) == (1400, 0.0014)
    assert record["cost_source"] == "linear"


def test_wrong_values_raise_before_anything_is_written(tracker: Tracker, logs: Path) -> None:
    """A programming error is the caller's to mend, and no line in the log."""
    with pytest.raises(RecordError):
        tracker.record(**CALL, prompt_tokens=-1)
    with pytest.raises(RecordError):
        tracker.record(**CALL, tags={"timestamp": "now"})
    with pytest.raises(RecordError, match="zone"):
        tracker.record(**CALL, timestamp=datetime(2026, 11, 20))
    with pytest.raises(TypeError, match="Did you mean user_id"):
        tracker.record(**CALL | {"userid": 1})
    assert not logs.exists()


def test_the_date_of_the_file_is_that_of_the_record_in_utc(logs: Path) -> None:
    """Across midnight, and for calls of another zone, each record finds its own day."""
    midnight = datetime(2024, 2, 29, tzinfo=UTC)
    moments = iter([midnight - timedelta(microseconds=1), midnight])
    tracker = Tracker(logs, pricer=LinearPricer(), clock=lambda: next(moments))
    tracker.record(**CALL)
    tracker.record(**CALL)
    new_york = timezone(timedelta(hours=-5))
    tracker.record(**CALL, timestamp=datetime(2024, 2, 29, 20, tzinfo=new_york))

    assert {path.name[12:22]: path.read_text()[13:41] for path in logs.iterdir()} == {
        "2024-02-28": '"2024-02-28T23:59:59.999999+',
        "2024-02-29": '"2024-02-29T00:00:00.000000+',
        "2024-03-01": '"2024-03-01T01:00:00.000000+',
    }


def test_a_given_cost_is_the_providers_own_unless_said_otherwise(tracker: Tracker) -> None:
    """Given, then priced, then null; unknown is never 0."""
    cases: list[tuple[dict[str, Any], tuple[float | None, str | None]]] = [
        ({"cost_estimate": 0.5}, (0.5, "provider")),
        ({"cost_estimate": 0.5, "cost_source": "invoice"}, (0.5, "invoice")),
        ({"cost_estimate": 0}, (0, "provider")),
        ({"prompt_tokens": 2}, (0.000002, "linear")),
        ({"prompt_tokens": 2, "model_name": "unknown"}, (None, None)),
        ({"cache": "session"}, (0.0, None)),
        ({"cache": "session", "cost_estimate": 0.1}, (0.1, "provider")),
    ]
    for fields, expected in cases:
        record = tracker.record(**CALL | fields)
        assert record is not None
        assert (record["cost_estimate"], record.get("cost_source")) == expected


def test_a_pricer_that_fails_costs_the_price_and_not_the_record(
    logs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever prices calls is not trusted with them."""

    class Broken:
        def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:
            raise ZeroDivisionError(record, at)

    record = Tracker(logs, pricer=Broken()).record(**CALL)

    assert record is not None
    assert record["cost_estimate"] is None
    assert "'m' has no price (ZeroDivisionError)" in caplog.text


def test_a_price_that_no_record_can_hold_is_none(logs: Path) -> None:
    """A line that every reader rejects would lose the tokens too."""

    class Dear:
        def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:
            return 2e6 + at.year + len(record), "dear"

    record = Tracker(logs, pricer=Dear()).record(**CALL)

    assert record is not None
    assert (record["cost_estimate"], "cost_source" in record) == (None, False)


def test_a_path_that_no_file_system_takes_is_a_drop(tmp_path: Path) -> None:
    """Whatever is wrong below, the application's own work goes on."""
    assert Tracker(tmp_path / "\0", pricer=LinearPricer()).record(**CALL) is None
    assert Tracker(tmp_path / "\ud800", pricer=LinearPricer()).record(**CALL) is None


def test_nothing_that_can_be_said_is_lost(tracker: Tracker, logs: Path) -> None:
    """Lone surrogates, NULs and endless queries make a line like any other."""
    record = tracker.record(
        **CALL, user_id="\ud800", query="\0\x1b[31m\u202e", tags={"a": "\udfff"}
    )

    assert record is not None
    assert records(logs) == [record]
    assert (record["user_id"], record["tags"]) == ("\ufffd", {"a": "\ufffd"})


def test_secrets_in_error_messages_are_masked(tracker: Tracker, logs: Path) -> None:
    """A key in an SDK's message ends neither in the file nor in the application's log."""
    tracker.record(**CALL, success=False, error_message="bad key sk-abcdef123456")

    assert b"abcdef" not in lines(logs)[0]


def test_the_query_is_cut_as_configured(logs: Path) -> None:
    """A team that may not keep prompts keeps none; cutting by configuration is no truncation."""
    kept = Tracker(logs, pricer=LinearPricer()).record(**CALL, query="q" * 600)
    none = Tracker(logs, pricer=LinearPricer(), query_chars=0).record(**CALL, query="q")

    assert kept is not None
    assert none is not None
    assert (len(kept["query"]), none["query"]) == (500, None)
    assert "truncated" not in kept


def test_drops_are_announced_by_the_next_record(
    tracker: Tracker, logs: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The application goes on, the log says once what is wrong, the next line how many."""
    logs.write_text("a file in the directory's place")
    with caplog.at_level(logging.WARNING, "tokenusage"):
        assert [tracker.record(**CALL) for _ in range(3)] == [None] * 3
    logs.unlink()
    first, second = tracker.record(**CALL), tracker.record(**CALL)

    assert len(caplog.records) == 1
    assert first is not None
    assert second is not None
    assert (first["dropped"], second.get("dropped")) == (3, None)
    assert records(logs) == [first, second]


def test_drops_of_many_threads_are_announced_once_each(tracker: Tracker, logs: Path) -> None:
    """However drops and announcements overlap, their sum is right."""
    directory = logs / "token_usage_2026-11-20.jsonl"
    directory.mkdir(parents=True)
    bad = datetime(2026, 11, 20, tzinfo=UTC)
    good = datetime(2026, 11, 21, tzinfo=UTC)

    def work() -> None:
        for n in range(200):
            tracker.record(**CALL, timestamp=bad if n % 3 else good)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracker.record(**CALL, timestamp=good)
    directory.rmdir()

    assert sum(record.get("dropped", 0) for record in records(logs)) == 4 * 133


def test_the_log_of_the_application_hears_of_calls_but_not_their_queries(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Each record at DEBUG, each failure at WARNING, never a prompt or a forged line."""
    with caplog.at_level(logging.DEBUG, "tokenusage"):
        tracker.record(**CALL, query="secret plan", user_id="eve\nWARNING forged")
        tracker.record(**CALL, query="secret plan", success=False, error_message="boom")

    assert [record.levelname for record in caplog.records] == ["DEBUG", "WARNING"]
    assert "boom" in caplog.text
    assert "secret plan" not in caplog.text
    assert "\nWARNING forged" not in caplog.text


def test_a_log_handler_that_raises_costs_neither_record_nor_call(logs: Path) -> None:
    """Calls, failed calls and prices that fail are told to whoever listens, and that is all."""

    class BrokenPricer:
        def price(self, record: Mapping[str, Any], at: datetime) -> tuple[None, None]:
            raise ValueError(record["model_name"], at)

    tracker = Tracker(logs, pricer=BrokenPricer())
    with broken_handler():
        tracker.record(**CALL)
        tracker.record(**CALL, success=False, error_message="500")

    assert [record["success"] for record in records(logs)] == [True, False]
    assert all("dropped" not in record for record in records(logs))


def test_a_tracker_can_log_from_inside_a_log_handler(tracker: Tracker, logs: Path) -> None:
    """The log is written to after the lock is released, so that nothing waits for itself."""

    class Nosy(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "nested" not in record.getMessage():
                tracker.record(model_name="nested", operation_type="x")

    logger = logging.getLogger("tokenusage")
    handler = Nosy()
    logger.addHandler(handler)
    try:
        tracker.record(**CALL, success=False)
    finally:
        logger.removeHandler(handler)
    assert len(records(logs)) == 2
    assert len(list(logs.iterdir())) == 1


def test_a_tracker_stays_where_it_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon's chdir doesn't take the logs along."""
    monkeypatch.chdir(tmp_path)
    tracker = Tracker("here", pricer=LinearPricer())
    monkeypatch.chdir(os.sep)
    tracker.record(**CALL)

    assert tracker.logs == tmp_path / "here"
    assert len(records(tmp_path / "here")) == 1


@pytest.mark.parametrize("options", [{"query_chars": -1}, {"sync": "always"}])
def test_options_that_cannot_be_are_refused(logs: Path, options: dict[str, Any]) -> None:
    """A tracker is either made as asked or not at all."""
    with pytest.raises(WrongUseError, match=next(iter(options))):
        Tracker(logs, pricer=LinearPricer(), **options)


def test_a_closed_tracker_goes_on_when_it_is_used(tracker: Tracker, logs: Path) -> None:
    """Closing at the wrong moment loses no record."""
    with tracker:
        tracker.record(**CALL)
    tracker.record(**CALL)

    assert len(records(logs)) == 2
