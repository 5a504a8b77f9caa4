import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from answers import EMBEDDING
from litellms import (
    ANTHROPIC,
    CHAT,
    Logged,
    async_settled,
    chunks,
    finish,
    imported,
    past_sdks,
    settled,
    to,
)
from replaying import Replay, Reply, sse

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.litellm import LISTS, hook, litellm_callback
from tokenusage.capture.clients.litellm_callback import Callback
from tokenusage.context import track

OPENROUTER_USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 3,
    "total_tokens": 13,
    "cost": 0.00042,
}
SECRET = "sk-proj-" + "x" * 40

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
"""Its import takes seconds, and its warnings are not ours to mend."""


@pytest.fixture(scope="module")
def litellm() -> Iterator[Any]:
    """Return LiteLLM, whose import takes seconds."""
    yield imported()
    finish()


def with_key(replay: Replay, model: str = "openai/gpt-4o-mini") -> dict[str, Any]:
    """Return the arguments of a call that is made once, with a key."""
    return to(replay, model, api_key=SECRET, max_retries=0)


def test_sync_call_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """A call is recorded with its scope, although LiteLLM logs in another thread."""
    replay.answer(Reply(body=CHAT))
    with track(user_id="ann", operation_type="rag_answer"):
        litellm_hooked.completion(**with_key(replay))
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["operation_type"]) == ("ann", "rag_answer")
    assert (record["prompt_tokens"], record["completion_tokens"]) == (10, 3)
    assert record["cache_read_tokens"] == 4
    assert record["model_name"] == "gpt-4o-mini-2024-07-18"
    assert record["provider"] == replay.url.removeprefix("http://")
    assert record["query"] == "Where am I?"


def test_async_call_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """Of two tasks at once, each call belongs to its own user."""
    replay.answer(Reply(body=CHAT))

    async def ask(user: str) -> None:
        with track(user_id=user):
            await litellm_hooked.acompletion(**with_key(replay))

    async def both() -> list[dict[str, Any]]:
        await asyncio.gather(ask("ann"), ask("bob"))
        return await async_settled(logged, 2)

    records = asyncio.run(both())
    assert sorted(record["user_id"] for record in records) == ["ann", "bob"]
    assert {record["operation_type"] for record in records} == {"chat"}


def test_sync_stream_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """A stream is recorded at its end, in the scope of its beginning, at the list's price."""
    replay.answer(Reply(pieces=sse(*chunks(), "[DONE]"), delay=0.02))
    with track(user_id="ann"):
        stream = litellm_hooked.completion(**with_key(replay), stream=True)
    with track(user_id="bob"):
        assert "".join(one.choices[0].delta.content or "" for one in stream) == "In Paris."
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["total_tokens"]) == ("ann", 13)
    assert 0 < record["tags"]["ttft"] < record["response_time"]
    assert record["cost_estimate"] is None  # LiteLLM's own estimate is nobody's price


def test_async_stream_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """The final event counts, the events of the chunks do not."""
    replay.answer(Reply(pieces=sse(*chunks(), "[DONE]")))

    async def ask() -> list[dict[str, Any]]:
        with track(user_id="ann"):
            stream = await litellm_hooked.acompletion(**with_key(replay), stream=True)
        assert [one async for one in stream]
        return await async_settled(logged, 1)

    (record,) = asyncio.run(ask())
    assert (record["user_id"], record["total_tokens"]) == ("ann", 13)


