"""Which API a response is from, and where in it the usage payload is."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

from tokenusage.capture.payload.extractor import as_count

MAX_DEPTH: Final = 4
"""Wrappers around a response that are opened: events, and Cloudflare's `result`."""


class Shape(Enum):
    """The kinds of usage payloads, named after whoever invented them."""

    CHAT = auto()
    """OpenAI's chat, completions and embeddings: `prompt_tokens`."""
    RESPONSES = auto()
    """OpenAI's Responses: `input_tokens`, inclusive."""
    REALTIME = auto()
    """OpenAI's realtime answers and transcriptions: `input_token_details`, without the s."""
    IMAGES = auto()
    """OpenAI's images: `input_tokens` with `image_tokens` among their details."""
    DURATION = auto()
    """OpenAI's transcriptions that are charged by time: `seconds`."""
    ANTHROPIC = auto()
    """Anthropic's messages: `input_tokens`, without the cached ones."""
    GEMINI = auto()
    """Google's generateContent, on either of its platforms: `usageMetadata`.

    Its live sessions and interactions have the same figures under other names.
    """
    CONVERSE = auto()
    """Amazon Bedrock's Converse: `inputTokens`."""
    COHERE = auto()
    """Cohere: `billed_units`, or `tokens` where it bills none."""
    PAGES = auto()
    """Mistral's OCR: `usage_info`."""
    ANNOTATED_PAGES = auto()
    """The same, with an annotation of the document."""
    COUNTS = auto()
    """Figures without a payload of their own, such as Ollama's."""


_Found = tuple[Shape, Mapping[str, Any]]

_WRAPPERS: Final = ("result", "response", "message")
"""Cloudflare's envelope, an event of OpenAI's or Anthropic's."""

_ANTHROPIC_KEYS: Final = frozenset(
    {"cache_read_input_tokens", "cache_creation_input_tokens", "server_tool_use", "inference_geo"}
)


_CHAT_KEYS: Final = frozenset({"choices", "output", "outputs"})
"""Where answers have their text, which embeddings have not."""

_LIVE: Final = {
    "responseTokenCount": "candidatesTokenCount",
    "responseTokensDetails": "candidatesTokensDetails",
}
"""What differs in the usage of a live session (ai.google.dev/api/live, "UsageMetadata")."""

_INTERACTION: Final = {
    "total_input_tokens": "promptTokenCount",
    "total_cached_tokens": "cachedContentTokenCount",
    "total_tool_use_tokens": "toolUsePromptTokenCount",
    "total_output_tokens": "candidatesTokenCount",
    "total_thought_tokens": "thoughtsTokenCount",
    "total_tokens": "totalTokenCount",
    "input_tokens_by_modality": "promptTokensDetails",
    "cached_tokens_by_modality": "cacheTokensDetails",
    "tool_use_tokens_by_modality": "toolUsePromptTokensDetails",
    "output_tokens_by_modality": "candidatesTokensDetails",
    "tokens": "tokenCount",
}
"""generateContent's names for the usage of an interaction (ai.google.dev/api/interactions-api)."""

_COUNTED_KEYS: Final = frozenset(
    {
        "prompt_eval_count",
        "eval_count",
        "tokens_evaluated",
        "tokens_predicted",
        "prompt_token_count",
        "generation_token_count",
        "inputTextTokenCount",
    }
)
"""Figures in the response itself: of Ollama, llama.cpp, and Llama and Titan on Bedrock."""


def locate(
    response: Mapping[str, Any], depth: int = 0
) -> tuple[Shape, Mapping[str, Any], Mapping[str, Any]] | None:
    """Return the shape of a response's usage payload and the payload; None without one.

    Third comes the response itself, out of the event or the envelope around it.
    """
    if (found := _find(response)) is not None:
        return *found, response
    if depth < MAX_DEPTH:
        for wrapper in _WRAPPERS:
            inner = response.get(wrapper)
            if isinstance(inner, dict) and (located := locate(inner, depth + 1)):
                return located
    return None


