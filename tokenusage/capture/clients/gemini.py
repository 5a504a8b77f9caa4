"""google-genai's objects in the shape of the wire, as far as a record needs it.

Dumping a whole object takes longer than a chunk may, and would copy images and
vectors; so only text, tool calls, usage and names are read.
Shapes: https://ai.google.dev/api/generate-content
"""

from collections.abc import Mapping
from typing import Any

from tokenusage.capture.payload.plain import plain


def request_body(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a request, from the keyword arguments of one of the SDK's methods."""
    body: dict[str, Any] = {}
    if (prompt := arguments.get("prompt")) is not None:
        body["prompt"] = prompt
    for name in ("contents", "content", "batch_contents"):
        if (given := arguments.get(name)) is not None:
            many = given if isinstance(given, list) else [given]
            body["contents"] = [_content(one) for one in many]
    instruction = _get(arguments.get("config"), "system_instruction")
    if instruction is not None:
        body["systemInstruction"] = _content(instruction)
    return body


def base_url_of(arguments: Mapping[str, Any]) -> str | None:
    """Return the address that one request is sent to, where it has one of its own."""
    options = _named(arguments.get("config"), "http_options", "httpOptions")
    base_url = _named(options, "base_url", "baseUrl")
    return str(base_url) if base_url else None


def generated(response: Any) -> dict[str, Any]:
    """Return the body of a whole ``GenerateContentResponse``.

    Its answer is in it only where it says something of the cost: searches that it
    was grounded on, or tokens to be estimated since no usage is reported.
    """
    body = Figures(response).body()
    candidates = response.candidates or ()
    if "usageMetadata" not in body or any(one.grounding_metadata for one in candidates):
        body |= output(response)
    return body


def output(response: Any) -> dict[str, Any]:
    """Return what a ``GenerateContentResponse``, whole or a chunk, brings as its answer."""
    body: dict[str, Any] = {"candidates": [_candidate(one) for one in response.candidates or ()]}
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        body["promptFeedback"] = {"blockReason": feedback.block_reason.value}
    return body


class Figures:
    """What a response says of itself: its usage and names.

    Every chunk of a stream says it anew, counting all chunks so far; so the objects
    are kept, and read once at the end.
    """

    __slots__ = ("_id", "_model", "_usage")

    def __init__(self, response: Any = None) -> None:
        self._usage = self._model = self._id = None
        if response is not None:
            self.update(response)

    def update(self, response: Any) -> None:
        """Take over what a chunk says."""
        self._usage = response.usage_metadata or self._usage
        self._model = response.model_version or self._model
        self._id = response.response_id or self._id

    def body(self) -> dict[str, Any]:
        """Return it in the shape of the wire."""
        named = {"usageMetadata": plain(self._usage), "modelVersion": self._model}
        return {k: v for k, v in (*named.items(), ("responseId", self._id)) if v is not None}


def embedded(response: Any) -> dict[str, Any]:
    """Return the body of an ``EmbedContentResponse``, without its vectors.

    Vertex AI counts the tokens of each text, the Gemini API may count them all.
    """
    if getattr(response, "usage_metadata", None) is not None:  # google-genai 3 and later
        return {"usageMetadata": plain(response.usage_metadata)}
    statistics = [one.statistics for one in response.embeddings or () if one.statistics]
    counts = [one.token_count for one in statistics if one.token_count is not None]
    return {"usageMetadata": {"promptTokenCount": int(sum(counts))}} if counts else {}


def _candidate(candidate: Any) -> dict[str, Any]:
    body: dict[str, Any] = {}
    content = candidate.content
    if content is not None and content.parts:
        body["content"] = {"parts": [_part(part) for part in content.parts]}
    if candidate.finish_reason is not None:
        body["finishReason"] = candidate.finish_reason.value
    if candidate.grounding_metadata is not None:
        body["groundingMetadata"] = plain(candidate.grounding_metadata)
    return body


def _part(part: Any) -> dict[str, Any]:
    if part.text is not None:
        return {"text": part.text}
    if part.function_call is not None:
        return {"functionCall": {"name": part.function_call.name, "args": part.function_call.args}}
    return {}


def _content(content: Any) -> dict[str, Any]:
    """Return one of the many forms in which the SDK takes a content, without its media."""
    if isinstance(content, str):
        return {"parts": [{"text": content}]}
    if isinstance(content, list):
        return {"parts": [part for one in content for part in _content(one)["parts"]]}
    parts = _get(content, "parts")
    if parts is None:
        parts = [content]
    texts = [part if isinstance(part, str) else _get(part, "text") for part in parts]
    return {
        "role": _get(content, "role") or "user",
        "parts": [{"text": text} for text in texts if isinstance(text, str)],
    }


def _named(value: Any, name: str, in_dicts: str) -> Any:
    """Return what an object has under `name`; a dict may also have it in camelCase."""
    found = _get(value, name)
    return _get(value, in_dicts) if found is None and isinstance(value, Mapping) else found


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
