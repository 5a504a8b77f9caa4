"""From a response to the fields of its record."""

from typing import Any

import pytest

from tokenusage.capture.payload.fields import fields_of
from tokenusage.record import MAX_TOKENS

REQUEST = {"model": "gpt-4o", "messages": [{"role": "user", "content": "x" * 41}]}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


def answer(**others: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "model": "gpt-4o-2024-08-06", **others}


def test_answer_names_model_and_id() -> None:
    """The model is the one that has answered, and the id is the answer's."""
    fields = fields_of(answer(usage=USAGE), provider="openai")
    assert (fields["model_name"], fields["response_id"]) == ("gpt-4o-2024-08-06", "chatcmpl-1")
    assert "model_name" not in fields_of({"usage": USAGE, "model": ""}, provider=None)


@pytest.mark.parametrize(("total", "mismatch"), [(14, False), (15, False), (17, True)])
def test_total_that_is_more_is_said_and_not_guessed_away(*, total: int, mismatch: bool) -> None:
    """A higher total is kept and tagged; a lower one is ignored."""
    fields = fields_of(answer(usage=USAGE | {"total_tokens": total}), provider="openai")
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (10, 5)
    assert fields.get("total_tokens") == (total if mismatch else None)
    assert fields.get("tags") == ({"usage_mismatch": True} if mismatch else None)
    assert fields["usage_source"] == "provider"


def test_response_without_usage_is_estimated() -> None:
    """Four characters are a token, rounded up, on both sides."""
    said = answer(choices=[{"message": {"role": "assistant", "content": "y" * 9}}])
    fields = fields_of(said, provider="openai", request=REQUEST)
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (11, 3)
    assert fields["usage_source"] == "estimated"


def test_stream_without_usage_is_estimated_from_what_came() -> None:
    """The characters that a stream has brought stand for its text."""
    fields = fields_of(answer(), provider="openai", request=REQUEST, output_characters=6)
    assert (fields["completion_tokens"], fields["usage_source"]) == (2, "estimated")


@pytest.mark.parametrize(("characters", "completion"), [(400, 100), (8, 3)])
def test_stream_left_early_keeps_what_the_provider_has_said(
    characters: int, completion: int
) -> None:
    """The prompt is the provider's; the completion is estimated, and at least what is known."""
    begun = {
        "type": "message",
        "model": "claude-sonnet-4-5",
        "usage": {"input_tokens": 20, "cache_read_input_tokens": 30, "output_tokens": 3},
    }
    fields = fields_of(
        begun, provider="anthropic", request=REQUEST, output_characters=characters, complete=False
    )
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (50, completion)
    assert (fields["cache_read_tokens"], fields["usage_source"]) == (30, "partial")


def test_stream_left_early_without_any_figure_is_partial() -> None:
    """Nothing known, all estimated, and the record says that the answer is not whole."""
    fields = fields_of({}, provider=None, request=REQUEST, output_characters=4, complete=False)
    assert fields == {"prompt_tokens": 11, "completion_tokens": 1, "usage_source": "partial"}


def test_half_of_the_usage_is_completed_by_an_estimate() -> None:
    """Ollama leaves the prompt out when it has it cached; no prompt has 0 tokens."""
    fields = fields_of({"model": "llama3", "eval_count": 7}, provider=None, request=REQUEST)
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (11, 7)
    assert fields["usage_source"] == "partial"


@pytest.mark.parametrize(
    ("body", "tier", "context"),
    [
        (answer(service_tier="flex", usage=USAGE), "flex", None),
        (answer(service_tier=None, usage=USAGE), None, None),
        (
            {"usage": {"input_tokens": 1, "output_tokens": 1, "service_tier": "batch"}},
            "batch",
            {"processing": "batch"},
        ),
        (
            {"usage": {"input_tokens": 1, "speed": "fast", "inference_geo": "us"}},
            None,
            {"speed": "fast", "inference_geo": "us"},
        ),
        ({"usage": {"input_tokens": 1, "inference_geo": "not_available"}}, None, None),
        ({"usageMetadata": {"promptTokenCount": 1, "serviceTier": "flex"}}, "flex", None),
        (
            {"usageMetadata": {"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"}},
            "priority",
            None,
        ),
        ({"usage": {"inputTokens": 1}, "serviceTier": {"type": "flex"}}, "flex", None),
    ],
)
def test_what_chooses_a_price_is_kept(
    body: dict[str, Any], tier: str | None, context: dict[str, Any] | None
) -> None:
    """Service tier, batch, fast mode and region are where the pricer looks for them."""
    fields = fields_of(body, provider=None)
    assert (fields.get("service_tier"), fields.get("price_context")) == (tier, context)


