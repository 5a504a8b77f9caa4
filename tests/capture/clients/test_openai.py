"""The hook on the real OpenAI SDK: answers that come in one piece."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from answers import CHAT, EMBEDDING, MESSAGES, RESPONSE
from openais import Hooked, Logged, ask, tokens
from replaying import Replay, Reply, httpx_of

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.stainless import hook
from tokenusage.context import track

openai = pytest.importorskip("openai")


def test_chat_is_one_right_record(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A call's record holds its tokens, who answered, what was asked, and its price."""
    replay.answer(Reply(body=CHAT))
    before = ask(openai_client)
    hooked(openai)
    with track(user_id=7, operation_type="rag_answer"):
        assert ask(openai_client) == before
    (record,) = logged()
    assert tokens(record) == (20, 7)
    assert record["model_name"] == "gpt-4o-mini-2024-07-18"
    assert (record["cache_read_tokens"], record["reasoning_tokens"]) == (4, 2)
    assert (record["user_id"], record["operation_type"]) == (7, "rag_answer")
    assert (record["provider"], record["response_id"]) == ("openai", "chatcmpl-1")
    assert (record["query"], record["success"]) == ("Hi there", True)
    assert record["cost_estimate"] > 0
    assert 0 < record["response_time"] < 10
    assert replay.requests[0].body == replay.requests[1].body


def test_async_chat_is_recorded(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """The async client is hooked as the sync one is."""
    hooked(openai)
    replay.answer(Reply(body=CHAT))

    async def main() -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=replay.url) as client:
            await asyncio.gather(*(ask(client) for _ in range(5)))

    asyncio.run(main())
    assert [tokens(record) for record in logged()] == [(20, 7)] * 5


@pytest.mark.parametrize(
    ("body", "call", "expected", "operation"),
    [
        (
            RESPONSE,
            lambda c: c.responses.create(model="gpt-5-mini", input="Hi"),
            (30, 9),
            "chat",
        ),
        (
            EMBEDDING,
            lambda c: c.embeddings.create(model="text-embedding-3-small", input=["Hi"]),
            (8, 0),
            "embedding",
        ),
        (CHAT, lambda c: ask(c.with_options(timeout=5, max_retries=0)), (20, 7), "chat"),
        (
            CHAT,
            lambda c: c.post(
                "/chat/completions", cast_to=object, body={"model": "m", "messages": MESSAGES}
            ),
            (20, 7),
            "chat",
        ),
    ],
    ids=["responses", "embeddings", "with_options", "post"],
)
def test_other_calls_are_recorded(
    openai_client: Any,
    replay: Replay,
    hooked: Hooked,
    logged: Logged,
    *,
    body: dict[str, Any],
    call: Callable[[Any], Any],
    expected: tuple[int, int],
    operation: str,
) -> None:
    """Every kind of model call is one record, and its answer is what it was."""
    replay.answer(Reply(body=body))
    before = call(openai_client)
    hooked(openai)
    assert call(openai_client) == before
    (record,) = logged()
    assert (tokens(record), record["operation_type"]) == (expected, operation)


