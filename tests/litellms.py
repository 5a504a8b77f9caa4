"""What the tests of LiteLLM share: it is imported once, without its network, and logs late."""

import asyncio
import gc
import importlib
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import answers
import pytest
from replaying import Replay

Logged = Callable[[], list[dict[str, Any]]]

DEADLINE = 10.0
"""Seconds after which a record will not come any more."""

QUIET = 0.3
"""Seconds without another record after which there are no more."""

MESSAGES = [{"role": "user", "content": "Where am I?"}]

CHAT = answers.CHAT | {
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}

ANTHROPIC = answers.MESSAGE | {
    "usage": {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 50,
        "output_tokens": 5,
    },
}

ANTHROPIC_STREAM: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": {**ANTHROPIC, "content": [], "usage": {"input_tokens": 10, "output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "In "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Paris."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}},
    {"type": "message_stop"},
)


def imported() -> Any:
    """Return LiteLLM, or skip the test where it is not installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is not ours to mend
        return pytest.importorskip("litellm")


def chunks() -> Iterator[dict[str, Any]]:
    """Yield the chunks of a streamed chat, as OpenAI sends them."""
    deltas: tuple[dict[str, str], ...] = (
        {"role": "assistant", "content": "In "},
        {"content": "Paris."},
        {},
    )
    for delta in deltas:
        choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
        yield _chunk([choice])
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    yield {**_chunk([]), "usage": usage}


def to(replay: Replay, model: str = "openai/gpt-4o-mini", **more: Any) -> dict[str, Any]:
    """Return the arguments of a call to the replay server."""
    return {"model": model, "messages": MESSAGES, "api_key": "k", "api_base": replay.url, **more}


def past_sdks(replay: Replay, **more: Any) -> dict[str, Any]:
    """Return the arguments of a call whose request LiteLLM sends itself, through no SDK."""
    return to(replay, "anthropic/claude-sonnet-4-5", **more)


def settled(logged: Logged, count: int) -> list[dict[str, Any]]:
    """Return the records once there are `count`, and no more after a while."""
    deadline = time.monotonic() + DEADLINE
    while len(logged()) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(QUIET)
    return logged()


async def async_settled(logged: Logged, count: int) -> list[dict[str, Any]]:
    """Wait as `settled` does, and let LiteLLM's tasks run meanwhile."""
    return await asyncio.to_thread(settled, logged, count)


def finish() -> None:
    """Let LiteLLM tell of what is left over, and let go of the sockets of loops that ended.

    Else both would happen in somebody else's test.
    """
    worker = importlib.import_module("litellm.litellm_core_utils.logging_worker")
    asyncio.run(worker.GLOBAL_LOGGING_WORKER.flush())
    litellm = importlib.import_module("litellm")
    asyncio.run(litellm.close_litellm_async_clients())
    litellm.in_memory_llm_clients_cache.flush_cache()
    gc.collect()


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": choices,
    }