@pytest.mark.parametrize(
    ("provider", "usage", "cost"),
    [
        ("openrouter", {"cost": 0.00014}, 0.00014),
        ("openrouter", {"cost": 0}, 0.0),
        ("OpenRouter", {"cost": 0.00014}, 0.00014),
        ("openai", {"cost": 0.00007159, "is_byok": False, "cost_details": {}}, 0.00007159),
        (
            "openrouter",
            {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}},
            0.21,
        ),
        ("perplexity", {"cost": {"input_tokens_cost": 0.1, "total_cost": 0.007}}, 0.007),
        ("llm.example.com", {"cost": {"total_cost": 3.5, "currency": "USD"}}, 3.5),
        ("llm.example.com", {"cost": {"total_cost": 3.5, "currency": "CNY"}}, None),
        ("x-ai", {"cost_in_usd_ticks": 158_500_000}, 0.01585),
        ("llm.example.com", {"cost": 12}, None),
        ("openrouter", {"cost": -1}, None),
        ("openrouter", {"cost": 10**9}, None),
        ("openrouter", {"cost": float("nan")}, None),
        ("openrouter", {"cost": "0.1"}, None),
        ("x-ai", {"cost_in_usd_ticks": 10**400}, None),
    ],
)
def test_provider_s_own_price_wins_where_its_unit_is_known(
    provider: str, usage: dict[str, Any], cost: float | None
) -> None:
    """US dollars of OpenRouter, Perplexity and xAI; anyone else's `cost` is no such thing."""
    fields = fields_of(answer(usage=USAGE | usage), provider=provider)
    assert fields.get("cost_estimate") == (pytest.approx(cost) if cost is not None else None)


@pytest.mark.parametrize("count", [-1, "5", 1.5, float("nan"), MAX_TOKENS, True, [5]])
def test_count_that_is_none_is_estimated(count: Any) -> None:
    """One bad figure does not cost the others, nor is it 0."""
    usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": count}
    said = answer(usage=usage, choices=[{"message": {"content": "y" * 9}}])
    fields = fields_of(said, provider="openai", request=REQUEST)
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (10, 3)
    assert fields["usage_source"] == "partial"


def test_count_that_is_null_is_none() -> None:
    """Some embeddings say so of their completion tokens."""
    usage = {"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 10}
    fields = fields_of(answer(usage=usage), provider="openai")
    assert (fields["completion_tokens"], fields["usage_source"]) == (0, "provider")


def test_counts_whose_sum_no_record_can_hold_are_left_out() -> None:
    """A response can't make the record raise."""
    usage = {"prompt_tokens": MAX_TOKENS, "completion_tokens": MAX_TOKENS}
    fields = fields_of(answer(usage=usage), provider="openai", request=REQUEST)
    assert (fields["prompt_tokens"], fields["completion_tokens"]) == (11, 0)


@pytest.mark.parametrize(
    ("request_body", "usage"),
    [
        ({"model": "tts-1", "voice": "alloy", "input": "x" * 60}, {"input_characters": 60}),
        ({"model": "gpt-5", "input": "x" * 60}, None),
        ({"model": "gpt-5", "voice": "alloy", "input": [{"content": "x"}]}, None),
    ],
)
def test_speech_has_the_characters_that_it_is_charged_by(
    request_body: dict[str, Any], usage: dict[str, int] | None
) -> None:
    """The answer is sound and says nothing, but the request is exact."""
    assert fields_of({}, provider="openai", request=request_body).get("usage") == usage


def test_list_of_modalities_leaves_only_what_has_a_price() -> None:
    """Text tokens break the prompt down and would only slow the pricing."""
    details = [{"modality": "TEXT", "tokenCount": 4}, {"modality": "AUDIO", "tokenCount": 6}]
    metadata = {"promptTokenCount": 10, "promptTokensDetails": details}
    fields = fields_of({"usageMetadata": metadata}, provider="google")
    assert fields["usage"] == {"input_audio_tokens": 6}
