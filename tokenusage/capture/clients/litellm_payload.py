"""What LiteLLM hands to a callback, read: who was called, how, and with which outcome.

The shapes are those of its ``model_call_details`` and ``StandardLoggingPayload``:
https://docs.litellm.ai/docs/proxy/logging_spec
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.plain import plain
from tokenusage.capture.payload.usage import LITELLM
from tokenusage.capture.providers import host_of, provider_of
from tokenusage.price.names import find_provider
from tokenusage.record import CallFields

OPERATIONS: Final = {
    "completion": "chat",
    "responses": "chat",
    "anthropic_messages": "chat",
    "generate_content": "chat",
    "generate_content_stream": "chat",
    "text_completion": "completion",
    "embedding": "embedding",
    "rerank": "rerank",
    "image_generation": "image",
    "image_edit": "image",
    "transcription": "audio",
    "speech": "audio",
}
"""LiteLLM's call types that are model calls, and what kind of operation each is.

The async ones have the same names behind an ``a``.
"""

_ANY_SELLER: Final = frozenset(
    {"openai", "text-completion-openai", "custom_openai", "openai_like", "litellm_proxy"}
)
"""LiteLLM's providers that are an API, spoken by whoever is at the address."""

_OPENROUTER: Final = "openrouter"
"""The one provider whose ``usage.cost`` is its own: at others LiteLLM writes its estimate there."""


MADE_UP_KEY: Final = "mock-key"
"""What stands for the API key where LiteLLM answers with a ``mock_response``."""


def operation_of(kwargs: Mapping[str, Any]) -> str | None:
    """Return what kind of operation a call is, None for what is no model call."""
    call_type = kwargs.get("call_type")
    if not isinstance(call_type, str):
        return None
    return OPERATIONS.get(call_type) or OPERATIONS.get(call_type.removeprefix("a"))


def address_of(kwargs: Mapping[str, Any]) -> str | None:
    """Return the address of a call that LiteLLM has not told of before."""
    return _payload(kwargs).get("api_base") or None


def address_given(arguments: Mapping[str, Any] | None) -> str | None:
    """Return the address that the application itself has given, among a call's arguments."""
    arguments = arguments or {}
    address = arguments.get("api_base") or arguments.get("base_url")
    return str(address) if address else None


def seller_of(
    kwargs: Mapping[str, Any], address: str | None, given: str | None = None
) -> str | None:
    """Return who answers: by the address where LiteLLM only names the API, else as it says.

    An address that the application has `given` counts where it is nobody's known one:
    it is a gateway's. LiteLLM's own ones may be a provider's without being known.
    """
    named: str | None = kwargs.get("custom_llm_provider")
    if address and (named is None or named in _ANY_SELLER):
        return provider_of(address)
    if given and (seller := provider_of(given)) == host_of(given):
        return seller
    known = find_provider(named) if named else None
    return known.id if known else named


def model_of(kwargs: Mapping[str, Any]) -> str | None:
    """Return the model that is asked for, without LiteLLM's prefix for the provider."""
    model: str | None = kwargs.get("model")
    named = kwargs.get("custom_llm_provider")
    return model.removeprefix(f"{named}/") if model and named else model


def reader_of(kwargs: Mapping[str, Any]) -> str:
    """Return as whose usage a response's is to be read, in `fields_of`."""
    return _OPENROUTER if kwargs.get("custom_llm_provider") == _OPENROUTER else LITELLM


def request_of(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a request's body tells its prompt."""
    for name in ("messages", "input"):
        if given := kwargs.get(name):
            return {name: plain(given)}
    return {}


def _payload(kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    payload: Mapping[str, Any] | None = kwargs.get("standard_logging_object")
    return payload or {}


def body_of(kwargs: Mapping[str, Any], response: Any) -> dict[str, Any]:
    """Return what is said of a response: never its text, which may be a long one."""
    body = {
        name: value
        for name in ("id", "model", "service_tier", "status")
        if isinstance(value := _get(response, name), str)
    }
    usage = _get(response, "usage")
    if usage is None:
        payload = _payload(kwargs)
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        usage = {name: payload[name] for name in names if payload.get(name)}
    return {**body, "usage": plain(usage)}


def delivered(kwargs: Mapping[str, Any]) -> CallFields:
    """Return the tokens that LiteLLM counted in a stream until it broke."""
    usage = kwargs.get("combined_usage_object")
    if usage is None:
        return {}
    return fields_of({"usage": plain(usage)}, provider=reader_of(kwargs), complete=False)


def ttft(kwargs: Mapping[str, Any], start: datetime) -> CallFields:
    """Return the tag that says when a stream's first output came."""
    first: datetime | None = kwargs.get("completion_start_time")
    if kwargs.get("stream") is not True or first is None:
        return {}
    return {"tags": {"ttft": max((first - start).total_seconds(), 0.0)}}


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
