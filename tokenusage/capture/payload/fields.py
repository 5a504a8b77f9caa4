"""From a response to the fields of its record."""

from collections.abc import Mapping
from typing import Any, Final

from tokenusage.capture.payload.cost import reported_cost
from tokenusage.capture.payload.extractor import TOKEN_UNITS, Units
from tokenusage.capture.payload.outcome import failure_in, is_mere_error, is_unfinished
from tokenusage.capture.payload.request import prompt_characters, spoken_characters
from tokenusage.capture.payload.shape import unwrapped
from tokenusage.capture.payload.text import characters, tokens_of
from tokenusage.capture.payload.usage import Reported, read_usage
from tokenusage.capture.providers import provider_id
from tokenusage.record import MAX_TOKENS, CallFields

_MODELS: Final = ("model", "modelVersion", "model_version")
_IDS: Final = ("id", "responseId", "response_id", "generation_id")
_TIERS: Final = ("service_tier", "serviceTier")
"""The providers' names for the same thing, in the order in which they are tried."""

_TRAFFIC_TIERS: Final = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}
"""Vertex AI's words for what the Gemini API calls a service tier."""

_OUTPUTS: Final = ("completion_tokens", "output_tokens", "outputTokens", "candidatesTokenCount")
"""Where usage payloads have the tokens of the answer."""

_MAX_COUNT: Final = MAX_TOKENS // 2
"""The most prompt or completion tokens that are believed: a record must hold their sum."""

_CACHE_READS: Final = frozenset({"cache_audio_read_tokens", "cache_image_read_tokens"})
"""Units that say something by being 0: none of the audio was cached."""


def fields_of(
    response: Mapping[str, Any],
    *,
    provider: str | None,
    request: Mapping[str, Any] | None = None,
    output_characters: int | None = None,
    complete: bool = True,
) -> CallFields:
    """Return all that a response says of its call, in the record's fields.

    Where it reports no usage, tokens are estimated by characters / 4, rounded up.
    Where the provider's total is more than prompt and completion, or another model's
    work for the call is left out, the tag `usage_mismatch` says so.

    Args:
        response: Its body as plain dicts and lists, or what `Fold.response` returns.
        provider: Whoever answered, in any spelling, or a host; "litellm" for figures
            that LiteLLM has normalised.
        request: The request's body, for estimates.
        output_characters: Those of a streamed answer; unset, they are counted.
        complete: False for a stream that ended early: what is missing is estimated.
    """
    seller = provider_id(provider) if provider else None
    reported = read_usage(response, seller)
    payload = reported.payload if reported else {}
    answer = reported.answer if reported else unwrapped(response)
    fields = _answer(response, answer, payload)
    if reported:
        _add_units(fields, reported.units)
    elif output_characters is None and is_mere_error(answer):
        return {**fields, "prompt_tokens": 0, "completion_tokens": 0}
    complete = complete and not is_unfinished(answer)
    if complete and "prompt_tokens" in fields and not _is_unread(fields, payload):
        fields.setdefault("completion_tokens", 0)
        fields["usage_source"] = "provider"
    else:
        known = len(fields.keys() & {"prompt_tokens", "completion_tokens"})
        _estimate(fields, answer, request, output_characters)
        fields["usage_source"] = "partial" if known or not complete else "estimated"
    if reported:
        _add_total(fields, reported)
        cost = reported_cost(payload, seller)
        if cost is not None:
            fields["cost_estimate"] = cost
    elif spoken := spoken_characters(request):
        fields["usage"] = {"input_characters": spoken}
    return fields


def _answer(
    response: Mapping[str, Any], answer: Mapping[str, Any], payload: Mapping[str, Any]
) -> CallFields:
    """Return who answered, with what outcome, and on what terms."""
    fields = failure_in(answer)
    if model := _text(answer, _MODELS) or _text(response, _MODELS):
        fields["model_name"] = model
    if response_id := _text(answer, _IDS) or _text(response, _IDS):
        fields["response_id"] = response_id
    tier = _tier(answer, payload)
    context: dict[str, str | float | bool] = {}
    if tier:
        fields["service_tier"] = tier
        if tier == "batch":
            context["processing"] = "batch"
    # Anthropic's fast mode, and where it computes.
    if payload.get("speed") == "fast":
        context["speed"] = "fast"
    region = payload.get("inference_geo")
    if isinstance(region, str) and region not in {"", "not_available"}:
        context["inference_geo"] = region
    if context:
        fields["price_context"] = context
    return fields


def _text(data: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def _tier(response: Mapping[str, Any], payload: Mapping[str, Any]) -> str | None:
    tier = _text(response, _TIERS) or _text(payload, _TIERS)
    if tier:
        return tier
    inner = response.get("serviceTier")  # Bedrock's
    if isinstance(inner, dict):
        return _text(inner, ("type",))
    traffic = payload.get("trafficType")
    return _TRAFFIC_TIERS.get(traffic) if isinstance(traffic, str) else None


def _add_units(fields: CallFields, units: Units) -> None:
    """Add what a record has a field for, and to `usage` what else has a price."""
    if (prompt := _whole(units, "input_tokens")) is not None:
        fields["prompt_tokens"] = prompt
    if (completion := _whole(units, "output_tokens")) is not None:
        fields["completion_tokens"] = completion
    if read := _whole(units, "cache_read_tokens"):
        fields["cache_read_tokens"] = read
    if write := _whole(units, "cache_write_tokens"):
        fields["cache_write_tokens"] = write
    if reasoning := _whole(units, "output_reasoning_tokens"):
        fields["reasoning_tokens"] = reasoning
    if not units.keys() <= TOKEN_UNITS:
        usage = {
            unit: count
            for unit, count in units.items()
            if unit not in TOKEN_UNITS and count <= MAX_TOKENS and (count or unit in _CACHE_READS)
        }
        if usage:
            fields["usage"] = usage
        if prompt is None and completion is None:
            fields["prompt_tokens"] = 0  # charged by the page or the second


def _whole(units: Units, unit: str) -> int | None:
    count = units.get(unit)
    return count if isinstance(count, int) and count <= _MAX_COUNT else None


def _is_unread(fields: CallFields, payload: Mapping[str, Any]) -> bool:
    """Say whether the answer's tokens are reported, but not as a count."""
    if "completion_tokens" in fields:
        return False
    return any(payload.get(name) is not None for name in _OUTPUTS)


def _estimate(
    fields: CallFields,
    response: Mapping[str, Any],
    request: Mapping[str, Any] | None,
    output_characters: int | None,
) -> None:
    """Fill in the tokens that are not known; the completion is at least what is known."""
    if "prompt_tokens" not in fields:
        fields["prompt_tokens"] = tokens_of(prompt_characters(request))
    if output_characters is None:
        output_characters = characters(response)
    known = fields.get("completion_tokens", 0)
    fields["completion_tokens"] = max(known, tokens_of(output_characters))


def _add_total(fields: CallFields, reported: Reported) -> None:
    total = reported.total
    more = total is not None and total > fields["prompt_tokens"] + fields["completion_tokens"]
    if more:
        fields["total_tokens"] = total
    if more or reported.beyond:
        fields["tags"] = {"usage_mismatch": True}
