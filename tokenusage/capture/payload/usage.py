"""The one way from a provider's usage payload to normalised tokens.

The shape of the payload says which API it is from, and the provider which of
genai-prices' extractors reads it; a provider that the list doesn't know (a gateway,
a local server) is read as the API's inventor is. Prompt tokens come out including
cache reads and writes, completion tokens including reasoning.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from genai_prices.types import Provider, UsageExtractor

from tokenusage.capture.payload.extractor import Extractor, Units, as_count, paths_of
from tokenusage.capture.payload.shape import Shape, locate
from tokenusage.capture.payload.tools import (
    count_grounding,
    count_in_output,
    has_made_images,
    limit_searches,
    mappings,
)
from tokenusage.price.names import find_provider


class Reported(NamedTuple):
    """What a provider reports of a call's usage."""

    payload: Mapping[str, Any]
    """The usage payload itself."""
    units: Units
    """Counts by genai-prices' names; `input_tokens` and `output_tokens` are inclusive."""
    total: int | None
    """The provider's own total of tokens."""
    answer: Mapping[str, Any]
    """The response itself, out of the event or the envelope around it."""
    beyond: bool = False
    """Whether another model has worked for the call, whose tokens are not among `units`."""


LITELLM: Final = "litellm"
"""As a provider: LiteLLM's own figures, which include caches and reasoning already."""

_INVENTORS: Final = {
    Shape.CHAT: ("openai", "prompt_tokens", ("chat", "default")),
    Shape.RESPONSES: ("openai", "input_tokens", ("responses", "default")),
    Shape.REALTIME: ("openai", "input_tokens", ("realtime",)),
    Shape.IMAGES: ("openai", "input_tokens", ("images",)),
    Shape.DURATION: ("openai", "seconds", ("live",)),
    Shape.ANTHROPIC: ("anthropic", "input_tokens", ("anthropic", "default")),
    Shape.GEMINI: ("google", "promptTokenCount", ("default",)),
    Shape.CONVERSE: ("aws", "inputTokens", ("default",)),
    Shape.COHERE: ("cohere", "input_tokens", ("default",)),
    Shape.PAGES: ("mistral", "pages_processed", ("ocr",)),
    Shape.ANNOTATED_PAGES: ("mistral", "pages_processed", ("ocr_annotated",)),
}
"""Of each shape: whose extractor reads it for providers that have none, a key by which
its extractors are known, and what the list calls them, in the order of preference."""

_ONE_HOUR: Final = (
    "prompt_tokens_details",
    "cache_creation_token_details",
    "ephemeral_1h_input_tokens",
)

_Fallbacks = tuple[tuple[tuple[str, ...], str], ...]

_FALLBACKS: Final[Mapping[Shape, _Fallbacks]] = {
    Shape.CHAT: (
        (("prompt_tokens_details", "cached_tokens"), "cache_read_tokens"),
        (("prompt_cache_hit_tokens",), "cache_read_tokens"),  # DeepSeek
        (("cached_tokens",), "cache_read_tokens"),  # Moonshot, Together
        (("cache_read_input_tokens",), "cache_read_tokens"),  # LiteLLM
        (("prompt_tokens_details", "cache_write_tokens"), "cache_write_tokens"),
        (("prompt_tokens_details", "cache_creation_tokens"), "cache_write_tokens"),  # LiteLLM
        (("prompt_tokens_details", "cache_creation_input_tokens"), "cache_write_tokens"),  # Qwen
        (_ONE_HOUR, "cache_write_1h_tokens"),  # LiteLLM
        (("cache_creation_input_tokens",), "cache_write_tokens"),  # LiteLLM
        (("completion_tokens_details", "reasoning_tokens"), "output_reasoning_tokens"),
        (("reasoning_tokens",), "output_reasoning_tokens"),  # Together, xAI's older answers
        (("prompt_tokens_details", "audio_tokens"), "input_audio_tokens"),
        (("completion_tokens_details", "audio_tokens"), "output_audio_tokens"),
        (("prompt_tokens_details", "image_tokens"), "input_image_tokens"),  # LiteLLM
        (("completion_tokens_details", "image_tokens"), "output_image_tokens"),  # LiteLLM
        (("server_tool_use", "web_search_requests"), "web_searches"),  # LiteLLM
        (("prompt_tokens_details", "web_search_requests"), "web_searches"),  # LiteLLM
        (("prompt_audio_seconds",), "audio_seconds"),  # Mistral's transcriptions
    ),
    Shape.RESPONSES: (
        (("input_tokens_details", "cached_tokens"), "cache_read_tokens"),
        (("input_tokens_details", "cache_write_tokens"), "cache_write_tokens"),
        (("output_tokens_details", "reasoning_tokens"), "output_reasoning_tokens"),
    ),
}
"""Read where the provider's own extractor in the list finds nothing for a unit."""

_COUNTS: Final = Extractor(
    (
        # Ollama's own API (its docs/api.md): the list knows it by OpenAI's shape alone.
        (("prompt_eval_count",), "input_tokens"),
        (("eval_count",), "output_tokens"),
        # llama.cpp's own API (its tools/server/README.md).
        (("tokens_evaluated",), "input_tokens"),
        (("tokens_predicted",), "output_tokens"),
        # Llama and Titan in Bedrock's InvokeModel (its user guide, "Inference request
        # parameters and response fields"); Titan's output as `locate` sums it.
        (("prompt_token_count",), "input_tokens"),
        (("generation_token_count",), "output_tokens"),
        (("inputTextTokenCount",), "input_tokens"),
        (("outputTextTokenCount",), "output_tokens"),
        # Voyage and others whose embeddings report nothing but a total.
        (("total_tokens",), "input_tokens"),
        # Vertex AI's embeddings, as `locate` sums them.
        (("token_count",), "input_tokens"),
    )
)

