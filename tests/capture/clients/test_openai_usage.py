"""The hook on the real OpenAI SDK: usage that nobody asked for, and nobody sees."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from answers import CHAT_USAGE, MESSAGES, chat_stream, chunk, error
from openais import OPENAI, Hooked, Logged, stream, tokens
from replaying import Replay, Reply, Request, httpx_of, sse

openai = pytest.importorskip("openai")

REFUSALS = [
    (400, error("Unrecognized request argument supplied: stream_options")),
    (400, {"error": {"message": "Extra inputs", "param": "stream_options.include_usage"}}),
    (422, {"error": {"message": "invalid", "details": [{"loc": ["body", "stream_options"]}]}}),
]


@pytest.mark.parametrize("asked", [True, False])
def test_what_the_application_asks_for_is_left_alone(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, *, asked: bool
) -> None:
    """Its own include_usage is respected, true or false, and its chunks stay."""
    options = {"include_usage": asked}
    replay.answer(chat_stream)
    before = [one.to_dict() for one in stream(openai_client, stream_options=options)]
    hooked(openai)
    assert [one.to_dict() for one in stream(openai_client, stream_options=options)] == before
    assert replay.requests[0].body == replay.requests[1].body
    assert logged()[0]["usage_source"] == ("provider" if asked else "estimated")


@pytest.mark.parametrize("base_url", ["https://api.x.ai/v1", "http://localhost:8000/v1", OPENAI])
def test_usage_is_not_asked_for_elsewhere_or_where_switched_off(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged, base_url: str
) -> None:
    """Other servers get the request as the application made it."""
    hooked(openai, include_usage=base_url != OPENAI)
    replay.answer(chat_stream)
    list(stream(openai_client.with_options(base_url=base_url)))
    assert "stream_options" not in replay.requests[0].json()
    assert logged()[0]["usage_source"] == "estimated"


def test_callers_request_is_not_changed(openai_client: Any, replay: Replay, hooked: Hooked) -> None:
    """The application's own dict is never written to."""
    hooked(openai)
    replay.answer(chat_stream)
    body = {"model": "m", "messages": MESSAGES, "stream": True, "stream_options": {}}
    chunks = openai.Stream[openai.types.chat.ChatCompletionChunk]
    list(
        openai_client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=chunks
        )
    )
    assert body["stream_options"] == {}
    assert replay.requests[0].json()["stream_options"] == {"include_usage": True}


