"""Which API a response is from, and where in it the usage payload is."""

from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final

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
    """Google's generateContent, on either of its platforms: `usageMetadata`."""
    CONVERSE = auto()
    """Amazon Bedrock's Converse: `inputTokens`."""
    COHERE = auto()
    """Cohere: `billed_units`, or `tokens` where it bills none."""
    PAGES = auto()
    """Mistral's OCR: `usage_info`."""
    COUNTS = auto()
    """Figures without a payload of their own, such as Ollama's."""


_ANTHROPIC_KEYS: Final = frozenset(
    {"cache_read_input_tokens", "cache_creation_input_tokens", "server_tool_use", "inference_geo"}
)


def locate(response: Mapping[str, Any], depth: int = 0) -> tuple[Shape, Mapping[str, Any]] | None:
    """Return the shape of a response's usage payload and the payload; None without one."""
    usage = response.get("usage")
    if isinstance(usage, dict) and (found := _of_usage(usage, response)):
        return found
    metadata = response.get("usageMetadata") or response.get("usage_metadata")
    if isinstance(metadata, dict):
        return Shape.GEMINI, _camel_case(metadata)
    meta = response.get("meta")
    if isinstance(meta, dict) and (found := _of_cohere(meta)):
        return found
    pages = response.get("usage_info")
    if isinstance(pages, dict):
        return Shape.PAGES, pages
    if "prompt_eval_count" in response or "eval_count" in response:
        return Shape.COUNTS, response
    if (tokens := _embedded_tokens(response)) is not None:
        return Shape.COUNTS, {"token_count": tokens}
    if depth < MAX_DEPTH:
        # Cloudflare's envelope, an event of OpenAI's or Anthropic's, Groq's last chunk.
        for wrapper in ("result", "response", "message", "x_groq"):
            inner = response.get(wrapper)
            if isinstance(inner, dict) and (found := locate(inner, depth + 1)):
                return found
    return None


def _of_usage(
    usage: Mapping[str, Any], response: Mapping[str, Any]
) -> tuple[Shape, Mapping[str, Any]] | None:
    if "prompt_tokens" in usage or "completion_tokens" in usage:
        return Shape.CHAT, usage
    if "input_tokens" in usage or "output_tokens" in usage:
        if response.get("type") == "message" or not _ANTHROPIC_KEYS.isdisjoint(usage):
            return Shape.ANTHROPIC, usage
        if "input_token_details" in usage:
            return Shape.REALTIME, usage
        details = usage.get("input_tokens_details")
        if isinstance(details, dict) and "image_tokens" in details:
            return Shape.IMAGES, usage
        return Shape.RESPONSES, usage
    if "inputTokens" in usage or "outputTokens" in usage:
        return Shape.CONVERSE, usage
    if "seconds" in usage:
        return Shape.DURATION, usage
    if "total_tokens" in usage:
        return Shape.COUNTS, usage
    return _of_cohere(usage)


def _of_cohere(usage: Mapping[str, Any]) -> tuple[Shape, Mapping[str, Any]] | None:
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
            count = statistics.get("token_count", statistics.get("tokenCount"))
            if isinstance(count, int | float) and 0 <= count < 10**12:
                tokens = (tokens or 0) + int(count)
    return tokens


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