def test_caches_are_not_added_again(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """LiteLLM's prompt tokens contain Anthropic's caches already."""
    replay.answer(Reply(body=ANTHROPIC))
    litellm_hooked.completion(**with_key(replay, "anthropic/claude-sonnet-4-5"))
    (record,) = settled(logged, 1)
    assert (record["prompt_tokens"], record["completion_tokens"]) == (160, 5)
    assert (record["cache_read_tokens"], record["cache_write_tokens"]) == (100, 50)
    assert record["model_name"] == "claude-sonnet-4-5-20250929"


def test_cost_of_openrouter_is_its_own(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """OpenRouter says what a call costs, and that wins."""
    replay.answer(Reply(body={**CHAT, "usage": OPENROUTER_USAGE}))
    litellm_hooked.completion(**with_key(replay, "openrouter/openai/gpt-4o-mini"))
    (record,) = settled(logged, 1)
    assert (record["cost_estimate"], record["cost_source"]) == (0.00042, "provider")


def test_gateway_is_its_own_provider(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """Nobody knows the prices of an address that the application gives, whoever's API it is."""
    replay.answer(Reply(body=ANTHROPIC))
    litellm_hooked.completion(**past_sdks(replay))
    (gateway,) = settled(logged, 1)
    with track(provider="anthropic"):
        litellm_hooked.completion(**past_sdks(replay))
    _, known = settled(logged, 2)
    assert gateway["provider"] == replay.url.removeprefix("http://")
    assert gateway["cost_estimate"] is None
    assert (known["provider"], known["cost_estimate"] > 0) == ("anthropic", True)


def test_embedding_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """Embeddings have prompt tokens alone."""
    replay.answer(Reply(body=EMBEDDING))
    model = "openai/text-embedding-3-small"
    litellm_hooked.embedding(model=model, input=["one"], api_key=SECRET, api_base=replay.url)
    (record,) = settled(logged, 1)
    assert (record["operation_type"], record["query"]) == ("embedding", "one")
    assert (record["prompt_tokens"], record["completion_tokens"]) == (8, 0)


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_sync_failure_is_one_record(
    status: int, litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """The application gets LiteLLM's exception, the log a failed call."""
    import openai  # whose exceptions LiteLLM's are

    replay.answer(Reply(status, body={"error": {"message": "No."}}))
    with track(user_id="ann"), pytest.raises(openai.APIError):
        litellm_hooked.completion(**with_key(replay))
    (record,) = settled(logged, 1)
    assert (record["success"], record["user_id"]) == (False, "ann")
    assert record["total_tokens"] == 0


def test_async_failure_is_one_record(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """A failed async call is recorded once."""
    replay.answer(Reply(400, body={"error": {"message": "No."}}))

    async def ask() -> list[dict[str, Any]]:
        with pytest.raises(litellm_hooked.BadRequestError):
            await litellm_hooked.acompletion(**with_key(replay))
        return await async_settled(logged, 1)

    assert [record["success"] for record in asyncio.run(ask())] == [False]


def test_cut_stream_is_a_failure(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """A connection that is cut in mid-stream is one failed call."""
    replay.answer(Reply(pieces=sse(*chunks())[:1], cut=True))
    with track(user_id="ann"):
        stream = litellm_hooked.completion(**with_key(replay), stream=True)
    with pytest.raises(Exception, match="peer closed connection"):
        list(stream)
    (record,) = settled(logged, 1)
    assert (record["success"], record["user_id"]) == (False, "ann")


def test_key_is_nowhere_in_the_log(
    litellm_hooked: Any, replay: Replay, logged: Logged, tmp_path: Path
) -> None:
    """What LiteLLM hands over holds the API key, which is never written."""
    error = {"message": f"Incorrect API key provided: {SECRET}."}
    replay.answer(Reply(body=CHAT), Reply(401, body={"error": error}))
    litellm_hooked.completion(**with_key(replay))
    settled(logged, 1)
    with pytest.raises(litellm_hooked.AuthenticationError):
        litellm_hooked.completion(**with_key(replay))
    assert len(settled(logged, 2)) == 2
    files = [file for file in (tmp_path / "logs").iterdir() if file.is_file()]
    assert all(SECRET.encode() not in file.read_bytes() for file in files)


def test_callback_is_one_of_litellms_loggers(litellm: Any, capture: Capture) -> None:
    """LiteLLM calls only what is a CustomLogger, some of it by the parameters' names."""
    callback = litellm_callback(capture)
    base = litellm.integrations.custom_logger.CustomLogger
    assert isinstance(callback, base)
    for name in (
        "log_pre_api_call",
        "log_success_event",
        "async_log_failure_event",
        "async_post_call_success_deployment_hook",
    ):
        ours = inspect.signature(getattr(Callback, name)).parameters
        assert list(ours) == list(inspect.signature(getattr(base, name)).parameters)


def test_unhooking_leaves_no_callback(litellm: Any, capture: Capture, replay: Replay) -> None:
    """LiteLLM copies callbacks to lists of its own; they go from there as well."""
    before = {name: list(getattr(litellm, name)) for name in LISTS}
    core = litellm.litellm_core_utils
    watched = (core.litellm_logging.Logging, core.streaming_handler.CustomStreamWrapper)
    inits = [vars(one)["__init__"] for one in watched]
    unhook = hook(litellm, capture)
    replay.answer(Reply(body=CHAT))
    litellm.completion(**with_key(replay))
    assert any(isinstance(one, Callback) for one in litellm.success_callback)
    unhook()
    assert {name: list(getattr(litellm, name)) for name in LISTS} == before
    assert all(vars(one)["__init__"] is init for one, init in zip(watched, inits, strict=True))


def test_own_callback_of_the_application_stays_the_only_one(litellm: Any, capture: Capture) -> None:
    """Nobody's calls are recorded twice because both ways were taken."""
    own = litellm_callback(capture)
    litellm.callbacks.append(own)
    unhook = hook(litellm, capture)
    assert [one for one in litellm.callbacks if isinstance(one, Callback)] == [own]
    unhook()
    assert own in litellm.callbacks
    litellm.callbacks.remove(own)
