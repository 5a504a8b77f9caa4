"""One response that the application brings itself, read as the hooks would read it."""

from collections.abc import Mapping
from typing import Any, cast

from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.fold import Fold
from tokenusage.capture.payload.plain import plain
from tokenusage.context import current, merged
from tokenusage.errors import RecordError
from tokenusage.record import CallFields


def read_response(response: Any, request: Any, given: CallFields) -> CallFields:
    """Return the fields of a call: those `given`, and what the response says of the others.

    Args:
        response: An SDK's object, its body as a mapping, or a list of the chunks or
            events of one stream.
        request: The request's body as a mapping, for estimates, or None.
        given: What the application knows better; None is unset.

    Raises:
        RecordError: it is no response, or names no model and none is given.
    """
    if request is not None and not isinstance(request, Mapping):
        raise RecordError(f"A request is its body as a dict, not {type(request).__name__}.")
    asked: Mapping[str, Any] = plain(request) or {}
    own: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    read = _read(response, asked, own.get("provider"))
    if "prompt_tokens" in own and "completion_tokens" in own:
        read.pop("usage_source", None)  # of figures that don't count here
    elif read.get("usage_source") == "estimated" and not asked and "prompt_tokens" not in own:
        read["usage_source"] = "partial"  # nobody can tell the prompt
    call = {**merged(read, own)}
    if asked.get("model"):
        call.setdefault("model_name", asked["model"])
    if "model_name" not in call:
        raise RecordError("The response names no model: give its model_name.")
    return cast(CallFields, call)


def _read(response: Any, asked: Mapping[str, Any], provider: str | None) -> dict[str, Any]:
    """Return what a response, or the events of a stream, say of the call."""
    fold = None
    if isinstance(response, list | tuple) and response:
        fold = _folded(response)
        body: Mapping[str, Any] = fold.response()
    else:
        body = _body(response)
    scope = current()
    provider = provider or scope.get("provider") or _provider_of(body)
    read: dict[str, Any] = {
        "operation_type": scope.get("operation_type") or _kind_of(body),
        **fields_of(
            body,
            provider=provider,
            request=asked,
            output_characters=fold.output_characters if fold else None,
            complete=fold is None or fold.ended,
        ),
    }
    return read | {"provider": provider} if provider else read


def _folded(events: list[Any] | tuple[Any, ...]) -> Fold:
    fold = Fold()
    for event in events:
        fold.add(_body(event))
    return fold


def _body(response: Any) -> Mapping[str, Any]:
    body = plain(response)
    if not isinstance(body, Mapping):
        raise RecordError(
            "A response is an SDK's object, its body as a dict, or a list of the events of "
            f"a stream, not {type(response).__name__}."
        )
    return body


def _provider_of(body: Mapping[str, Any]) -> str | None:
    """Return who has answered, where the response alone can tell."""
    if "usageMetadata" in body or "modelVersion" in body:
        return "google"
    # Bedrock's ids begin with msg_bdrk_, Vertex's with msg_vrtx_, and others imitate the API.
    if body.get("type") == "message" and str(body.get("id")).startswith("msg_01"):
        return "anthropic"
    return None


def _kind_of(body: Mapping[str, Any]) -> str:
    """Return what kind of call gets such a response; most are chats."""
    data = body.get("data")
    first = data[0] if isinstance(data, list) and data else None
    item = first if isinstance(first, Mapping) else {}
    if "embedding" in item or "embeddings" in body or "embedding" in body:
        return "embedding"
    if "b64_json" in item or "url" in item or "generatedImages" in body:
        return "image"
    if body.get("object") == "text_completion":
        return "completion"
    # A transcription is its text and nothing else; other answers have it deeper.
    if isinstance(body.get("text"), str) and "id" not in body:
        return "audio"
    return "chat"
