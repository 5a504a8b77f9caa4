"""From payloads to tokens: every API in the shapes that its documentation shows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.usage import read_usage


def chat(**usage: Any) -> dict[str, Any]:
    return {"id": "c1", "model": "m", "choices": [], "usage": usage}


def responses(**usage: Any) -> dict[str, Any]:
    return {"id": "r1", "object": "response", "model": "m", "output": [], "usage": usage}


def message(**usage: Any) -> dict[str, Any]:
    return {"id": "m1", "type": "message", "model": "m", "usage": usage}


def gemini(**metadata: Any) -> dict[str, Any]:
    return {"responseId": "g1", "modelVersion": "gemini-2.5-flash", "usageMetadata": metadata}


OPENAI_DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 7, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0},
}
CASES = [
    # name, provider, body, prompt, completion, other fields
    ("openai chat", "openai", chat(prompt_tokens=100, completion_tokens=50, total_tokens=150,
     **OPENAI_DETAILS), 100, 50,
     {"cache_read_tokens": 60, "cache_write_tokens": 7, "reasoning_tokens": 30}),
    ("azure chat", "azure", chat(prompt_tokens=100, completion_tokens=50, total_tokens=150,
     **OPENAI_DETAILS), 100, 50,
     {"cache_read_tokens": 60, "cache_write_tokens": 7, "reasoning_tokens": 30}),
    ("openai audio", "openai", chat(prompt_tokens=100, completion_tokens=50,
     prompt_tokens_details={"audio_tokens": 40}, completion_tokens_details={"audio_tokens": 20}),
     100, 50, {"usage": {"input_audio_tokens": 40, "output_audio_tokens": 20}}),
    ("openai responses", "openai", responses(input_tokens=90, output_tokens=40, total_tokens=130,
     input_tokens_details={"cached_tokens": 64}, output_tokens_details={"reasoning_tokens": 25}),
     90, 40, {"cache_read_tokens": 64, "reasoning_tokens": 25}),
    ("openai embeddings", "openai", {"object": "list", "model": "m", "data": [],
     "usage": {"prompt_tokens": 8, "total_tokens": 8}}, 8, 0, {}),
    ("openai images", "openai", {"created": 1, "data": [], "usage": {"input_tokens": 50,
     "input_tokens_details": {"text_tokens": 10, "image_tokens": 40}, "output_tokens": 1000,
     "total_tokens": 1050}}, 50, 1000,
     {"usage": {"input_image_tokens": 40, "output_image_tokens": 1000}}),
    ("openai images, text among them", "openai", {"created": 1, "data": [], "usage": {
     "input_tokens": 50, "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
     "output_tokens": 1000, "output_tokens_details": {"text_tokens": 56, "image_tokens": 944}}},
     50, 1000, {"usage": {"output_image_tokens": 944}}),
    ("openai transcription by token", "openai", {"text": "hi", "usage": {"type": "tokens",
     "input_tokens": 14, "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
     "output_tokens": 45, "total_tokens": 59}}, 14, 45, {"usage": {"input_audio_tokens": 14}}),
    ("openai realtime, logged by hand", "openai", {"type": "response.done", "response": {"id": "r",
     "usage": {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
     "input_token_details": {"text_tokens": 60, "audio_tokens": 40, "cached_tokens": 30,
     "cached_tokens_details": {"text_tokens": 30, "audio_tokens": 0}},
     "output_token_details": {"text_tokens": 5, "audio_tokens": 15}}}}, 100, 20,
     {"cache_read_tokens": 30, "usage": {"input_audio_tokens": 40, "output_audio_tokens": 15,
      "cache_audio_read_tokens": 0}}),
    ("openai transcription by time", "openai", {"text": "hi", "usage": {"type": "duration",
     "seconds": 12.5}}, 0, 0, {"usage": {"audio_seconds": 12.5}}),
    ("anthropic", "anthropic", message(input_tokens=10, output_tokens=40,
     cache_creation_input_tokens=300, cache_read_input_tokens=2000,
     cache_creation={"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
     output_tokens_details={"thinking_tokens": 12},
     server_tool_use={"web_search_requests": 3}), 2310, 40,
     {"cache_read_tokens": 2000, "cache_write_tokens": 300, "reasoning_tokens": 12,
      "usage": {"cache_write_1h_tokens": 100, "web_searches": 3}}),
    ("anthropic on bedrock", "aws", message(input_tokens=10, output_tokens=4,
     cache_creation_input_tokens=0, cache_read_input_tokens=90,
     server_tool_use={"web_search_requests": 1}), 100, 4,
     {"cache_read_tokens": 90, "usage": {"web_searches": 1}}),
    ("anthropic behind a gateway", "llm.example.com", message(input_tokens=10, output_tokens=4,
     cache_read_input_tokens=90), 100, 4, {"cache_read_tokens": 90}),
    ("anthropic at openrouter", "openrouter", message(input_tokens=21, output_tokens=4,
     cache_creation_input_tokens=1000, cache_read_input_tokens=5000), 6021, 4,
     {"cache_read_tokens": 5000, "cache_write_tokens": 1000}),
    ("anthropic at baseten", "baseten", message(input_tokens=21, output_tokens=4,
     cache_creation_input_tokens=1000, cache_read_input_tokens=5000), 6021, 4,
     {"cache_read_tokens": 5000, "cache_write_tokens": 1000}),
    ("anthropic with a compaction", "anthropic", message(input_tokens=23000, output_tokens=1000,
     iterations=[{"type": "compaction", "input_tokens": 180000, "output_tokens": 3500,
     "cache_read_input_tokens": 70}, {"type": "message", "input_tokens": 23000,
     "output_tokens": 1000}]), 203070, 4500, {"cache_read_tokens": 70}),
    ("anthropic with an advisor", "anthropic", message(input_tokens=23, output_tokens=10,
     iterations=[{"type": "advisor_message", "input_tokens": 900, "output_tokens": 500}]),
     23, 10, {"tags": {"usage_mismatch": True}}),
    ("gemini", "google", gemini(promptTokenCount=120, cachedContentTokenCount=80,
     candidatesTokenCount=30, thoughtsTokenCount=200, toolUsePromptTokenCount=50,
     totalTokenCount=400), 170, 230, {"cache_read_tokens": 80, "reasoning_tokens": 200}),
    ("gemini, thoughts alone", "google", gemini(promptTokenCount=12, thoughtsTokenCount=20,
     totalTokenCount=32), 12, 20, {"reasoning_tokens": 20}),
    ("gemini audio", "google", gemini(promptTokenCount=120, candidatesTokenCount=3,
     cachedContentTokenCount=10, cacheTokensDetails=[{"modality": "TEXT", "tokenCount": 10}],
     promptTokensDetails=[{"modality": "TEXT", "tokenCount": 20},
     {"modality": "AUDIO", "tokenCount": 100}]), 120, 3, {"cache_read_tokens": 10,
     "usage": {"input_audio_tokens": 100, "cache_audio_read_tokens": 0}}),
    ("gemini in python's names", None, {"model_version": "gemini-2.5-pro", "usage_metadata":
     {"prompt_token_count": 9, "candidates_token_count": 3, "thoughts_token_count": 4}}, 9, 7,
     {"reasoning_tokens": 4}),
    ("vertex embeddings", "google", {"predictions": [
     {"embeddings": {"statistics": {"token_count": 4}, "values": [0.1]}},
     {"embeddings": {"statistics": {"token_count": 5.0}, "values": [0.1]}}]}, 9, 0, {}),
    ("bedrock converse", "aws", {"output": {}, "usage": {"inputTokens": 10, "outputTokens": 20,
     "cacheReadInputTokens": 300, "cacheWriteInputTokens": 40, "totalTokens": 370,
     "cacheDetails": [{"ttl": "1h", "inputTokens": 30}]}}, 350, 20,
     {"cache_read_tokens": 300, "cache_write_tokens": 40,
      "usage": {"cache_write_1h_tokens": 30}}),
    ("xai chat", "x-ai", chat(prompt_tokens=32, completion_tokens=9, total_tokens=135,
     prompt_tokens_details={"cached_tokens": 6},
     completion_tokens_details={"reasoning_tokens": 94}), 32, 103,
     {"cache_read_tokens": 6, "reasoning_tokens": 94}),
    ("xai, the older answer", "x-ai", chat(prompt_tokens=32, completion_tokens=9,
     reasoning_tokens=94, total_tokens=135), 32, 103, {"reasoning_tokens": 94}),
    ("xai behind a gateway", "llm.example.com", chat(prompt_tokens=32, completion_tokens=9,
     total_tokens=135, completion_tokens_details={"reasoning_tokens": 94}), 32, 103,
     {"reasoning_tokens": 94}),
    ("reasoning that can be no part of the output", None, chat(prompt_tokens=32,
     completion_tokens=9, completion_tokens_details={"reasoning_tokens": 94}), 32, 103,
     {"reasoning_tokens": 94}),
    ("xai responses", "x-ai", responses(input_tokens=32, output_tokens=103, total_tokens=135,
     output_tokens_details={"reasoning_tokens": 94}), 32, 103, {"reasoning_tokens": 94}),
    ("perplexity", "perplexity", chat(prompt_tokens=33, completion_tokens=7163,
     total_tokens=7196, citation_tokens=20016, num_search_queries=18, reasoning_tokens=73997,
     search_context_size="low"), 33, 101176, {"reasoning_tokens": 73997,
     "usage": {"output_citation_tokens": 20016, "web_searches": 18}}),
    ("perplexity behind a gateway", None, chat(prompt_tokens=33, completion_tokens=10,
     total_tokens=43, search_context_size="low", reasoning_tokens=5), 33, 15,
     {"reasoning_tokens": 5}),
    ("deepseek", "deepseek", chat(prompt_tokens=20, completion_tokens=5, total_tokens=25,
     prompt_cache_hit_tokens=16, prompt_cache_miss_tokens=4), 20, 5, {"cache_read_tokens": 16}),
    ("groq", "groq", {"id": "g", "model": "m", "choices": [],
     "x_groq": {"id": "r", "usage": {"prompt_tokens": 5, "completion_tokens": 6,
     "total_tokens": 11, "queue_time": 0.01}}}, 5, 6, {}),
    ("mistral", "mistral", chat(prompt_tokens=5, completion_tokens=6, total_tokens=11), 5, 6, {}),
    ("mistral ocr", "mistral", {"model": "mistral-ocr-latest", "usage_info":
     {"pages_processed": 3, "doc_size_bytes": None}}, 0, 0, {"usage": {"input_document_pages": 3}}),
    ("moonshot", "moonshotai", chat(prompt_tokens=50, completion_tokens=6, total_tokens=56,
     cached_tokens=40), 50, 6, {"cache_read_tokens": 40}),
    ("cerebras", "cerebras", chat(prompt_tokens=50, completion_tokens=6, total_tokens=56,
     prompt_tokens_details={"cached_tokens": 16}), 50, 6, {"cache_read_tokens": 16}),
    ("cohere", "cohere", {"id": "c", "message": {}, "usage": {
     "billed_units": {"input_tokens": 5, "output_tokens": 418},
     "tokens": {"input_tokens": 71, "output_tokens": 418}}}, 5, 418, {}),
    ("cohere embeddings", "cohere", {"id": "c", "embeddings": {"float": []},
     "meta": {"billed_units": {"input_tokens": 12}}}, 12, 0, {}),
    ("ollama", "localhost:11434", {"model": "m", "message": {"content": "x"}, "done": True,
     "prompt_eval_count": 26, "eval_count": 290}, 26, 290, {}),
    ("voyage", "voyageai", {"object": "list", "data": [], "model": "voyage-3",
     "usage": {"total_tokens": 10}}, 10, 0, {}),
    ("cloudflare", "cloudflare", {"result": {"response": "x", "usage": {"prompt_tokens": 4,
     "completion_tokens": 2, "total_tokens": 6}}, "success": True}, 4, 2, {}),
    ("litellm, anthropic's caches", "litellm", chat(prompt_tokens=2310, completion_tokens=40,
     total_tokens=2350, cache_read_input_tokens=2000, cache_creation_input_tokens=300,
     completion_tokens_details={"reasoning_tokens": 90}), 2310, 40,
     {"cache_read_tokens": 2000, "cache_write_tokens": 300, "reasoning_tokens": 90}),
    ("litellm, what has a price of its own", "litellm", chat(prompt_tokens=2000,
     completion_tokens=1300, prompt_tokens_details={"cache_creation_tokens": 1500,
     "cache_creation_token_details": {"ephemeral_1h_input_tokens": 1400}, "image_tokens": 200},
     completion_tokens_details={"image_tokens": 1290},
     server_tool_use={"web_search_requests": 5}), 2000, 1300, {"cache_write_tokens": 1500,
     "usage": {"cache_write_1h_tokens": 1400, "input_image_tokens": 200,
     "output_image_tokens": 1290, "web_searches": 5}}),
    ("qwen's explicit cache", None, chat(prompt_tokens=3000, completion_tokens=10,
     prompt_tokens_details={"cached_tokens": 0, "cache_creation_input_tokens": 1500}), 3000, 10,
     {"cache_write_tokens": 1500}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "body", "prompt", "completion", "others"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_payload_becomes_inclusive_tokens(
    provider: str | None, body: dict[str, Any], prompt: int, completion: int, others: dict[str, Any]
) -> None:
    """Prompt includes caches, completion includes reasoning, and nothing else is said."""
    fields: dict[str, Any] = {**fields_of(body, provider=provider)}
    for name in ("model_name", "response_id"):
        fields.pop(name, None)
    assert fields == {
        "prompt_tokens": prompt, "completion_tokens": completion, "usage_source": "provider",
        **others,
    }  # fmt: skip


def test_event_that_wraps_a_response_is_opened() -> None:
    """Usage is found in OpenAI's and Anthropic's events as well."""
    event = {"type": "response.failed", "response": responses(input_tokens=3, output_tokens=1)}
    reported = read_usage(event, "openai")
    assert reported is not None
    assert reported.units == {"input_tokens": 3, "output_tokens": 1}


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "usage",
                    "usageMetadata",
                    "usage_metadata",
                    "prompt_tokens",
                    "completion_tokens",
                    "input_tokens",
                    "output_tokens",
                    "total_tokens",
                    "prompt_tokens_details",
                    "cached_tokens",
                    "reasoning_tokens",
                    "completion_tokens_details",
                    "inputTokens",
                    "promptTokenCount",
                    "promptTokensDetails",
                    "cost",
                    "cost_details",
                    "total_cost",
                    "cost_in_usd_ticks",
                    "service_tier",
                    "response",
                    "result",
                    "meta",
                    "billed_units",
                    "predictions",
                    "embeddings",
                    "statistics",
                    "token_count",
                    "output",
                    "type",
                    "action",
                    "candidates",
                    "groundingMetadata",
                    "webSearchQueries",
                    "modality",
                    "tokenCount",
                    "model",
                    "id",
                    "choices",
                    "delta",
                    "message",
                    "content",
                    "parts",
                    "text",
                    "eval_count",
                    "is_byok",
                    "seconds",
                    "x_groq",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(
    body=st.dictionaries(st.sampled_from(["usage", "usageMetadata", "response", "output"]), JUNK),
    provider=st.sampled_from([None, "openai", "x-ai", "perplexity", "google", "litellm", "nobody"]),
    complete=st.booleans(),
)
def test_hostile_payload_makes_a_record_all_the_same(
    *,
    body: dict[str, Any],
    provider: str | None,
    complete: bool,
) -> None:
    """Whatever a response holds, its fields are what a record can have."""
    from tokenusage.write.fields import check_fields

    check_fields(fields_of(body, provider=provider, complete=complete))
