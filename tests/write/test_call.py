import asyncio
import time
from pathlib import Path
from typing import Any

import pydantic
import pytest
from writing import records

from tokenusage.errors import RecordError
from tokenusage.write.call import MAX_MESSAGE, describe
from tokenusage.write.tracker import Tracker


def test_a_call_is_timed_and_its_tokens_are_recorded(tracker: Tracker, logs: Path) -> None:
    """The five-line way to log a call gives a whole record."""
    with tracker.call(
        operation_type="rag_answer", user_id=123, query="why?", model_name="m", session_id="s"
    ) as call:
        time.sleep(0.02)
        call.tokens(prompt=1250, completion=150, cache_read_tokens=1000)

    [record] = records(logs)
    assert record == call.record
    assert 0.02 <= record["response_time"] < 5
    assert (record["user_id"], record["query"], record["session_id"]) == (123, "why?", "s")
    assert (record["total_tokens"], record["cache_read_tokens"]) == (1400, 1000)
    assert (record["success"], record["error_message"]) == (True, None)


def test_an_exception_is_recorded_and_goes_on(tracker: Tracker, logs: Path) -> None:
    """A failure has its type and message; its tokens are those known so far."""
    call = tracker.call(operation_type="x", model_name="m")

    with pytest.raises(ValueError, match="boom"), call:
        raise ValueError("boom")

    [record] = records(logs)
    assert (record["success"], record["error_message"]) == (False, "ValueError: boom")
    assert record["total_tokens"] == 0


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_an_interrupted_call_is_a_failure(
    tracker: Tracker, logs: Path, kind: type[BaseException]
) -> None:
    """Whatever ends the block early, the call is recorded, and the interruption goes on."""
    with pytest.raises(kind), tracker.call(operation_type="x", model_name="m"):
        raise kind

    assert records(logs)[0]["error_message"] == kind.__name__


def test_a_cancelled_task_records_its_call(tracker: Tracker, logs: Path) -> None:
    """A timeout around an awaited call is a failure of that call."""

    async def answer() -> None:
        with tracker.call(operation_type="x", model_name="m"):
            await asyncio.sleep(60)

    async def main() -> None:
        async with asyncio.timeout(0.05):
            await answer()

    with pytest.raises(TimeoutError):
        asyncio.run(main())
    assert records(logs)[0]["error_message"] == "CancelledError"


def test_secrets_and_odd_messages_never_reach_the_log(tracker: Tracker, logs: Path) -> None:
    """Keys are masked, and a message that can't be had is named instead."""

    class Broken(Exception):  # noqa: N818 (a test's own)
        def __str__(self) -> str:
            raise RuntimeError

    for error in (ValueError("bad key sk-abcdef123456"), Broken()):
        with pytest.raises(type(error)), tracker.call(operation_type="x", model_name="m"):
            raise error

    messages = [record["error_message"] for record in records(logs)]
    assert messages == [
        "ValueError: bad key [masked]",
        "Broken: its message raised RuntimeError",
    ]


def test_long_messages_are_cut(tracker: Tracker, logs: Path) -> None:
    """A proxy's page of HTML is not kept whole."""
    with (
        pytest.raises(ValueError, match="<html>"),
        tracker.call(operation_type="x", model_name="m"),
    ):
        raise ValueError("<html>" + "x" * 200_000)

    message = records(logs)[0]["error_message"]
    assert len(message) == MAX_MESSAGE
    assert message.startswith("ValueError: <html>x")


def test_refused_values_are_not_quoted() -> None:
    """Pydantic's errors say where and why, not what: it may be a model's answer."""

    class Person(pydantic.BaseModel):
        age: int
        names: list[str]

    with pytest.raises(pydantic.ValidationError) as caught:
        Person.model_validate({"age": "Ann Smith", "names": ["Ann", 1]})
    assert describe(caught.value) == (
        "ValidationError: 2 validation errors for Person: age (int_parsing), names.1 (string_type)"
    )


def test_fields_can_be_set_when_they_become_known(tracker: Tracker, logs: Path) -> None:
    """The model that answered replaces the one that was asked for."""
    with tracker.call(operation_type="x", model_name="m") as call:
        call.set(model_name="m-2026-01-01", cost_estimate=0.5, cache=None)

    [record] = records(logs)
    assert record["model_name"] == "m-2026-01-01"
    assert (record["cost_estimate"], record["cost_source"]) == (0.5, "provider")


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"prompt": -1}, RecordError), ({"prompt": 1, "promt": 2}, TypeError)],
)
def test_wrong_tokens_raise_where_they_are_set(
    tracker: Tracker, fields: dict[str, Any], error: type[Exception]
) -> None:
    """The traceback of a programming error ends at the line that made it."""
    call = tracker.call(operation_type="x", model_name="m")

    with pytest.raises(error):
        call.tokens(**fields)
    with pytest.raises(TypeError, match="Did you mean session_id"):
        tracker.call(operation_type="x", model_name="m", session="s")  # type: ignore[call-arg]


def test_a_failure_to_record_never_hides_the_applications_own(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """What comes out of a failed block is what went wrong in it."""
    call = tracker.call(operation_type="x", model_name="m")
    call._fields["prompt_tokens"] = -1  # what no public way can bring about

    with pytest.raises(ValueError, match="boom"), call:
        raise ValueError("boom")
    assert "could not be recorded (RecordError)" in caplog.text
