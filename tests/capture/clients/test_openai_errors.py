"""The hook on the real OpenAI SDK: calls that fail, and a hook that does."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from answers import CHAT, MESSAGES, error
from replaying import Replay, Reply, httpx_of

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.stainless import hook

openai = pytest.importorskip("openai")

Logged = Callable[[], list[dict[str, Any]]]
Hooked = Callable[..., None]

OPENAI = "https://api.openai.com/v1"


@pytest.fixture
def client(replay: Replay) -> Iterator[Any]:
    """Return a client that believes to speak to OpenAI."""
    with replay.client(httpx_of(openai)) as http:
        yield openai.OpenAI(api_key="k", base_url=OPENAI, http_client=http)


def ask(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more)


def tokens(record: dict[str, Any]) -> tuple[int, int]:
    return record["prompt_tokens"], record["completion_tokens"]


def test_parsed_answer_cut_short_has_its_tokens(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """parse() raises after a billed answer: a failed call, with what it has used."""
    from pydantic import BaseModel

    class Answer(BaseModel):
        text: str

    hooked(openai)
    cut = {**CHAT["choices"][0], "finish_reason": "length"}
    replay.answer(Reply(body=CHAT | {"choices": [cut]}))
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Answer)
    (record,) = logged()
    assert (tokens(record), record["success"]) == ((20, 7), False)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)
def test_error_is_one_failed_record(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged, *, status: int, kind: str
) -> None:
    """An error reaches the application as it was, and is one record without tokens."""
    hooked(openai)
    replay.answer(Reply(status, body=error("Not so"), headers={"retry-after-ms": "1"}))
    with pytest.raises(getattr(openai, kind), match="Not so"):
        ask(client)
    (record,) = logged()
    assert (tokens(record), record["success"]) == ((0, 0), False)
    assert record["error_message"].startswith(f"{kind}: ")
    assert record["model_name"] == "gpt-4o-mini"


def test_retries_are_one_call(client: Any, replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """A call that succeeds at its third try is one record; its time is all of it."""
    hooked(openai)
    later = Reply(429, body=error("Later"), headers={"retry-after-ms": "50"})
    replay.answer(later, later, Reply(body=CHAT))
    ask(client)
    (record,) = logged()
    assert (tokens(record), record["success"], len(replay.requests)) == ((20, 7), True, 3)
    assert record["response_time"] > 0.1


def test_timeout_is_a_partial_failure(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Nobody knows what a call has used that timed out."""
    hooked(openai)
    replay.answer(Reply(body=CHAT, delay=5))
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(max_retries=0), timeout=0.05)
    (record,) = logged()
    assert (record["success"], record["usage_source"]) == (False, "partial")


def test_cancelled_call_is_recorded_once(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """A task that is cancelled while it waits leaves one failed record."""
    hooked(openai)
    replay.answer(Reply(body=CHAT, delay=5))

    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=replay.url) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(ask(client), 0.1)

    asyncio.run(main())
    (record,) = logged()
    assert (record["success"], record["error_message"]) == (False, "CancelledError")


def test_own_failure_never_reaches_the_application(
    client: Any, replay: Replay, capture: Capture, logged: Logged
) -> None:
    """Where the hook itself fails, the call goes through, and the next record counts it."""

    class Broken(Capture):
        def begin(self, **_: Any) -> Any:
            raise RuntimeError("odd")

    replay.answer(Reply(body=CHAT))
    unhook = hook(openai, Broken(capture.tracker))
    try:
        assert ask(client).id == "chatcmpl-1"
    finally:
        unhook()
    assert logged() == []
    capture.tracker.record(model_name="m", operation_type="x")
    assert [record["dropped"] for record in logged()] == [1]
