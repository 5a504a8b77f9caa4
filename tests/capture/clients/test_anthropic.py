"""The hook on the real Anthropic SDK: answers that come in one piece."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from answers import MESSAGE, MESSAGES, error
from replaying import Replay, Reply, httpx_of

anthropic = pytest.importorskip("anthropic")

Logged = Callable[[], list[dict[str, Any]]]
Hooked = Callable[..., None]


@pytest.fixture
def client(replay: Replay) -> Iterator[Any]:
    """Return a client that believes to speak to Anthropic."""
    with replay.client(httpx_of(anthropic)) as http:
        yield anthropic.Anthropic(api_key="k", http_client=http)


def ask(client: Any, **more: Any) -> Any:
    return client.messages.create(model="claude-x", max_tokens=64, messages=MESSAGES, **more)


def test_message_is_one_right_record(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Cache reads and writes are added to the prompt, and the answer is what it was."""
    replay.answer(Reply(body=MESSAGE))
    before = ask(client)
    hooked(anthropic)
    assert ask(client) == before
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (18, 7)
    assert (record["cache_read_tokens"], record["cache_write_tokens"]) == (5, 3)
    assert (record["provider"], record["response_id"]) == ("anthropic", "msg_1")
    assert (record["model_name"], record["query"]) == ("claude-sonnet-4-5-20250929", "Hi there")
    assert record["cost_estimate"] > 0
    assert replay.requests[0].body == replay.requests[1].body


def test_async_and_beta_are_recorded(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """The async client and the beta interface pass the same hook."""
    hooked(anthropic)
    replay.answer(Reply(body=MESSAGE))

    async def main() -> None:
        async with anthropic.AsyncAnthropic(api_key="k", base_url=replay.url) as client:
            await ask(client)
            await ask(client.beta)

    asyncio.run(main())
    assert len(replay.requests) == 2
    assert [record["completion_tokens"] for record in logged()] == [7, 7]


def test_raw_response_is_recorded(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Raw and streaming responses are recorded once each."""
    hooked(anthropic)
    replay.answer(Reply(body=MESSAGE))
    messages = client.messages
    asked = {"model": "m", "max_tokens": 64, "messages": MESSAGES}
    assert messages.with_raw_response.create(**asked).parse().id == "msg_1"
    with messages.with_streaming_response.create(**asked) as response:
        assert response.parse().id == "msg_1"
    assert [record["prompt_tokens"] for record in logged()] == [18, 18]


def test_overload_is_retried_within_one_record(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A call that succeeds at its second try is one record."""
    hooked(anthropic)
    replay.answer(Reply(529, body=error("x"), headers={"retry-after-ms": "1"}), Reply(body=MESSAGE))
    ask(client)
    assert [record["success"] for record in logged()] == [True]


@pytest.mark.parametrize(
    ("status", "kind"), [(400, "BadRequestError"), (401, "AuthenticationError")]
)
def test_error_is_one_failed_record(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged, *, status: int, kind: str
) -> None:
    """An error reaches the application as it was, and is one record without tokens."""
    hooked(anthropic)
    replay.answer(Reply(status, body=error("Not so")))
    with pytest.raises(getattr(anthropic, kind), match="Not so"):
        ask(client)
    (record,) = logged()
    assert (record["success"], record["total_tokens"]) == (False, 0)
    assert record["error_message"].startswith(f"{kind}: ")


def test_counting_tokens_is_no_call(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """count_tokens and the models' list cost nothing."""
    hooked(anthropic)
    replay.answer(Reply(body={"input_tokens": 9}), Reply(body={"data": [], "has_more": False}))
    assert client.messages.count_tokens(model="m", messages=MESSAGES).input_tokens == 9
    client.models.list()
    assert logged() == []


def test_answer_that_does_not_fit_has_its_tokens(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """What the application's own parser refuses was billed, and is not quoted."""
    from pydantic import BaseModel, ValidationError

    class Answer(BaseModel):
        text: str

    hooked(anthropic)
    replay.answer(Reply(body=MESSAGE))
    with pytest.raises(ValidationError):
        client.messages.parse(
            model="claude-x", max_tokens=64, messages=MESSAGES, output_format=Answer
        )
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (18, 7)
    assert record["error_message"].startswith("ValidationError: 1 validation error for ")
    assert "Hello" not in record["error_message"]
