import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import answers
import pytest
from writing import LinearPricer

from tokenusage.context import track
from tokenusage.errors import RecordError
from tokenusage.record import Record
from tokenusage.write.tracker import Tracker

CHAT = answers.CHAT | {
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 40},
    },
}
MESSAGE = answers.MESSAGE | {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 20},
}
GEMINI: dict[str, Any] = {
    "candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": "STOP"}],
    "modelVersion": "gemini-2.5-flash",
    "usageMetadata": {
        "promptTokenCount": 100,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 15,
        "totalTokenCount": 120,
    },
}
STREAM: list[dict[str, Any]] = [
    {"type": "message_start", "message": MESSAGE | {"usage": {"input_tokens": 100}}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi."}},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn"},
        "usage": {"output_tokens": 20},
    },
    {"type": "message_stop"},
]


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with Tracker(tmp_path / "logs", pricer=LinearPricer()) as tracker:
        yield tracker


def recorded(tracker: Tracker, response: Any, **fields: Any) -> Record:
    record = tracker.record_response(response, **fields)
    assert record is not None
    return record


@pytest.mark.parametrize("response", [CHAT, MESSAGE, GEMINI, STREAM, tuple(STREAM)])
def test_a_body_or_a_stream_has_its_tokens(tracker: Tracker, response: Any) -> None:
    """Whatever its API calls them: 100 in, 20 out."""
    record = recorded(tracker, response)

    tokens = (record["prompt_tokens"], record["completion_tokens"], record["total_tokens"])
    assert tokens == (100, 20, 120)
    assert (record["operation_type"], record["usage_source"]) == ("chat", "provider")


@pytest.mark.parametrize(
    ("library", "model", "body"),
    [
        ("openai.types.chat", "ChatCompletion", CHAT),
        ("anthropic.types", "Message", MESSAGE),
        ("google.genai.types", "GenerateContentResponse", GEMINI),
    ],
)
def test_an_sdks_object_is_read_as_its_body(
    tracker: Tracker, library: str, model: str, body: dict[str, Any]
) -> None:
    """The same record, but for id and time."""
    kind: Any = getattr(pytest.importorskip(library), model)
    mine = ("timestamp", "id")
    of_object = recorded(tracker, kind.model_validate(body))
    of_body = recorded(tracker, body)

    for name in mine:
        del of_object[name], of_body[name]
    assert of_object == of_body


@pytest.mark.parametrize(
    ("response", "provider"),
    [
        (GEMINI, "google"),
        (MESSAGE, "anthropic"),
        (MESSAGE | {"id": "msg_bdrk_01"}, None),
        (CHAT, None),
    ],
)
def test_the_provider_is_said_where_the_response_tells(
    tracker: Tracker, response: Any, provider: str | None
) -> None:
    """OpenAI's shape is everybody's, and Anthropic's ids on Bedrock are others."""
    assert recorded(tracker, response).get("provider") == provider
    assert recorded(tracker, response, provider="gateway")["provider"] == "gateway"
    with track(provider="other"):
        assert recorded(tracker, response)["provider"] == "other"


@pytest.mark.parametrize(
    ("response", "operation"),
    [
        ({"object": "list", "data": [{"embedding": [0.1], "object": "embedding"}]}, "embedding"),
        ({"embeddings": [{"values": [0.1]}]}, "embedding"),
        ({"created": 1, "data": [{"b64_json": "aGk="}]}, "image"),
        ({"text": "Hi.", "usage": {"type": "duration", "seconds": 3}}, "audio"),
        ({"object": "text_completion", "id": "1", "choices": [{"text": "Hi."}]}, "completion"),
        ({"object": "response", "id": "1", "output": []}, "chat"),
    ],
)
def test_the_operation_is_the_kind_of_call_unless_it_is_said(
    tracker: Tracker, response: Any, operation: str
) -> None:
    """By the call itself, or the track around it."""
    model = {"model_name": "m"}
    assert recorded(tracker, response, **model)["operation_type"] == operation
    with track(operation_type="outer"):
        assert recorded(tracker, response, **model)["operation_type"] == "outer"
        own = recorded(tracker, response, **model, operation_type="own")
    assert own["operation_type"] == "own"


