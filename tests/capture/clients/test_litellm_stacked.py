import asyncio
import gc
import time
from collections.abc import Iterator
from typing import Any

import pytest
from answers import EMBEDDING
from litellms import (
    ANTHROPIC,
    CHAT,
    MESSAGES,
    QUIET,
    Logged,
    async_settled,
    chunks,
    finish,
    imported,
    past_sdks,
    settled,
    to,
)
from replaying import Replay, Reply, httpx_of, sse

from tokenusage.capture.call import Capture
from tokenusage.capture.clients import litellm as of_litellm
from tokenusage.capture.clients import stainless
from tokenusage.context import track

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
"""LiteLLM's import takes seconds, and its warnings are not ours to mend."""

IMAGES = {
    "created": 1,
    "data": [{"b64_json": "QUJD"}],
    "usage": {"input_tokens": 5, "output_tokens": 100, "total_tokens": 105},
}


@pytest.fixture(scope="module")
def openai() -> Any:
    """Return the SDK through which LiteLLM makes its calls to OpenAI."""
    return pytest.importorskip("openai")


@pytest.fixture
def litellm(openai: Any, capture: Capture) -> Iterator[Any]:
    """Return LiteLLM; it and OpenAI's SDK below it are hooked."""
    litellm = imported()
    unhooks = [stainless.hook(openai, capture), of_litellm.hook(litellm, capture)]
    yield litellm
    finish()
    for unhook in unhooks:
        unhook()


def test_sync_call_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """Both hooks see the call, and one record is written."""
    replay.answer(Reply(body=CHAT))
    with track(user_id="ann"):
        litellm.completion(**to(replay))
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["total_tokens"]) == ("ann", 13)


def test_async_call_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """The async call too, though LiteLLM tells of it in another task."""
    replay.answer(Reply(body=CHAT))

    async def ask() -> list[dict[str, Any]]:
        with track(user_id="ann"):
            await litellm.acompletion(**to(replay))
        return await async_settled(logged, 1)

    (record,) = asyncio.run(ask())
    assert record["user_id"] == "ann"


def test_sync_stream_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """A stream ends for both hooks."""
    replay.answer(Reply(pieces=sse(*chunks(), "[DONE]")))
    assert list(litellm.completion(**to(replay), stream=True))
    (record,) = settled(logged, 1)
    assert record["total_tokens"] == 13


def test_async_stream_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """An async stream ends for both hooks."""
    replay.answer(Reply(pieces=sse(*chunks(), "[DONE]")))

    async def ask() -> list[dict[str, Any]]:
        assert [one async for one in await litellm.acompletion(**to(replay), stream=True)]
        return await async_settled(logged, 1)

    (record,) = asyncio.run(ask())
    assert record["total_tokens"] == 13


def test_stream_that_is_left_early_is_partial(litellm: Any, replay: Replay, logged: Logged) -> None:
    """LiteLLM never tells of it, the SDK below does."""
    replay.answer(Reply(pieces=sse(*chunks(), "[DONE]")))
    stream = litellm.completion(**to(replay), stream=True)
    next(stream)
    time.sleep(QUIET)  # LiteLLM's own thread holds it for a moment
    del stream
    gc.collect()  # its objects refer to each other
    (record,) = settled(logged, 1)
    assert record["usage_source"] == "partial"


def test_embedding_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """Embeddings have no id by which to know them."""
    replay.answer(Reply(body=EMBEDDING))
    arguments = {**to(replay, "openai/text-embedding-3-small"), "input": ["one"]}
    del arguments["messages"]
    litellm.embedding(**arguments)
    (record,) = settled(logged, 1)
    assert (record["operation_type"], record["prompt_tokens"]) == ("embedding", 8)


def test_image_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """Images have no id either."""
    replay.answer(Reply(body=IMAGES))
    arguments = {**to(replay, "openai/gpt-image-1"), "prompt": "a red fox"}
    del arguments["messages"]
    litellm.image_generation(**arguments)
    (record,) = settled(logged, 1)
    assert (record["operation_type"], record["total_tokens"]) == ("image", 105)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_sync_failure_is_written_once(
    status: int, litellm: Any, openai: Any, replay: Replay, logged: Logged
) -> None:
    """LiteLLM's exception was raised from the SDK's, which was seen."""
    replay.answer(Reply(status, body={"error": {"message": "No."}}))
    with pytest.raises(openai.APIError):
        litellm.completion(**to(replay), max_retries=0)
    assert [record["success"] for record in settled(logged, 1)] == [False]


def test_async_failure_is_written_once(
    litellm: Any, openai: Any, replay: Replay, logged: Logged
) -> None:
    """The async failure too."""
    replay.answer(Reply(400, body={"error": {"message": "No."}}))

    async def ask() -> list[dict[str, Any]]:
        with pytest.raises(openai.APIError):
            await litellm.acompletion(**to(replay))
        return await async_settled(logged, 1)

    assert [record["success"] for record in asyncio.run(ask())] == [False]


def test_cut_stream_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """A connection that is cut in mid-stream fails for both hooks."""
    replay.answer(Reply(pieces=sse(*chunks())[:1], cut=True))
    with pytest.raises(Exception, match="peer closed connection"):
        list(litellm.completion(**to(replay), stream=True))
    (record,) = settled(logged, 1)
    assert not record["success"]


def test_retries_are_one_record(litellm: Any, replay: Replay, logged: Logged) -> None:
    """A rate limit that the SDK waits out is inside of the call."""
    refused = Reply(429, body={"error": {"message": "Slow."}}, headers={"retry-after-ms": "10"})
    replay.answer(refused, refused, Reply(body=CHAT))
    litellm.completion(**to(replay), max_retries=2)
    assert len(replay.requests) == 3
    assert [record["success"] for record in settled(logged, 1)] == [True]


def test_address_is_known_where_none_is_given(
    litellm: Any, openai: Any, replay: Replay, logged: Logged
) -> None:
    """OpenAI's own address is known to both hooks, so its calls are written once."""
    replay.answer(Reply(body=CHAT))
    with replay.client(httpx_of(openai)) as http:
        client = openai.OpenAI(api_key="k", http_client=http)
        litellm.completion(model="gpt-4o-mini", messages=MESSAGES, client=client)
        (record,) = settled(logged, 1)
    assert record["provider"] == "openai"
    assert record["cost_estimate"] > 0


def test_call_past_the_sdk_is_written(litellm: Any, replay: Replay, logged: Logged) -> None:
    """Where LiteLLM takes no SDK, its callback is the one that sees the call."""
    replay.answer(Reply(body=ANTHROPIC))
    litellm.completion(**past_sdks(replay))
    (record,) = settled(logged, 1)
    assert record["total_tokens"] == 165


def test_cancelled_call_is_written_once(litellm: Any, replay: Replay, logged: Logged) -> None:
    """LiteLLM tells nobody of a task that is cancelled; the SDK's hook sees it."""
    replay.answer(Reply(body=CHAT, delay=1.0))

    async def ask() -> None:
        await asyncio.wait_for(litellm.acompletion(**to(replay)), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    gc.collect()
    (record,) = settled(logged, 1)
    assert "CancelledError" in record["error_message"]


def test_two_direct_calls_with_the_same_id_are_two(
    litellm: Any, openai: Any, replay: Replay, logged: Logged
) -> None:
    """Compatible servers give every response the same id."""
    replay.answer(Reply(body=CHAT))
    with openai.OpenAI(api_key="k", base_url=replay.url) as client:
        for _ in range(2):
            client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert len(logged()) == 2
    litellm.completion(**to(replay))
    assert len(settled(logged, 3)) == 3