_PERPLEXITY_KEYS: Final = frozenset(
    {"citation_tokens", "num_search_queries", "search_context_size"}
)


def read_usage(response: Mapping[str, Any], provider: str | None) -> Reported | None:
    """Return what a response reports of its usage, None where it reports nothing.

    Args:
        response: The response's body as plain dicts and lists; a streamed one as
            `Fold` gathers it.
        provider: genai-prices' id of whoever answered, a host, or None; `LITELLM` for
            what LiteLLM reports, whoever answered.
    """
    located = locate(response)
    if located is None:
        return None
    shape, payload, answer = located
    extractor = _extractor_for(shape, provider, payload)
    units = extractor.read(payload)
    total = as_count(
        payload.get("total_tokens") or payload.get("totalTokenCount") or payload.get("totalTokens")
    )
    if total.__class__ is not int:
        total = None
    if not units:
        return Reported(payload, units, total, answer)
    beyond = False
    if shape is Shape.CHAT:
        if provider != LITELLM:
            _include_reasoning(units, total)
        if "web_searches" in units:
            limit_searches(units, answer)
    elif shape is Shape.RESPONSES:
        count_in_output(units, answer)
        beyond = has_made_images(answer)
    elif shape is Shape.ANTHROPIC:
        if payload.get("iterations"):
            beyond = _add_iterations(units, payload, extractor)
    else:
        _complete(units, shape, payload, answer)
    return Reported(payload, units, total, answer, beyond)


def _complete(
    units: Units, shape: Shape, payload: Mapping[str, Any], answer: Mapping[str, Any]
) -> None:
    """Add what the figures of the rarer shapes leave to be told from elsewhere."""
    if shape is Shape.GEMINI:
        _place_cache(units, payload)
        count_grounding(units, payload, answer)
    elif shape is Shape.IMAGES:
        _place_images(units, payload)


def _extractor_for(shape: Shape, provider: str | None, payload: Mapping[str, Any]) -> Extractor:
    if shape is Shape.COUNTS:
        return _COUNTS
    if shape is not Shape.CHAT or provider == LITELLM:
        return _extractor(shape, provider)
    if not _PERPLEXITY_KEYS.isdisjoint(payload) and not _is_listed(provider):
        provider = "perplexity"
    return _extractor(shape, provider)


@lru_cache(maxsize=256)
def _extractor(shape: Shape, provider: str | None) -> Extractor:
    """Return the extractor of a provider for a shape, or that of the shape's inventor."""
    inventor, key, flavors = _INVENTORS[shape]
    if shape is Shape.ANTHROPIC:
        # The list has less of it for those who sell Anthropic's models, or copy its API.
        provider = inventor
    for seller in (_listed(provider), _listed(inventor)):
        for flavor in flavors:
            for extractor in (seller.extractors or ()) if seller else ():
                if extractor.api_flavor == flavor and _reads(extractor, key):
                    return Extractor(paths_of(extractor), _FALLBACKS.get(shape, ()))
    raise LookupError(f"genai-prices has no extractor for {shape.name}.")


def _reads(extractor: UsageExtractor, key: str) -> bool:
    return any(mapping.path == key for mapping in extractor.mappings)


def _listed(provider: str | None) -> Provider | None:
    return find_provider(provider) if provider and provider != LITELLM else None


@lru_cache(maxsize=256)
def _is_listed(provider: str | None) -> bool:
    return _listed(provider) is not None


def _include_reasoning(units: Units, total: int | None) -> None:
    """Add reasoning tokens to the output where the figures say that they are not part of it.

    That is so where they are more than the output, or exactly what the total has
    more: xAI's models behind a gateway, Gemini's behind its OpenAI-like API.
    """
    reasoning = units.get("output_reasoning_tokens")
    if not reasoning:
        return
    output = units.get("output_tokens", 0)
    if reasoning > output or total == units.get("input_tokens", 0) + output + reasoning:
        units["output_tokens"] = output + reasoning


def _place_cache(units: Units, payload: Mapping[str, Any]) -> None:
    """Say that no audio (image, video) was cached, where Gemini's details are complete.

    Else genai-prices would not know whether the cached tokens were some of those.
    """
    if units.get("cache_read_tokens") and payload.get("cacheTokensDetails"):
        for kind in ("audio", "image"):
            if units.get(f"input_{kind}_tokens"):
                units.setdefault(f"cache_{kind}_read_tokens", 0)


def _place_images(units: Units, payload: Mapping[str, Any]) -> None:
    """Say that all of the output is images, where no details say otherwise."""
    if not payload.get("output_tokens_details") and (output := units.get("output_tokens")):
        units["output_image_tokens"] = output


def _add_iterations(units: Units, payload: Mapping[str, Any], extractor: Extractor) -> bool:
    """Add what the compaction of the context has cost; say whether an advisor was asked.

    Both are left out of Anthropic's top-level figures (docs of `BetaUsage.iterations`,
    and platform.claude.com/docs, "Advisor tool"). An advisor is another model, with
    another price.
    """
    advised = False
    for entry in mappings(payload.get("iterations")):
        kind = entry.get("type")
        if kind == "compaction":
            for unit, count in extractor.read(entry).items():
                units[unit] = units.get(unit, 0) + count
        advised = advised or kind == "advisor_message"
    return advised
