"""Streams of every API, gathered into the unstreamed response."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.fold import Fold


def folded(*events: Any) -> Fold:
    fold = Fold()
    for event in events:
        fold.add(event)
    return fold


def chunk(delta: dict[str, Any] | None = None, **others: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta}]
    return {"id": "c1", "model": "gpt-4o", "choices": choices, **others}


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
STREAMS: list[tuple[str, list[dict[str, Any]], int, int, int]] = [
    # name, events, characters of output, prompt tokens, completion tokens
    ("chat, usage on a chunk without choices",
     [chunk({"role": "assistant", "content": ""}), chunk({"content": "hello"}),
      {"id": "c1", "model": "gpt-4o", "choices": [{"delta": {}, "finish_reason": "stop"}]},
      chunk(usage=USAGE)], 5, 10, 5),
    ("chat, azure's first chunk is empty",
     [{"id": "", "model": "", "choices": [], "prompt_filter_results": []},
      chunk({"content": "hello"}), chunk(usage=USAGE)], 5, 10, 5),
    ("chat, usage on the last chunk with choices",
     [chunk({"content": "hel"}), {"choices": [{"delta": {"content": "lo"},
      "finish_reason": "stop"}], "usage": USAGE}], 5, 10, 5),
    ("chat, moonshot's own place", [chunk({"content": "hello"}), {"choices": [{"delta": {},
      "finish_reason": "stop", "usage": USAGE}]}], 5, 10, 5),
    ("chat, minimax ends with the whole message", [chunk({"content": "hello"}), {"choices": [
      {"message": {"content": "hello"}, "finish_reason": "stop"}], "usage": USAGE}], 5, 10, 5),
    ("chat, zeros at the end", [chunk({"content": "hel"}), chunk({"content": "lo"}),
      chunk(usage=USAGE), chunk(usage=dict.fromkeys(USAGE, 0))], 5, 10, 5),
    ("chat, cumulative usage on every chunk",
     [chunk({"content": "hel"}, usage={"prompt_tokens": 10, "completion_tokens": 1}),
      chunk({"content": "lo"}, usage={"prompt_tokens": 10, "completion_tokens": 5}),
      {"choices": [{"delta": {}, "finish_reason": "stop"}]}], 5, 10, 5),
    ("chat, tool calls and reasoning",
     [chunk({"reasoning_content": "hm"}),
      chunk({"tool_calls": [{"function": {"name": "f", "arguments": '{"a":'}}]}),
      chunk({"tool_calls": [{"function": {"arguments": "1}"}}]}), chunk(usage=USAGE)], 9, 10, 5),
    ("chat, groq's own place", [chunk({"content": "hi"}), {"choices": [{"delta": {},
      "finish_reason": "stop"}], "x_groq": {"usage": USAGE}}], 2, 10, 5),
    ("completions", [{"choices": [{"text": "hello"}]},
     {"choices": [{"text": "", "finish_reason": "stop"}], "usage": USAGE}], 5, 10, 5),
    ("anthropic",
     [{"type": "message_start", "message": {"id": "m1", "type": "message", "model": "claude",
       "usage": {"input_tokens": 3, "cache_read_input_tokens": 7, "output_tokens": 1}}},
      {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
      {"type": "ping"},
      {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hello"}},
      {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hm"}},
      {"type": "content_block_delta", "delta": {"type": "signature_delta", "signature": "A" * 99}},
      {"type": "content_block_delta", "delta": {"type": "input_json_delta",
                                                "partial_json": '{"a"'}},
      {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 4}},
      {"type": "message_delta", "delta": {"stop_reason": "end_turn"},
       "usage": {"input_tokens": None, "output_tokens": 5}},
      {"type": "message_stop"}], 11, 10, 5),
    ("responses",
     [{"type": "response.created", "response": {"id": "r1", "model": "gpt-5", "usage": None}},
      {"type": "response.output_text.delta", "delta": "hello"},
      {"type": "response.function_call_arguments.delta", "delta": "{}"},
      {"type": "response.audio.delta", "delta": "A" * 99},
      {"type": "response.incomplete", "response": {"id": "r1", "model": "gpt-5",
       "usage": {"input_tokens": 10, "output_tokens": 5}}}], 7, 10, 5),
    ("realtime",
     [{"type": "session.created", "session": {"model": "gpt-realtime"}},
      {"type": "response.output_audio.delta", "delta": "A" * 99},
      {"type": "response.done", "response": {"status": "completed",
       "usage": {"input_tokens": 10, "output_tokens": 5}}}], 0, 10, 5),
    ("image", [{"type": "image_generation.partial_image", "b64_json": "A" * 99},
     {"type": "image_generation.completed", "b64_json": "A" * 99,
      "usage": {"input_tokens": 10, "output_tokens": 5}}], 0, 10, 5),
    ("gemini",
     [{"candidates": [{"content": {"parts": [{"text": "hel"}]}}], "modelVersion": "gemini",
       "usageMetadata": {"promptTokenCount": 10}},
      {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "args": {}}},
                                             {"text": "lo"}]}}],
       "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2}},
      {"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 10,
       "candidatesTokenCount": 3, "thoughtsTokenCount": 2}}], 5, 10, 5),
    ("gemini live",
     [{"setupComplete": {}},
      {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"data": "A" * 99}}]}}},
      {"serverContent": {"outputTranscription": {"text": "hello"}}},
      {"serverContent": {"turnComplete": True},
       "usageMetadata": {"promptTokenCount": 10, "responseTokenCount": 5}}], 5, 10, 5),
    ("bedrock",
     [{"messageStart": {"role": "assistant"}}, {"contentBlockDelta": {"delta": {"text": "hello"}}},
      {"contentBlockDelta": {"delta": {"toolUse": {"input": "{}"}}}},
      {"contentBlockDelta": {"delta": {"reasoningContent": {"text": "hm"}}}},
      {"messageStop": {"stopReason": "end_turn"}},
      {"metadata": {"usage": {"inputTokens": 4, "cacheReadInputTokens": 6, "outputTokens": 5}}}],
     9, 10, 5),
    ("cohere",
     [{"type": "message-start", "id": "co1"},
      {"type": "content-delta", "delta": {"message": {"content": {"text": "hello"}}}},
      {"type": "tool-call-delta", "delta": {"message": {"tool_calls": {"function": {
       "arguments": "{}"}}}}},
      {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {
       "billed_units": {"input_tokens": 10, "output_tokens": 5}}}}], 7, 10, 5),
    ("ollama",
     [{"model": "llama3", "message": {"content": "hel", "thinking": "hm"}, "done": False},
      {"model": "llama3", "response": "lo", "done": False},
      {"model": "llama3", "message": {"content": ""}, "done": True, "prompt_eval_count": 10,
       "eval_count": 5}], 7, 10, 5),
    ("cloudflare", [{"response": "hel", "p": "ab"}, {"response": "lo"},
      {"response": "", "usage": USAGE}], 5, 10, 5),
]  # fmt: skip


@pytest.mark.parametrize(
    ("events", "characters", "prompt", "completion"),
    [stream[1:] for stream in STREAMS],
    ids=[stream[0] for stream in STREAMS],
)
def test_stream_comes_out_as_its_response(
    events: list[dict[str, Any]], characters: int, prompt: int, completion: int
) -> None:
    """The last word on tokens counts, all output is counted, and the end is seen."""
    fold = folded(*events)
    fields = fields_of(fold.response(), provider=None, complete=fold.ended)
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (prompt, completion)
    assert fields["usage_source"] == "provider"
    assert (fold.output_characters, fold.ended) == (characters, True)
    assert fold.first_output is not None


@pytest.mark.parametrize("stream", STREAMS, ids=[stream[0] for stream in STREAMS])
def test_stream_that_breaks_off_has_not_ended(stream: tuple[Any, ...]) -> None:
    """Before its last events no stream is over, so that what is known counts as partial."""
    assert not folded(*stream[1][:2][: len(stream[1]) - 1]).ended


def test_stream_with_usage_on_each_chunk_has_not_ended_by_that() -> None:
    """Though the first chunk had none: an end is what carries no text any more."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2}
    assert not folded(chunk({"content": "a"}), chunk({"content": "b"}, usage=usage)).ended


