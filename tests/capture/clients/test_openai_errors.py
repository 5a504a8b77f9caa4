"""The hook on the real OpenAI SDK: calls that fail, and a hook that does."""

import asyncio
from typing import Any

import pytest
from answers import CHAT, MESSAGES, error
from openais import Hooked, Logged, ask, tokens
from replaying import Replay, Reply

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.stainless import hook

openai = pytest.importorskip("openai")

KEY = "0123456789abcdef0123456789abcdef"


def test_parsed_answer_cut_short_has_its_tokens(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """parse() raises after a billed answer: a failed call, with what it has used."""
    from pydantic import BaseModel

    class Answer(BaseModel):
        text: str

    hooked(openai)
    cut = {**CHAT["choices"][0], "finish_reason": "length"}
    replay.answer(Reply(body=CHAT | {"choices": [cut]}))
    with pytest.raises(openai.LengthFinishReasonError):
        openai_client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Answer)
    (record,) = logged()
    assert (tokens(record), record["success"]) == ((20, 7), False)


@pytest.mark.parametrize("reason", ["stop", "content_filter"])
def test_answer_that_does_not_fit_has_its_tokens(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, reason: str
) -> None:
    """What the application's own parser refuses was billed, and is not quoted."""
    from pydantic import BaseModel

    class Answer(BaseModel):
        age: int

    hooked(openai)
    message = {"role": "assistant", "content": '{"age": "Ann Smith"}'}
    choice = {**CHAT["choices"][0], "message": message, "finish_reason": reason}
    replay.answer(Reply(body=CHAT | {"choices": [choice]}))
    with pytest.raises((ValueError, openai.OpenAIError)):
        openai_client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Answer)
    (record,) = logged()
    assert (tokens(record), record["success"]) == ((20, 7), False)
    assert "Ann" not in record["error_message"]


def test_parsed_answer_is_what_it_was(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """The application's parser is asked once, and its result is the application's."""
    from pydantic import BaseModel

    class Answer(BaseModel):
        age: int

    hooked(openai)
    choice = {**CHAT["choices"][0], "message": {"role": "assistant", "content": '{"age": 7}'}}
    replay.answer(Reply(body=CHAT | {"choices": [choice]}))
    parse = openai_client.chat.completions.parse
    answer = parse(model="m", messages=MESSAGES, response_format=Answer)
    assert answer.choices[0].message.parsed == Answer(age=7)
    assert [tokens(record) for record in logged()] == [(20, 7)]


def test_clients_own_key_is_masked(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A key that looks like none is known from the client that is refused."""
    hooked(openai)
    replay.answer(Reply(401, body=error(f"{KEY} is unknown, says http://x/?q={KEY}")))
    with pytest.raises(openai.AuthenticationError, match=KEY):
        ask(openai_client.with_options(api_key=KEY))
    assert KEY not in logged()[0]["error_message"]


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
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, *, status: int, kind: str
) -> None:
    """An error reaches the application as it was, and is one record without tokens."""
    hooked(openai)
    replay.answer(Reply(status, body=error("Not so"), headers={"retry-after-ms": "1"}))
    with pytest.raises(getattr(openai, kind), match="Not so"):
        ask(openai_client)
    (record,) = logged()
    assert (tokens(record), record["success"]) == ((0, 0), False)
    assert record["error_message"].startswith(f"{kind}: ")
    assert record["model_name"] == "gpt-4o-mini"


def test_retries_are_one_call(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A call that succeeds at its third try is one record; its time is all of it."""
    hooked(openai)
    later = Reply(429, body=error("Later"), headers={"retry-after-ms": "50"})
    replay.answer(later, later, Reply(body=CHAT))
    ask(openai_client)
    (record,) = logged()
    assert (tokens(record), record["success"], len(replay.requests)) == ((20, 7), True, 3)
    assert record["response_time"] > 0.1


def test_timeout_is_a_partial_failure(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Nobody knows what a call has used that timed out."""
    hooked(openai)
    replay.answer(Reply(body=CHAT, delay=5))
    with pytest.raises(openai.APITimeoutError):
        ask(openai_client.with_options(max_retries=0), timeout=0.05)
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
    openai_client: Any, replay: Replay, capture: Capture, logged: Logged
) -> None:
    """Where the hook itself fails, the call goes through, and the next record counts it."""

    class Broken(Capture):
        def begin(self, **_: Any) -> Any:
            raise RuntimeError("odd")

    replay.answer(Reply(body=CHAT))
    unhook = hook(openai, Broken(capture.tracker))
    try:
        assert ask(openai_client).id == "chatcmpl-1"
    finally:
        unhook()
    assert logged() == []
    capture.tracker.record(model_name="m", operation_type="x")
    assert [record["dropped"] for record in logged()] == [1]