def unwrapped(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer that names its model, out of an event that reports no usage."""
    if "model" not in response:
        for wrapper in _WRAPPERS:
            inner = response.get(wrapper)
            if isinstance(inner, dict) and "model" in inner:
                return inner
    return response


def _find(response: Mapping[str, Any]) -> _Found | None:
    usage = response.get("usage")
    if isinstance(usage, dict) and (found := _of_usage(usage, response)):
        return found
    metadata = response.get("usageMetadata") or response.get("usage_metadata")
    if isinstance(metadata, dict):
        metadata = _camel_case(metadata)
        live = "responseTokenCount" in metadata
        return Shape.GEMINI, _renamed(metadata, _LIVE) if live else metadata
    groq = response.get("x_groq")
    if isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
        return Shape.CHAT, groq["usage"]
    meta = response.get("meta")
    if isinstance(meta, dict) and (found := _of_cohere(meta)):
        return found
    pages = response.get("usage_info")
    if isinstance(pages, dict):
        annotated = response.get("document_annotation")
        return Shape.ANNOTATED_PAGES if annotated else Shape.PAGES, pages
    if not _COUNTED_KEYS.isdisjoint(response):
        return Shape.COUNTS, _with_results(response)
    if (tokens := _embedded_tokens(response)) is not None:
        return Shape.COUNTS, {"token_count": tokens}
    return None


def _of_usage(usage: Mapping[str, Any], response: Mapping[str, Any]) -> _Found | None:
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return Shape.CHAT, usage
    if "input_tokens" in usage or "output_tokens" in usage:
        if response.get("type") == "message" or not _ANTHROPIC_KEYS.isdisjoint(usage):
            return Shape.ANTHROPIC, usage
        if "input_token_details" in usage:
            return Shape.REALTIME, usage
        details = usage.get("input_tokens_details")
        if isinstance(details, dict) and "image_tokens" in details and "output" not in response:
            return Shape.IMAGES, usage
        return Shape.RESPONSES, usage
    if "inputTokens" in usage or "outputTokens" in usage:
        return Shape.CONVERSE, usage
    if "seconds" in usage:
        return Shape.DURATION, usage
    if "total_input_tokens" in usage or "total_output_tokens" in usage:
        return Shape.GEMINI, _renamed(usage, _INTERACTION)
    if "total_tokens" in usage:
        # An embedding's are its input. What share of an answer's is, nobody knows.
        return Shape.COUNTS if _CHAT_KEYS.isdisjoint(response) else Shape.CHAT, usage
    return _of_cohere(usage)


def _of_cohere(usage: Mapping[str, Any]) -> _Found | None:
    # What is billed, as genai-prices takes it too: Cohere's `tokens` count its own
    # template around the messages, which nobody pays.
    for key in ("billed_units", "tokens"):
        counts = usage.get(key)
        if isinstance(counts, dict) and counts:
            return Shape.COHERE, counts
    return None


def _embedded_tokens(response: Mapping[str, Any]) -> int | None:
    """Return the tokens of Vertex AI's embeddings, which are counted text by text."""
    items = response.get("predictions") or response.get("embeddings")
    if not isinstance(items, list):
        return None
    tokens = None
    for item in items:
        if not isinstance(item, dict):
            return None
        inner = item.get("embeddings")
        statistics = (inner if isinstance(inner, dict) else item).get("statistics")
        if isinstance(statistics, dict):
            count = as_count(statistics.get("token_count", statistics.get("tokenCount")))
            if count is not None:
                tokens = (tokens or 0) + int(count)
    return tokens


def _with_results(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response's figures, with the sum of those that Titan has result by result."""
    results = response.get("results")
    if "inputTextTokenCount" not in response or not isinstance(results, list):
        return response
    counts = [as_count(item.get("tokenCount")) for item in results if isinstance(item, dict)]
    return {**response, "outputTextTokenCount": sum(count or 0 for count in counts)}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return a usage payload, and the lists in it, with other names for some of its keys."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value if isinstance(item, dict)]
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(inner, names) for key, inner in value.items()}
    return value


def _camel_case(value: Any) -> Any:
    """Return google-genai's own names (`prompt_token_count`) as the wire has them."""
    if isinstance(value, list):
        return [_camel_case(item) for item in value]
    if isinstance(value, dict) and any(isinstance(k, str) and "_" in k for k in value):
        return {_camel(str(key)): _camel_case(item) for key, item in value.items()}
    return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
