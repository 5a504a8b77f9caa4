import asyncio
import gc
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from litellms import ANTHROPIC, ANTHROPIC_STREAM, QUIET, Logged, finish, past_sdks, settled
from replaying import Replay, Reply, sse

from tokenusage.context import track

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
"""LiteLLM's import takes seconds, and its warnings are not ours to mend."""

STREAM = sse(*ANTHROPIC_STREAM, named=True)


def test_async_calls_are_recorded_before_their_loop_ends(
    litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """LiteLLM tells of them in tasks that die with the event loop; ours are there before."""
    replay.answer(Reply(body=ANTHROPIC))

    async def ask(user: int) -> None:
        with track(user_id=user):
            await litellm_hooked.acompletion(**past_sdks(replay))

    async def ask_all() -> None:
        await asyncio.gather(*(ask(user) for user in range(20)))

    asyncio.run(ask_all())
    assert [record["total_tokens"] for record in logged()] == [165] * 20
    finish()  # what it still has to tell is known
    assert sorted(record["user_id"] for record in logged()) == list(range(20))


def test_async_stream_is_recorded_though_its_loop_ends(
    litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """What was read to its end is whole, also where LiteLLM has no time left to tell of it."""
    replay.answer(Reply(pieces=STREAM))

    async def ask() -> None:
        with track(user_id="ann"):
            stream = await litellm_hooked.acompletion(**past_sdks(replay), stream=True)
        assert [one async for one in stream]

    asyncio.run(ask())
    gc.collect()
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["usage_source"]) == ("ann", "provider")
    assert (record["prompt_tokens"], record["completion_tokens"]) == (10, 5)


def test_stream_that_is_left_is_partial(
    litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """Where no SDK's hook sees it, what LiteLLM has handed out is what is known."""
    replay.answer(Reply(pieces=STREAM, delay=0.02))
    with track(user_id="ann"):
        stream = litellm_hooked.completion(**past_sdks(replay), stream=True)
    next(stream)
    next(stream)
    time.sleep(QUIET)  # LiteLLM's own thread holds it for a moment
    del stream
    gc.collect()  # its objects refer to each other
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["success"]) == ("ann", True)
    assert (record["prompt_tokens"], record["usage_source"]) == (10, "partial")
    assert "ttft" not in record.get("tags", {})


def test_cancelled_call_is_recorded(litellm_hooked: Any, replay: Replay, logged: Logged) -> None:
    """Nobody knows what it has used, so that it has no tokens and no cost."""
    replay.answer(Reply(body=ANTHROPIC, delay=1.0))

    async def ask() -> None:
        with track(user_id="ann"):
            await asyncio.wait_for(litellm_hooked.acompletion(**past_sdks(replay)), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(ask())
    gc.collect()
    (record,) = settled(logged, 1)
    assert (record["user_id"], record["success"]) == ("ann", False)
    assert (record["total_tokens"], record["cost_estimate"]) == (0, None)
    assert record["usage_source"] == "partial"


@pytest.mark.parametrize("stream", [False, True])
def test_made_up_answer_is_no_call(
    *, stream: bool, litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """A `mock_response` has asked nobody and costs nothing."""
    arguments = past_sdks(replay, mock_response="In Paris.", stream=stream)
    assert list(litellm_hooked.completion(**arguments))

    async def ask() -> None:
        await litellm_hooked.acompletion(**past_sdks(replay, mock_response="In Paris."))

    asyncio.run(ask())
    assert replay.requests == []
    assert settled(logged, 0) == []


def test_retries_of_litellm_are_one_record(
    litellm_hooked: Any, replay: Replay, logged: Logged
) -> None:
    """The time of a call is the caller's, with the attempt that failed."""
    failed = Reply(500, body={"error": {"message": "No."}}, delay=0.3)
    replay.answer(failed, Reply(body=ANTHROPIC))
    litellm_hooked.completion(**past_sdks(replay, num_retries=1))
    (record,) = settled(logged, 1)
    assert len(replay.requests) == 2
    assert record["response_time"] > 0.3


SCRIPT = """
import asyncio, sys
import litellm
from tokenusage.capture.call import Capture
from tokenusage.capture.clients.litellm import hook
from tokenusage.write.tracker import Tracker

hook(litellm, Capture(Tracker("logs")))
messages = [{"role": "user", "content": "Where am I?"}]
asyncio.run(
    litellm.acompletion(
        model="anthropic/claude-sonnet-4-5", messages=messages, api_key="k", api_base=sys.argv[1]
    )
)
"""


def test_call_is_recorded_once_though_litellm_tells_of_it_at_the_end(
    replay: Replay, logged: Logged, tmp_path: Path
) -> None:
    """LiteLLM runs what was left over when the interpreter ends."""
    pytest.importorskip("litellm")
    replay.answer(Reply(body=ANTHROPIC))
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, replay.url]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=100, capture_output=True)
    assert [record["total_tokens"] for record in logged()] == [165]
