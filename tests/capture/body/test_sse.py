"""Server-sent events: cut, read, and one of them swallowed, byte for byte."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.capture.body.sse import MAX_EVENT, Splitter, data_of, parse, without_usage

ENDS = ("\n\n", "\r\n\r\n", "\r\r")
CHUNK = {"id": "1", "choices": [{"delta": {"content": 'say "usage":null, or \\"usage\\": null'}}]}


def cut(body: bytes, sizes: list[int]) -> tuple[list[bytes], bytes]:
    """Feed a body in pieces of these sizes and return the events and the rest."""
    splitter = Splitter()
    events: list[bytes] = []
    for size in sizes:
        events += splitter.feed(body[:size])
        body = body[size:]
    events += splitter.feed(body)
    return events, splitter.rest()


@given(
    events=st.lists(st.text("ab:ü\u2028", min_size=1), max_size=6),
    end=st.sampled_from(ENDS),
    tail=st.sampled_from(["", "data: half", ": note"]),
    sizes=st.lists(st.integers(0, 12), max_size=20),
)
def test_events_do_not_depend_on_the_pieces(
    events: list[str], end: str, tail: str, sizes: list[int]
) -> None:
    """However a body is cut up, its events and what is left over are the same bytes."""
    body = "".join(f"data: {event}{end}" for event in events).encode() + tail.encode()
    found, rest = cut(body, sizes)
    assert b"".join(found) + rest == body
    assert [data_of(event).decode() for event in found] == events[: len(found)]
    if end != "\r\r":
        assert len(found) == len(events)


def test_comments_names_and_several_lines_are_understood() -> None:
    """Data lines are joined; comments, names and ids are none."""
    event = b": ping\nevent: x\nid: 3\ndata: [1,\ndata:2]\n\n"
    assert data_of(event) == b"[1,\n2]"
    assert data_of(b": OPENROUTER PROCESSING\n\n") == b""
    assert parse(b"[1]") is None
    assert parse(b"{") is None


def test_endless_event_passes_unread() -> None:
    """What would fill the memory is handed on before it ends."""
    splitter = Splitter()
    piece = b"x" * (MAX_EVENT + 1)
    assert splitter.feed(piece) == [piece]
    assert splitter.rest() == b""


def swallowed(event: dict[str, Any], *, spaced: bool = False) -> bytes:
    data = orjson.dumps(event)
    if spaced:
        data = data.replace(b'"usage":null', b'"usage" : null')
    return without_usage(b"data: " + data + b"\r\n\r\n", event)


@pytest.mark.parametrize("spaced", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_null_usage_is_cut_out(*, first: bool, spaced: bool) -> None:
    """The null that nobody asked for goes, wherever it stands; text that looks like it stays."""
    usage: dict[str, Any] = {"usage": None}
    event = usage | CHUNK if first else CHUNK | usage
    assert swallowed(event, spaced=spaced) == b"data: " + orjson.dumps(CHUNK) + b"\r\n\r\n"


def test_null_usage_further_inside_stays() -> None:
    """Only the chunk's own usage was added by us."""
    inner: dict[str, Any] = {"choices": [{"delta": {"usage": None}}], "x": 1}
    assert swallowed(inner | {"usage": None}) == b"data: " + orjson.dumps(inner) + b"\r\n\r\n"


def test_extra_chunk_is_swallowed() -> None:
    """Usage without choices is the chunk that was asked for."""
    assert swallowed({"choices": [], "usage": {"total_tokens": 1}}) == b""


@pytest.mark.parametrize(
    "event",
    [
        {"choices": [], "prompt_filter_results": []},
        {"choices": [{"delta": {}}], "usage": {"total_tokens": 1}},
        CHUNK,
    ],
    ids=["filter", "both", "neither"],
)
def test_other_chunks_survive(event: dict[str, Any]) -> None:
    """Azure's first chunk, and usage on a chunk of text, are the application's."""
    assert swallowed(event) == b"data: " + orjson.dumps(event) + b"\r\n\r\n"