def test_figure_does_not_go_back_to_zero() -> None:
    """Some servers end with zeros, also among the details; a count that grows is taken."""
    known = {"input_tokens": 25, "input_tokens_details": {"cached_tokens": 7}}
    news = {"input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 15}
    fold = folded(
        {"type": "message_start", "message": {"usage": known}},
        {"type": "message_delta", "usage": {"output_tokens": 3}},
        {"type": "message_delta", "usage": news},
    )
    assert fold.response()["usage"] == {**known, "output_tokens": 15}


def test_searches_of_all_chunks_are_kept_and_no_text() -> None:
    """Gemini says them where it pleases; what was found is the answer's text."""
    first = {"webSearchQueries": ["a", "b"]}
    second = {"webSearchQueries": ["b", "c"], "groundingSupports": [{"segment": {"text": "Hi"}}]}
    fold = folded(
        {"candidates": [{"groundingMetadata": first}]},
        {"candidates": [{"groundingMetadata": second}]},
        {"candidates": [{"groundingMetadata": {"groundingChunks": [{}]}, "finishReason": "STOP"}]},
    )
    searched = {"webSearchQueries": ["a", "b", "c"]}
    assert fold.response()["candidates"] == [{"groundingMetadata": searched}]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}},
         "overloaded_error: x"),
        ({"type": "error", "code": "server_error", "message": "x"}, "server_error: x"),
        ({"error": {"code": 502, "message": "x"}}, "502: x"),
        ({"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"message": "x"}}, "x"),
    ],
)  # fmt: skip
def test_error_in_a_stream_is_its_outcome(event: dict[str, Any], message: str) -> None:
    """What came before it counts."""
    fold = folded(chunk({"content": "hello"}), event)
    fields = fields_of(fold.response(), provider=None, output_characters=fold.output_characters)
    assert (fields["success"], fields["error_message"]) == (False, message)
    assert fields["completion_tokens"] == 2


