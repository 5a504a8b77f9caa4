"""What the tests of LiteLLM share: it is imported once, without its network, and logs late."""

import asyncio
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Logged = Callable[[], list[dict[str, Any]]]

DEADLINE = 10.0
"""Seconds after which a record will not come any more."""

QUIET = 0.3
"""Seconds without another record after which there are no more."""

MESSAGES = [{"role": "user", "content": "Where am I?"}]

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "In Paris."},
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 3,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 4},
    },
}

EMBEDDING: dict[str, Any] = {
    "object": "list",
    "model": "text-embedding-3-small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


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


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": choices,
    }
