import asyncio
import sys
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from litellms import MESSAGES, Logged

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.litellm_callback import MOST_CALLS, Callback
from tokenusage.context import track

START = datetime(2026, 11, 22, 12, 0, 0)
END = START + timedelta(seconds=2)


def made(call_id: str, **more: Any) -> dict[str, Any]:
    """Return what LiteLLM hands to a callback, in the least form."""
    return {
        "litellm_call_id": call_id,
        "call_type": "acompletion",
        "model": "gpt-4o-mini",
        "custom_llm_provider": "openai",
        "messages": MESSAGES,
        **more,
    }


class Log:
    """What LiteLLM makes for a call, in the least form."""

    def __init__(self, call_id: str) -> None:
        self.litellm_call_id = call_id


def response() -> SimpleNamespace:
    """Return an answer with usage."""
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    return SimpleNamespace(id="chatcmpl-1", model="gpt-4o-mini", usage=usage)


def test_answer_is_recorded_once(capture: Capture, logged: Logged) -> None:
    """After some async calls LiteLLM calls both methods."""
    callback = Callback(capture)
    callback.log_success_event(made("a"), response(), START, END)
    asyncio.run(callback.async_log_success_event(made("a"), response(), START, END))
    (record,) = logged()
    assert (record["response_time"], record["provider"]) == (2.0, "openai")


def test_retry_after_a_failure_is_a_record_of_its_own(capture: Capture, logged: Logged) -> None:
    """LiteLLM's own retries keep the id of the call."""
    callback = Callback(capture)
    callback.log_failure_event(made("a", exception=ValueError("No.")), None, START, END)
    callback.log_success_event(made("a"), response(), START, END)
    assert [record["success"] for record in logged()] == [False, True]


@pytest.mark.parametrize(("kind", "level"), [("local", "session"), ("redis", "persistent")])
def test_hit_of_litellms_cache_is_no_call(
    kind: str, level: str, capture: Capture, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What LiteLLM's own cache answers has no tokens, and says which kind of cache it was."""
    cache = SimpleNamespace(cache=SimpleNamespace(type=kind))
    monkeypatch.setitem(sys.modules, "litellm", cache)
    callback = Callback(capture)
    callback.log_success_event(made("a", cache_hit=True), response(), START, END)
    (record,) = logged()
    assert (record["cache"], record["total_tokens"]) == (level, 0)
    assert (record["cost_estimate"], record["query"]) == (0.0, "Where am I?")


def test_hit_of_litellms_cache_belongs_to_who_asked(
    capture: Capture, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM tells of it in a thread that knows no scope, and by the model's whole name."""
    monkeypatch.setitem(sys.modules, "litellm", SimpleNamespace(cache=None))
    callback = Callback(capture)
    with track(user_id="ann"):
        log = Log("a")
        callback.made(log, None)
    hit = made("a", cache_hit=True, model="openai/gpt-4o-mini")
    callback.log_success_event(hit, SimpleNamespace(usage=None), START, END)
    (record,) = logged()
    assert (record["user_id"], record["model_name"]) == ("ann", "gpt-4o-mini")


def test_call_whose_request_was_never_sent_is_no_record(capture: Capture, logged: Logged) -> None:
    """LiteLLM makes the object of a call before it looks into its cache, and for other things."""
    log = Log("a")
    callback = Callback(capture)
    callback.made(log, None)
    del log
    assert (logged(), len(callback._calls)) == ([], 0)


def test_forked_child_leaves_the_parents_calls_alone(capture: Capture, logged: Logged) -> None:
    """What began in the parent ends there."""
    log = Log("a")
    callback = Callback(capture)
    callback.made(log, None)
    callback.log_pre_api_call("gpt-4o-mini", MESSAGES, made("a"))
    callback.renew()
    del log
    assert logged() == []


def test_broken_stream_keeps_what_litellm_counted(capture: Capture, logged: Logged) -> None:
    """The tokens that were delivered before the failure are charged."""
    usage = response().usage
    kwargs = made("a", exception=ValueError("cut"), combined_usage_object=usage)
    Callback(capture).log_failure_event(kwargs, None, START, END)
    (record,) = logged()
    assert (record["success"], record["total_tokens"]) == (False, 13)
    assert record["usage_source"] == "partial"


def test_payload_stands_in_for_missing_usage(capture: Capture, logged: Logged) -> None:
    """Where the response has no usage, LiteLLM's logging payload has."""
    payload = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    answer = SimpleNamespace(id="x", model="gpt-4o-mini")
    kwargs = made("a", standard_logging_object=payload)
    Callback(capture).log_success_event(kwargs, answer, START, END)
    assert logged()[0]["total_tokens"] == 9


def test_what_is_no_model_call_is_no_record(capture: Capture, logged: Logged) -> None:
    """Files, batches and moderations are none."""
    for kind in ("acreate_file", "moderation", "aretrieve_batch", None):
        kwargs = made(f"{kind}", call_type=kind)
        Callback(capture).log_success_event(kwargs, response(), START, END)
    assert logged() == []


def test_what_is_remembered_is_bounded(capture: Capture) -> None:
    """Calls that never end, such as streams that are dropped, are forgotten in the end."""
    callback = Callback(capture)
    for number in range(MOST_CALLS + 5):
        callback.log_pre_api_call("gpt-4o-mini", MESSAGES, made(f"{number}"))
    assert len(callback._calls) == MOST_CALLS


def test_failure_of_the_callback_does_not_reach_litellm(capture: Capture, logged: Logged) -> None:
    """What can't be read is no record."""
    callback = Callback(capture)
    callback.log_pre_api_call("gpt-4o-mini", MESSAGES, {})
    callback.log_success_event({}, None, START, END)
    callback.log_failure_event(made("a"), None, START, END)
    assert logged() == []