def test_names_of_the_answer_are_kept() -> None:
    """Model, id and service tier come out as in the unstreamed response."""
    fold = folded(chunk({"content": "x"}, service_tier="flex"), chunk(usage=USAGE))
    response = fold.response()
    assert (response["id"], response["model"]) == ("c1", "gpt-4o")
    assert response["service_tier"] == "flex"


def test_time_of_the_first_output_is_that_of_the_first_text() -> None:
    """An empty first chunk is no output, and later ones change nothing."""
    fold = folded(chunk({"role": "assistant", "content": ""}))
    assert fold.first_output is None
    fold.add(chunk({"content": "a"}))
    first = fold.first_output
    fold.add(chunk({"content": "b"}))
    assert first is not None
    assert fold.first_output == first


def test_tool_call_without_arguments_is_output() -> None:
    """A model that only names a tool has answered."""
    fold = folded(chunk({"tool_calls": [{"function": {"name": "f", "arguments": None}}]}))
    assert fold.first_output is not None


def test_blocked_prompt_ends_the_stream() -> None:
    """Gemini sends no candidates after its feedback."""
    assert folded({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}}).ended


def test_response_is_a_copy() -> None:
    """What is asked for in mid-stream does not change under the asker."""
    fold = folded(chunk(usage={"prompt_tokens": 1}))
    before = fold.response()
    fold.add(chunk(usage={"prompt_tokens": 2}))
    assert before["usage"] == {"prompt_tokens": 1}


KEYS = [
    "type",
    "choices",
    "delta",
    "content",
    "usage",
    "message",
    "message_start",
    "content_block",
    "candidates",
    "parts",
    "usageMetadata",
    "promptFeedback",
    "finishReason",
    "groundingMetadata",
    "webSearchQueries",
    "serverContent",
    "error",
    "contentBlockDelta",
    "metadata",
    "messageStop",
    "done",
    "response",
    "x_groq",
    "text",
    "tool_calls",
    "function",
    "arguments",
    "model",
    "id",
    "stop_reason",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["message_start", "message_delta", "message-end", "response.created"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=15,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), JUNK) | JUNK, max_size=5))
def test_hostile_events_raise_nothing(events: list[Any]) -> None:
    """Whatever a stream brings, its fold can be asked for a response."""
    fold = folded(*events)
    assert fields_of(fold.response(), provider=None)["prompt_tokens"] >= 0
    assert fold.output_characters >= 0
