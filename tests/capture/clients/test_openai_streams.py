"""The hook on the real OpenAI SDK: streams, which stay what they were."""

import asyncio
import gc
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from answers import MESSAGES, RESPONSE, chat_stream, chunk, error
from openais import OPENAI, Hooked, Logged, stream, tokens
from replaying import Replay, Reply, httpx_of, sse

openai = pytest.importorskip("openai")


def test_stream_has_exact_tokens_and_the_same_chunks(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Usage is asked for and swallowed again: the chunks are those of before."""
    replay.answer(chat_stream)
    before = [one.to_dict() for one in stream(openai_client)]
    hooked(openai)
    seen = stream(openai_client)
    assert isinstance(seen, openai.Stream)
    assert [one.to_dict() for one in seen] == before
    assert list(seen) == []
    (record,) = logged()
    assert (tokens(record), record["usage_source"]) == ((20, 7), "provider")
    assert 0 < record["tags"]["ttft"] <= record["response_time"]
    assert replay.requests[1].json()["stream_options"] == {"include_usage": True}


def test_raw_stream_has_the_same_bytes(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Whoever reads the bytes gets exactly those that would have come."""
    replay.answer(chat_stream)
    create = openai_client.chat.completions.with_streaming_response.create
    read = []
    for _ in range(2):
        with create(model="m", messages=MESSAGES, stream=True) as response:
            read.append(b"".join(response.iter_bytes()))
        hooked(openai)
    assert read[0] == read[1]
    assert [tokens(record) for record in logged()] == [(20, 7)]


def test_async_stream_has_exact_tokens(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """Async streams are read along as sync ones are."""
    replay.answer(chat_stream)

    async def main() -> list[list[dict[str, Any]]]:
        seen = []
        async with replay.async_client(httpx_of(openai)) as http:
            client = openai.AsyncOpenAI(api_key="k", base_url=OPENAI, http_client=http)
            for _ in range(2):
                seen.append([one.to_dict() async for one in await stream(client)])
                hooked(openai)
        return seen

    before, after = asyncio.run(main())
    assert before == after
    assert [tokens(record) for record in logged()] == [(20, 7)]


def test_stream_left_early_is_partial(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A stream that is closed after its first chunk is one record of what is known."""
    hooked(openai)
    replay.answer(chat_stream)
    with stream(openai_client) as opened:
        next(opened)
    (record,) = logged()
    assert (record["usage_source"], record["success"]) == ("partial", True)
    assert record["model_name"] == "gpt-4o-mini-2024-07-18"


@pytest.mark.parametrize("chunks", [0, 1])
def test_stream_that_is_dropped_is_partial(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, chunks: int
) -> None:
    """A stream that nobody closes is recorded when it is collected."""
    hooked(openai)
    replay.answer(chat_stream)
    opened = stream(openai_client)
    for _ in range(chunks):
        next(opened)
    del opened
    gc.collect()
    assert [record["usage_source"] for record in logged()] == ["partial"]


def test_async_stream_that_is_dropped_is_partial(
    replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """An async stream that nobody closes is recorded, and its connection closed, as ever."""
    hooked(openai)
    replay.answer(chat_stream)

    async def main() -> None:
        async with replay.async_client(httpx_of(openai)) as http:
            client = openai.AsyncOpenAI(api_key="k", base_url=OPENAI, http_client=http)
            opened = await stream(client)
            await opened.__anext__()
            del opened
            gc.collect()
            await asyncio.sleep(0.01)

    asyncio.run(main())
    assert [record["usage_source"] for record in logged()] == ["partial"]


def test_stream_cut_in_the_middle_has_failed(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A connection that breaks is a failure, with what is known, and the same error."""
    replay.answer(Reply(pieces=sse(chunk("Hel")), cut=True))
    raised = []
    for _ in range(2):
        seen = []
        with pytest.raises(Exception, match=r"(?i)peer closed|connection error") as caught:
            seen.extend(stream(openai_client))
        raised.append((type(caught.value), str(caught.value)))
        hooked(openai)
    assert raised[0] == raised[1]
    (record,) = logged()
    assert (record["success"], record["usage_source"]) == (False, "partial")


def test_error_within_a_stream_has_failed(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """An error that comes as an event is the call's."""
    hooked(openai)
    replay.answer(Reply(pieces=sse(chunk("Hel"), error("Too busy"))))
    with pytest.raises(openai.APIError, match="Too busy"):
        list(stream(openai_client))
    (record,) = logged()
    assert record["success"] is False
    assert "Too busy" in record["error_message"]


def test_stream_helper_is_recorded(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """The .stream() helper gives the same final answer, and one record."""
    replay.answer(chat_stream)
    seen = []
    for _ in range(2):
        with openai_client.chat.completions.stream(model="m", messages=MESSAGES) as helper:
            seen.append(helper.get_final_completion().to_dict())
        hooked(openai)
    assert seen[0] == seen[1]
    assert [tokens(record) for record in logged()] == [(20, 7)]


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete"])
def test_responses_stream_is_recorded(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, kind: str
) -> None:
    """A stream of the Responses API has its usage in its last event."""
    hooked(openai)
    empty = RESPONSE | {"usage": None, "output": [], "status": "in_progress"}
    events = (
        {"type": "response.created", "response": empty},
        {"type": "response.output_text.delta", "delta": "Hello", "item_id": "msg_1"},
        {"type": kind, "response": RESPONSE | {"status": kind.partition(".")[2]}},
    )
    replay.answer(Reply(pieces=sse(*events, named=True)))
    seen = list(openai_client.responses.create(model="gpt-5-mini", input="Hi", stream=True))
    assert [event.type for event in seen] == [event["type"] for event in events]
    (record,) = logged()
    assert (tokens(record), record["response_id"]) == ((30, 9), "resp_1")


def test_stream_open_at_the_end_of_the_process_is_recorded(replay: Replay, tmp_path: Path) -> None:
    """A program that ends while it holds a stream loses no record."""
    replay.answer(chat_stream)
    program = (
        "import openai\n"
        "from tokenusage.capture.call import Capture\n"
        "from tokenusage.capture.clients.stainless import hook\n"
        "from tokenusage.write.tracker import Tracker\n"
        "hook(openai, Capture(Tracker('logs')))\n"
        f"client = openai.OpenAI(api_key='k', base_url={replay.url!r})\n"
        "opened = client.chat.completions.create(model='m', messages=[], stream=True)\n"
        "next(opened)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60)
    (file,) = (tmp_path / "logs").glob("token_usage_*.jsonl")
    assert file.read_bytes().count(b'"usage_source":"partial"') == 1


def test_stream_left_between_its_end_and_its_usage_is_partial(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """An answer that is over says nothing of its tokens yet."""
    hooked(openai)
    replay.answer(lambda request: Reply(pieces=chat_stream(request).pieces, delay=0.02))
    with stream(openai_client) as opened:
        assert any(one.choices[0].finish_reason for one in opened)
    assert logged()[0]["usage_source"] == "partial"


def test_error_event_is_named_by_its_code(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """The Responses API's error is an event, whose type says nothing."""
    hooked(openai)
    event = {"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}
    replay.answer(Reply(pieces=sse(event, named=True)))
    with suppress(openai.APIError):  # as the older SDK does, the newer hands it on
        list(openai_client.responses.create(model="gpt-5-mini", input="Hi", stream=True))
    assert logged()[0]["error_message"] == "StreamError: rate_limit_exceeded: slow"