def test_azures_first_chunk_survives(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A chunk without choices and without usage is the application's."""
    hooked(openai)
    first = chunk(choices=[], prompt_filter_results=[{"prompt_index": 0}], usage=None)
    last = chunk(choices=[], usage=CHAT_USAGE)
    replay.answer(Reply(pieces=sse(first, chunk("x"), chunk(), last, "[DONE]")))
    seen = [one.to_dict() for one in stream(openai_client)]
    assert seen[0]["prompt_filter_results"] == [{"prompt_index": 0}]
    assert "usage" not in seen[0]
    assert len(seen) == 3
    assert tokens(logged()[0]) == (20, 7)


def test_usage_on_a_chunk_with_choices_survives(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A provider that puts usage on the last chunk of text keeps it there."""
    hooked(openai)
    replay.answer(Reply(pieces=sse(chunk("x"), chunk(usage=CHAT_USAGE), "[DONE]")))
    seen = list(stream(openai_client))
    assert seen[1].usage.total_tokens == 27
    assert tokens(logged()[0]) == (20, 7)


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_server_that_knows_no_stream_options_is_asked_without(
    openai_client: Any,
    replay: Replay,
    hooked: Hooked,
    logged: Logged,
    *,
    status: int,
    body: dict[str, Any],
) -> None:
    """However an old server words its refusal: one record, and it is not asked again."""
    hooked(openai)

    def old(request: Request) -> Reply:
        return Reply(status, body) if "stream_options" in request.json() else chat_stream(request)

    replay.answer(old)
    for _ in range(2):
        assert len(list(stream(openai_client))) == 3
    assert len(replay.requests) == 3
    assert [record["usage_source"] for record in logged()] == ["estimated"] * 2


def test_refused_prompt_changes_nothing_for_the_next(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """What is refused without the parameter too was not refused for it."""
    hooked(openai)
    refusal = Reply(400, body=error("Invalid prompt: 'what is stream_options.include_usage?'"))
    replay.answer(refusal, refusal, chat_stream)
    with pytest.raises(openai.BadRequestError, match="Invalid prompt"):
        stream(openai_client)
    list(stream(openai_client))
    assert [record["usage_source"] for record in logged() if record["success"]] == ["provider"]
    assert len(logged()) == 2


def test_old_model_of_a_host_is_no_other(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """One deployment that knows no stream_options leaves its neighbours exact."""
    hooked(openai)

    def answer(request: Request) -> Reply:
        asked = request.json()
        old = asked["model"] == "old" and "stream_options" in asked
        return Reply(*REFUSALS[0]) if old else chat_stream(request)

    replay.answer(answer)
    create = openai_client.chat.completions.create
    for model in ("new", "old", "new"):
        list(create(model=model, messages=MESSAGES, stream=True))
    sources = [record["usage_source"] for record in logged()]
    assert sources == ["provider", "estimated", "provider"]


def test_event_hook_that_reads_changes_nothing(
    replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Where a logging hook has read the whole body, the chunks are those of before."""
    replay.answer(chat_stream)
    seen = []
    with replay.client(httpx_of(openai)) as http:
        http.event_hooks = {"response": [lambda response: response.read() and response.text]}
        client = openai.OpenAI(api_key="k", base_url=OPENAI, http_client=http)
        for _ in range(2):
            opened = stream(client)
            seen.append([one.to_dict() for one in opened] + [opened.response.text])
            hooked(openai)
    assert seen[0] == seen[1]
    (record,) = logged()
    assert (tokens(record), "tags" in record) == ((20, 7), False)


def test_stream_under_a_wrong_label_is_read(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """Events that are sent as JSON are events: the first byte decides."""
    mislabelled = {"content-type": "application/json"}
    replay.answer(lambda request: Reply(pieces=chat_stream(request).pieces, headers=mislabelled))
    before = [one.to_dict() for one in stream(openai_client)]
    hooked(openai)
    assert [one.to_dict() for one in stream(openai_client)] == before
    assert tokens(logged()[0]) == (20, 7)


def test_answer_in_one_piece_to_a_stream_is_read(
    openai_client: Any, replay: Replay, hooked: Hooked, logged: Logged
) -> None:
    """A server that does not stream answers with JSON, whatever it calls it."""
    hooked(openai)
    replay.answer(
        Reply(body=chunk(usage=CHAT_USAGE), headers={"content-type": "text/event-stream"})
    )
    list(stream(openai_client))
    assert tokens(logged()[0]) == (20, 7)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)]
)
@pytest.mark.parametrize("way", ["iter_raw", "iter_bytes", "read"])
def test_compressed_stream_is_the_same_however_it_is_read(
    openai_client: Any,
    replay: Replay,
    hooked: Hooked,
    logged: Logged,
    *,
    encoding: str,
    pack: Callable[[bytes], bytes],
    way: str,
) -> None:
    """Usage is swallowed from the bytes of the wire, which stay compressed."""

    def compressed(request: Request) -> Reply:
        content = pack(b"".join(chat_stream(request).pieces))
        headers = {"content-encoding": encoding}
        return Reply(pieces=(content[:20], content[20:]), headers=headers)

    replay.answer(compressed)
    create = openai_client.chat.completions.with_streaming_response.create
    seen = []
    for _ in range(2):
        with create(model="m", messages=MESSAGES, stream=True) as response:
            read = getattr(response.http_response, way)()
            body = read if isinstance(read, bytes) else b"".join(read)
        seen.append(zlib.decompress(body, wbits=47) if way == "iter_raw" else body)
        hooked(openai)
    assert seen[0] == seen[1]
    assert tokens(logged()[0]) == (20, 7)
