"""Calls as a hook sees them, without a client."""

from typing import Any

from tokenusage.capture.call import Capture, CapturedCall


def begin(capture: Capture, **more: Any) -> CapturedCall:
    """Begin a call that no provider will answer; `more` is what a hook says of it."""
    about: Any = {
        "hook": "test",
        "provider": None,
        "host": None,
        "operation_type": "chat",
        "model_name": "gpt-4o-mini",
        "request": None,
    }
    return capture.begin(**{**about, **more})


def call(capture: Capture, tokens: int = 1) -> None:
    """Make a whole call."""
    begin(capture).answered({"usage": {"prompt_tokens": tokens, "completion_tokens": 1}})


def who(records: list[dict[str, Any]]) -> list[tuple[int | str | None, str]]:
    """Return whose calls the records are, and what for."""
    return [(record["user_id"], record["operation_type"]) for record in records]