def test_what_is_given_comes_before_what_is_read(tracker: Tracker) -> None:
    """The application's word wins, None says nothing, and tags are merged."""
    odd = CHAT | {"usage": CHAT["usage"] | {"total_tokens": 500}}
    record = recorded(
        tracker, odd, model_name="mine", user_id=7, response_id=None, tags={"a": 1}, success=False
    )

    assert (record["model_name"], record["user_id"], record["success"]) == ("mine", 7, False)
    assert (record["response_id"], record["total_tokens"]) == ("chatcmpl-1", 500)
    assert record["tags"] == {"usage_mismatch": True, "a": 1}


def test_tokens_that_are_given_are_nobodys_estimate(tracker: Tracker) -> None:
    """A response without usage is estimated, unless the application has counted itself."""
    silent = {name: value for name, value in CHAT.items() if name != "usage"}
    counted = recorded(tracker, silent, prompt_tokens=9, completion_tokens=1)

    assert recorded(tracker, silent, request={})["usage_source"] == "partial"
    assert (counted["total_tokens"], "usage_source" in counted) == (10, False)


def test_a_prompt_is_estimated_by_its_request(tracker: Tracker) -> None:
    """Without the request nobody can tell it, and the estimate is but a part."""
    silent = {name: value for name, value in CHAT.items() if name != "usage"}
    request = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x" * 41}]}
    asked = recorded(tracker, silent, request=request)
    unasked = recorded(tracker, silent)

    assert (asked["prompt_tokens"], asked["usage_source"]) == (11, "estimated")
    assert (unasked["prompt_tokens"], unasked["usage_source"]) == (0, "partial")
    assert recorded(tracker, silent, prompt_tokens=9)["usage_source"] == "estimated"
    del silent["model"]
    assert recorded(tracker, silent, request=request)["model_name"] == "gpt-4o-mini"
    with pytest.raises(RecordError, match="A request is"):
        recorded(tracker, silent, request="Hi.")


def test_an_event_is_read_as_the_response_in_it(tracker: Tracker) -> None:
    """The last event of a stream is enough."""
    usage = {"input_tokens": 30, "output_tokens": 16}
    response = {"id": "resp_1", "model": "gpt-5", "status": "completed", "usage": usage}
    record = recorded(tracker, {"type": "response.completed", "response": response})

    assert (record["model_name"], record["response_id"]) == ("gpt-5", "resp_1")
    assert (record["total_tokens"], record["usage_source"]) == (46, "provider")


def test_a_failure_is_one_by_hand_as_well(tracker: Tracker) -> None:
    """An error that was kept instead of raised is no successful call."""
    error = {"message": "No such model.", "type": "invalid_request_error"}
    record = recorded(tracker, {"error": error}, model_name="gpt-9")

    assert (record["success"], record["total_tokens"]) == (False, 0)
    assert record["error_message"] == "invalid_request_error: No such model."


def test_a_stream_that_was_cut_short_is_partial(tracker: Tracker) -> None:
    """What is known of it counts, and says that it is not all."""
    record = recorded(tracker, STREAM[:2])

    assert (record["prompt_tokens"], record["completion_tokens"]) == (100, 1)
    assert record["usage_source"] == "partial"


@pytest.mark.parametrize("response", [1, None, "Hi.", [], [1], object(), iter(STREAM)])
def test_what_is_no_response_is_refused(tracker: Tracker, response: Any, tmp_path: Path) -> None:
    """In a sentence, and before anything is written."""
    with pytest.raises(RecordError, match="A response is"):
        tracker.record_response(response)
    assert not (tmp_path / "logs").exists()


def test_wrong_fields_are_refused(tracker: Tracker, tmp_path: Path) -> None:
    """As record() refuses them, whatever the response is; a call needs a model's name."""
    with pytest.raises(TypeError, match="Did you mean user_id"):
        recorded(tracker, 1, userid=1)
    with pytest.raises(RecordError, match="prompt_tokens"):
        tracker.record_response(CHAT, prompt_tokens=-1)
    with pytest.raises(RecordError, match="give its model_name"):
        tracker.record_response({"usage": CHAT["usage"]})
    assert not (tmp_path / "logs").exists()


def test_an_object_that_fails_when_it_is_read_is_a_drop(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody else's broken property does not end the application's work."""

    class Broken(dict[str, Any]):
        def get(self, *_arguments: Any) -> Any:
            raise ZeroDivisionError

        items: Callable[..., Any] = get

    with caplog.at_level(logging.WARNING, "tokenusage"):
        assert tracker.record_response(Broken(a=1)) is None
    assert recorded(tracker, CHAT)["dropped"] == 1
    assert len(caplog.records) == 1
