"""Where the rarer APIs have their usage, and what is around it."""

from typing import Any

import pytest

from tokenusage.capture.payload.fields import fields_of

CASES: list[tuple[str, dict[str, Any], int, int, dict[str, Any]]] = [
    ("gemini's interactions", {"outputs": [{"text": "Hi"}], "usage": {"total_input_tokens": 10,
     "total_output_tokens": 200, "total_thought_tokens": 300, "total_cached_tokens": 4,
     "total_tool_use_tokens": 5, "total_tokens": 515,
     "input_tokens_by_modality": [{"modality": "audio", "tokens": 6}]}}, 15, 500,
     {"cache_read_tokens": 4, "reasoning_tokens": 300, "usage": {"input_audio_tokens": 6}}),
    ("gemini live", {"usageMetadata": {"promptTokenCount": 100, "responseTokenCount": 40,
     "thoughtsTokenCount": 7, "totalTokenCount": 147,
     "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}]}}, 100, 47,
     {"reasoning_tokens": 7, "usage": {"output_audio_tokens": 40}}),
    ("bedrock titan", {"inputTextTokenCount": 12, "results": [{"tokenCount": 30,
     "outputText": "Hi"}, {"tokenCount": 4}]}, 12, 34, {}),
    ("bedrock titan embeddings", {"embedding": [0.1], "inputTextTokenCount": 12}, 12, 0, {}),
    ("bedrock llama", {"generation": "Hi", "prompt_token_count": 12,
     "generation_token_count": 34}, 12, 34, {}),
    ("llama.cpp", {"content": "Hi", "tokens_evaluated": 12, "tokens_predicted": 33}, 12, 33, {}),
    ("mistral ocr, annotated", {"pages": [], "document_annotation": "{}",
     "usage_info": {"pages_processed": 3}}, 0, 0,
     {"usage": {"input_document_pages": 3, "input_annotated_document_pages": 3}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "prompt", "completion", "others"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_rare_shape_is_read(
    body: dict[str, Any], prompt: int, completion: int, others: dict[str, Any]
) -> None:
    """Wherever the figures stand, they are the provider's and not estimated."""
    assert fields_of(body, provider=None) == {
        "prompt_tokens": prompt, "completion_tokens": completion, "usage_source": "provider",
        **others,
    }  # fmt: skip


def test_lone_total_of_an_answer_is_not_its_prompt() -> None:
    """Nobody knows how it divides: both are estimated, and the total stays."""
    said = {"choices": [{"message": {"content": "y" * 40}}], "usage": {"total_tokens": 60}}
    fields = fields_of(said, provider="minimax", request={"messages": [{"content": "x" * 8}]})
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (2, 10)
    assert (fields["total_tokens"], fields["usage_source"]) == (60, "estimated")


@pytest.mark.parametrize("usage", [{"input_tokens": 3, "output_tokens": 1}, None])
@pytest.mark.parametrize("wrapper", ["response", "message", "result"])
def test_answer_within_an_event_has_its_names(wrapper: str, usage: dict[str, Any] | None) -> None:
    """The model and id are the answer's, whether or not it reports usage."""
    inner = {"id": "r1", "model": "gpt-5", "service_tier": "flex", "usage": usage}
    fields = fields_of({"type": "event", wrapper: inner}, provider="openai")
    assert (fields["model_name"], fields["response_id"]) == ("gpt-5", "r1")
    assert fields["service_tier"] == "flex"


def test_groq_s_request_id_is_not_the_answer_s() -> None:
    """The place of the usage has an id of its own."""
    groq = {"id": "req_1", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    fields = fields_of({"id": "chatcmpl-1", "model": "m", "x_groq": groq}, provider="groq")
    assert fields["response_id"] == "chatcmpl-1"
