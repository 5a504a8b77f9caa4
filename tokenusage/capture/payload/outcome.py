"""What has become of a call, by the word of its response."""

from collections.abc import Mapping
from typing import Any, Final

from tokenusage.record import CallFields

_UNFINISHED: Final = frozenset({"queued", "in_progress"})
"""Statuses of a response that is still being made in the background."""

_FAILED: Final = frozenset({"failed", "cancelled"})
"""Statuses of a response that was broken off."""

_ANSWERS: Final = ("choices", "output", "outputs", "candidates", "content")
"""Where responses have their answer; a mere error has none."""


def is_unfinished(response: Mapping[str, Any]) -> bool:
    """Say whether a response is one that the provider is still at work on."""
    status = response.get("status")
    return status.__class__ is str and status in _UNFINISHED


def is_mere_error(response: Mapping[str, Any]) -> bool:
    """Say whether a response is an error and nothing else, not a call that was begun."""
    if not response.get("error") or _is_broken_off(response):
        return False
    return not any(response.get(name) for name in _ANSWERS)


def failure_in(response: Mapping[str, Any]) -> CallFields:
    """Return how a response says that it has failed; nothing where it does not.

    As an error without an answer, or as OpenAI's Responses do, whose error may be unset.
    """
    broken_off = _is_broken_off(response)
    if not broken_off and not is_mere_error(response):
        return {}
    if response.get("object") == "batch":
        return {}  # what was done of it until it was cancelled is charged
    error = response.get("error")
    about = error if isinstance(error, Mapping) else {"message": error}
    kind = about.get("code") or about.get("type") or (response["status"] if broken_off else None)
    message = ": ".join(str(word) for word in (kind, about.get("message")) if word)
    return {"success": False, "error_message": message or "error"}


def _is_broken_off(response: Mapping[str, Any]) -> bool:
    status = response.get("status")
    return status.__class__ is str and status in _FAILED
