import asyncio
import gc
import inspect
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from googles import httpx_of_genai
from replaying import Replay, Reply, sse

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.google import hook
from tokenusage.context import current, track

genai = pytest.importorskip("google.genai")
models = pytest.importorskip("google.genai.models")
types = pytest.importorskip("google.genai.types")

Logged = Callable[[], list[dict[str, Any]]]
Chunks = AsyncIterator[Any]

MODEL = "gemini-2.5-flash"


def chunk(text: str, completion: int, *, last: bool = False) -> dict[str, Any]:
    """Return a chunk as Gemini sends it: its usage counts all chunks so far."""
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}}
    if last:
        candidate["finishReason"] = "STOP"
    usage = {
        "promptTokenCount": 12,
        "candidatesTokenCount": completion,
        "totalTokenCount": 12 + completion,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": usage,
        "modelVersion": MODEL,
        "responseId": "r-9",
    }


PIECES = sse(chunk("In ", 1), chunk("Par", 2), chunk("is.", 3, last=True))


def stream(client: Any) -> Any:
    """Ask for a stream."""
    return client.models.generate_content_stream(model=MODEL, contents="Where?")


def run_async(client: Any, read: Callable[[Chunks], Awaitable[None]]) -> None:
    """Ask for a stream as Ann in an event loop of its own, and read it as somebody else."""
    httpx = httpx_of_genai(client)
    url = client._api_client._http_options.base_url

    async def ask() -> None:
        async with httpx.AsyncClient() as http:
            options = types.HttpOptions(base_url=url, httpx_async_client=http)
            aio = genai.Client(api_key="k", http_options=options).aio
            with track(user_id="ann"):
                chunks = await aio.models.generate_content_stream(model=MODEL, contents="Where?")
            await read(chunks)

    asyncio.run(ask())


@pytest.mark.usefixtures("google_hooked")
def test_stream_is_one_record_at_its_end(replay: Replay, gemini: Any, logged: Logged) -> None:
    """The last chunk's figures count, and nothing is recorded before."""
    replay.answer(Reply(pieces=PIECES, delay=0.02))
    chunks = stream(gemini)
    first = next(chunks)
    assert logged() == []
    assert first.text + "".join(chunk.text for chunk in chunks) == "In Paris."
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (12, 3)
    assert (record["model_name"], record["response_id"]) == (MODEL, "r-9")
    assert record["usage_source"] == "provider"
    assert 0 < record["tags"]["ttft"] < record["response_time"]


@pytest.mark.usefixtures("google_hooked")
def test_async_stream_is_one_record(replay: Replay, gemini: Any, logged: Logged) -> None:
    """The async stream is read along like the sync one."""
    replay.answer(Reply(pieces=PIECES))

    async def read(chunks: Chunks) -> None:
        assert [chunk.text async for chunk in chunks] == ["In ", "Par", "is."]

    run_async(gemini, read)
    (record,) = logged()
    assert (record["total_tokens"], record["query"]) == (15, "Where?")
    assert record["user_id"] == "ann"


@pytest.mark.usefixtures("google_hooked")
def test_stream_that_is_left_early_is_partial(replay: Replay, gemini: Any, logged: Logged) -> None:
    """What is known counts, and leaving is no failure."""
    replay.answer(Reply(pieces=PIECES))
    chunks = stream(gemini)
    next(chunks)
    chunks.close()
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (12, 1)
    assert (record["usage_source"], record["success"]) == ("partial", True)