def test_raw_response_is_recorded(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Behind with_raw_response there is the same record, and the same bytes and headers."""
    hooked(openai)
    replay.answer(Reply(body=CHAT, headers={"x-request-id": "req_1"}))
    raw = openai_client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
    assert raw.headers["x-request-id"] == "req_1"
    assert raw.parse().usage.total_tokens == 27
    assert [tokens(record) for record in logged()] == [(20, 7)]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_streaming_response_is_recorded_when_it_is_read(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, encoding: str
) -> None:
    """with_streaming_response leaves the reading to the application, and reads along."""
    import gzip

    import orjson

    hooked(openai)
    body = orjson.dumps(CHAT)
    content = gzip.compress(body) if encoding == "gzip" else body
    replay.answer(Reply(body=content, headers={"content-encoding": encoding}))
    create = openai_client.chat.completions.with_streaming_response.create
    with create(model="m", messages=MESSAGES) as response:
        assert logged() == []
        assert response.read() == body
        assert response.parse().id == "chatcmpl-1"
    assert [tokens(record) for record in logged()] == [(20, 7)]


def test_streaming_response_left_unread_is_partial(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """What nobody has read, nobody knows: the call counts, as partial."""
    hooked(openai)
    replay.answer(Reply(body=CHAT))
    with openai_client.chat.completions.with_streaming_response.create(
        model="m", messages=MESSAGES
    ):
        pass
    (record,) = logged()
    assert (record["usage_source"], record["model_name"]) == ("partial", "m")


def test_speech_is_recorded_and_passes(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """An answer of bytes is one record, estimated, and comes through unchanged."""
    hooked(openai)
    replay.answer(Reply(body=b"\x00\xff", headers={"content-type": "audio/mpeg"}))
    speech = openai_client.audio.speech.create(model="tts-1", voice="alloy", input="Hello you")
    with openai_client.audio.speech.with_streaming_response.create(
        model="tts-1", voice="alloy", input="Hello you"
    ) as streamed:
        assert (speech.content, streamed.read()) == (b"\x00\xff", b"\x00\xff")
    assert [r["operation_type"] for r in logged()] == ["audio", "audio"]
    assert {r["usage_source"] for r in logged()} == {"estimated"}


def test_azure_is_priced_as_azure(replay: Replay, hooked: Hooked, logged: Logged) -> None:
    """The provider comes from the address, the model from the answer, not the deployment."""
    hooked(openai)
    replay.answer(Reply(body=CHAT))
    with replay.client(httpx_of(openai)) as http:
        client = openai.AzureOpenAI(
            api_key="k",
            api_version="2024-10-21",
            azure_endpoint="https://ours.openai.azure.com",
            http_client=http,
        )
        client.chat.completions.create(model="our-deployment", messages=MESSAGES)
    (record,) = logged()
    assert (record["provider"], record["model_name"]) == ("azure", "gpt-4o-mini-2024-07-18")
    assert "/deployments/our-deployment/" in replay.requests[0].path


def test_azures_deployment_is_the_model_that_is_asked_for(
    replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A client of one deployment ignores the model that it is given."""
    hooked(openai)
    replay.answer(Reply(body=CHAT | {"model": ""}))
    with replay.client(httpx_of(openai)) as http:
        client = openai.AzureOpenAI(
            api_key="k",
            api_version="2024-10-21",
            azure_endpoint="https://ours.openai.azure.com",
            azure_deployment="our deployment",
            http_client=http,
        )
        ask(client)
    assert logged()[0]["model_name"] == "our deployment"


def test_json_is_read_whatever_its_label(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A proxy's careless label, and a body that is wanted as text, hide no tokens."""
    hooked(openai)
    replay.answer(Reply(body=CHAT, headers={"content-type": "application/octet-stream"}))
    openai_client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
    body = {"model": "m", "messages": MESSAGES}
    text = openai_client.post("/chat/completions", cast_to=str, body=body)
    assert text.startswith("{")
    assert [tokens(record) for record in logged()] == [(20, 7)] * 2


def test_what_is_no_model_call_is_not_recorded(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Listing models, polling a response and moderating cost nothing and are no calls."""
    hooked(openai)
    replay.answer(Reply(body={"object": "list", "data": [], "id": "x", "results": []}))
    openai_client.models.list()
    openai_client.responses.retrieve("resp_1")
    openai_client.moderations.create(input="x")
    assert len(replay.requests) == 3
    assert logged() == []


def test_unhook_restores_the_very_same_functions(capture: Capture) -> None:
    """After unhooking, the classes hold what they held before."""
    base = openai._base_client
    before = [vars(c)["request"] for c in (base.SyncAPIClient, base.AsyncAPIClient)]
    unhook = hook(openai, capture)
    assert [vars(c)["request"] for c in (base.SyncAPIClient, base.AsyncAPIClient)] != before
    unhook()
    assert [vars(c)["request"] for c in (base.SyncAPIClient, base.AsyncAPIClient)] == before
