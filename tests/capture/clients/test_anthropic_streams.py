"""The hook on the real Anthropic SDK: streams, Bedrock's too."""

import asyncio
import base64
from binascii import crc32
from collections.abc import Callable, Iterator
from struct import pack
from typing import Any

import orjson
import pytest
from answers import MESSAGE_EVENTS, MESSAGES
from replaying import Replay, Reply, httpx_of, sse

anthropic = pytest.importorskip("anthropic")

Logged = Callable[[], list[dict[str, Any]]]
Hooked = Callable[..., None]

STREAM = Reply(pieces=sse(*MESSAGE_EVENTS, named=True))


@pytest.fixture
def client(replay: Replay) -> Iterator[Any]:
    """Return a client that believes to speak to Anthropic."""
    with replay.client(httpx_of(anthropic)) as http:
        yield anthropic.Anthropic(api_key="k", http_client=http, max_retries=0)


def stream(client: Any) -> Any:
    return client.messages.create(model="claude-x", max_tokens=64, messages=MESSAGES, stream=True)


def tokens(record: dict[str, Any]) -> tuple[int, int]:
    return record["prompt_tokens"], record["completion_tokens"]


def aws_message(event: dict[str, Any]) -> bytes:
    """Return an event as Bedrock frames it."""
    headers = b"".join(
        pack(">B", len(name)) + name + b"\x07" + pack(">H", len(value)) + value
        for name, value in (
            (b":event-type", b"chunk"),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    payload = orjson.dumps({"bytes": base64.b64encode(orjson.dumps(event)).decode()})
    prelude = pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + pack(">I", crc32(prelude)) + headers + payload
    return head + pack(">I", crc32(head))


def test_stream_has_exact_tokens_and_the_same_events(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Usage is cumulative: the last figures count, and the events are those of before."""
    replay.answer(STREAM)
    before = [event.to_dict() for event in stream(client)]
    hooked(anthropic)
    seen = stream(client)
    assert isinstance(seen, anthropic.Stream)
    assert [event.to_dict() for event in seen] == before
    (record,) = logged()
    assert (tokens(record), record["usage_source"]) == ((18, 7), "provider")
    assert record["tags"]["ttft"] > 0


def test_helper_is_recorded(client: Any, replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """The .stream() helper gives its final message, and one record."""
    hooked(anthropic)
    replay.answer(STREAM)
    with client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as helper:
        assert helper.get_final_text() == "Hello"
    assert [tokens(record) for record in logged()] == [(18, 7)]


def test_async_helper_is_recorded(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """The async helper as well."""
    hooked(anthropic)
    replay.answer(STREAM)

    async def main() -> None:
        async with (
            anthropic.AsyncAnthropic(api_key="k", base_url=replay.url) as client,
            client.messages.stream(model="m", max_tokens=9, messages=MESSAGES) as helper,
        ):
            assert await helper.get_final_text() == "Hello"

    asyncio.run(main())
    assert [tokens(record) for record in logged()] == [(18, 7)]


def test_stream_left_early_knows_its_prompt(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A stream that is closed early has its prompt tokens, and is partial."""
    hooked(anthropic)
    replay.answer(STREAM)
    with stream(client) as opened:
        next(opened)
    (record,) = logged()
    assert (record["prompt_tokens"], record["usage_source"]) == (18, "partial")


def test_dropped_stream_is_recorded_and_closed_at_once(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Where the SDK's streams need no garbage collector to be closed, they still don't."""
    replay.answer(STREAM)
    closed = []
    for _ in range(2):
        opened = stream(client)
        next(opened)
        response = opened.response
        del opened
        closed.append(response.is_closed)
        hooked(anthropic)
    assert closed[0] == closed[1]
    del response
    assert [record["usage_source"] for record in logged()] == (["partial"] if closed[1] else [])


def test_error_within_a_stream_has_failed(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """An overload in mid-stream fails the call, with what is known by then."""
    hooked(anthropic)
    overload = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    replay.answer(Reply(pieces=sse(*MESSAGE_EVENTS[:3], overload, named=True)))
    with pytest.raises(anthropic.APIStatusError):
        list(stream(client))
    (record,) = logged()
    assert (record["success"], record["prompt_tokens"]) == (False, 18)
    assert "overloaded_error: Overloaded" in record["error_message"]


def test_stream_cut_in_the_middle_has_failed(
    client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A connection that breaks is a failure, with what is known."""
    hooked(anthropic)
    replay.answer(Reply(pieces=sse(*MESSAGE_EVENTS[:3], named=True), cut=True))
    with pytest.raises(httpx_of(anthropic).RemoteProtocolError):
        list(stream(client))
    (record,) = logged()
    assert (record["success"], record["usage_source"]) == (False, "partial")


def test_bedrock_stream_is_recorded(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """AWS's framing is read along too; the model comes from the answer."""
    pytest.importorskip("botocore")
    replay.answer(
        Reply(
            pieces=tuple(aws_message(event) for event in MESSAGE_EVENTS),
            headers={"content-type": "application/vnd.amazon.eventstream"},
        )
    )
    hooked(anthropic)
    with replay.client(httpx_of(anthropic)) as http:
        client = anthropic.AnthropicBedrock(
            aws_access_key="a", aws_secret_key="b", aws_region="us-east-1", http_client=http
        )
        assert [event.type for event in stream(client)][-1] == "message_stop"
    (record,) = logged()
    assert (tokens(record), record["provider"]) == ((18, 7), "aws")
    assert record["usage_source"] == "provider"