@pytest.mark.usefixtures("google_hooked")
def test_stream_that_is_left_after_its_last_chunk_is_whole(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """Whoever stops at the finish reason has seen all there is."""
    replay.answer(Reply(pieces=PIECES))
    chunks = stream(gemini)
    for _ in PIECES:
        next(chunks)
    chunks.close()
    assert logged()[0]["usage_source"] == "provider"


@pytest.mark.usefixtures("google_hooked")
def test_stream_that_is_dropped_is_partial(replay: Replay, gemini: Any, logged: Logged) -> None:
    """A stream that nobody holds any longer is recorded at once, without the garbage collector."""
    replay.answer(Reply(pieces=PIECES))
    gc.disable()
    try:
        next(stream(gemini))
        assert logged()[0]["usage_source"] == "partial"
    finally:
        gc.enable()


@pytest.mark.usefixtures("google_hooked")
def test_async_stream_that_is_closed_is_partial(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """An async stream can be closed after its first chunk."""
    replay.answer(Reply(pieces=PIECES))

    async def read(chunks: Any) -> None:
        async with aclosing(chunks):
            await anext(chunks)

    run_async(gemini, read)
    (record,) = logged()
    assert (record["usage_source"], record["success"]) == ("partial", True)


@pytest.mark.usefixtures("google_hooked")
def test_cut_connection_is_a_failure_with_what_is_known(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """The application sees the transport's exception, the log the tokens so far."""
    replay.answer(Reply(pieces=PIECES[:2], cut=True))
    with pytest.raises(Exception, match="peer closed connection"):
        list(stream(gemini))
    (record,) = logged()
    assert not record["success"]
    assert (record["prompt_tokens"], record["completion_tokens"]) == (12, 2)
    assert "RemoteProtocolError" in record["error_message"]


@pytest.mark.usefixtures("google_hooked")
def test_cancelled_stream_is_a_failure(replay: Replay, gemini: Any, logged: Logged) -> None:
    """A task that is cancelled in mid-stream gets its cancellation, and leaves a record."""
    replay.answer(Reply(pieces=PIECES, delay=0.2))

    async def read(chunks: Any) -> None:
        await anext(chunks)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(chunks), 0.05)

    run_async(gemini, read)
    (record,) = logged()
    assert not record["success"]
    assert "CancelledError" in record["error_message"]


@pytest.mark.usefixtures("google_hooked")
@pytest.mark.parametrize("status", [400, 429, 500])
def test_refused_stream_is_a_failure(
    status: int, replay: Replay, gemini: Any, logged: Logged
) -> None:
    """An error in place of a stream is raised at the first chunk, as ever, and is free."""
    replay.answer(Reply(status, body={"error": {"code": status, "message": "No."}}))
    with pytest.raises(genai.errors.APIError):
        next(stream(gemini))
    (record,) = logged()
    assert (record["success"], record["total_tokens"]) == (False, 0)


@pytest.mark.usefixtures("google_hooked")
def test_stream_that_is_never_requested_is_free(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """What the SDK itself refuses to send has no tokens."""
    chunks = gemini.models.generate_content_stream(model="", contents="x" * 20_000)
    with pytest.raises(ValueError, match="model"):
        next(chunks)
    assert replay.requests == []
    assert [record["total_tokens"] for record in logged()] == [0]


@pytest.mark.usefixtures("google_hooked")
def test_refused_async_stream_is_a_failure(replay: Replay, gemini: Any, logged: Logged) -> None:
    """The async method refuses before there is a stream at all."""
    replay.answer(Reply(400, body={"error": {"code": 400, "message": "No."}}))

    async def read(chunks: Any) -> None:
        with pytest.raises(genai.errors.APIError):
            await anext(chunks)

    run_async(gemini, read)
    assert [record["success"] for record in logged()] == [False]


@pytest.mark.usefixtures("google_hooked")
def test_blocked_prompt_is_whole(replay: Replay, gemini: Any, logged: Logged) -> None:
    """A stream without an answer ends with the reason, and its prompt is charged."""
    usage = {"promptTokenCount": 12, "totalTokenCount": 12}
    blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    replay.answer(Reply(pieces=sse(blocked)))
    list(stream(gemini))
    (record,) = logged()
    assert (record["prompt_tokens"], record["usage_source"]) == (12, "provider")


@pytest.mark.usefixtures("google_hooked")
def test_stream_belongs_to_whoever_asked_for_it(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """Whoever reads a stream does not become its user, nor does its user become the reader's."""
    replay.answer(Reply(pieces=PIECES))
    with track(user_id="ann"):
        chunks = stream(gemini)
    with track(user_id="bob"):
        assert [current()["user_id"] for _ in chunks] == ["bob", "bob", "bob"]
    assert [record["user_id"] for record in logged()] == ["ann"]


def test_streams_stay_what_they_were(replay: Replay, gemini: Any, capture: Capture) -> None:
    """The same types and the same chunks, with the hook and without."""
    replay.answer(Reply(pieces=PIECES))

    def read() -> tuple[bool, list[Any]]:
        chunks = stream(gemini)
        kept = {"sdk_http_response"}
        return inspect.isgenerator(chunks), [one.model_dump(exclude=kept) for one in chunks]

    without = read()
    unhook = hook(models, capture)
    with_hook = read()
    unhook()
    assert with_hook == without


@pytest.mark.usefixtures("google_hooked")
def test_finished_stream_is_not_held(replay: Replay, gemini: Any) -> None:
    """Nothing of a stream that has ended stays in memory because of the hook."""
    replay.answer(Reply(pieces=PIECES))
    chunks = stream(gemini)
    last = weakref.ref(list(chunks)[-1])
    del chunks
    gc.collect()
    assert last() is None


SCRIPT = """
import sys
from google import genai
from google.genai import models, types
from tokenusage.capture.call import Capture
from tokenusage.capture.clients.google import hook
from tokenusage.write.tracker import Tracker

hook(models, Capture(Tracker("logs")))
options = types.HttpOptions(base_url=sys.argv[1])
client = genai.Client(api_key="k", http_options=options)
chunks = client.models.generate_content_stream(model="gemini-2.5-flash", contents="Where?")
next(chunks)
"""


@pytest.mark.slow
def test_stream_that_is_open_when_the_process_ends_is_partial(
    replay: Replay, logged: Logged, tmp_path: Path
) -> None:
    """A script that stops reading and ends has its call in the log."""
    replay.answer(Reply(pieces=PIECES))
    command = [sys.executable, "-c", SCRIPT, replay.url]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert [record["usage_source"] for record in logged()] == ["partial"]
