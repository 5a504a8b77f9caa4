"""What a request's body says of the prompt, for every API."""

from collections.abc import Mapping
from typing import Any, Final

from tokenusage.capture.payload.text import characters, is_data_url

_PROMPTS: Final = ("prompt", "input", "message", "inputs", "texts", "query", "inputText", "content")
"""Where the APIs without messages have their text, in this order."""


def prompt_characters(request: Mapping[str, Any] | None) -> int:
    """Return the number of characters of text that a request's body carries, 0 without one.

    Messages, system prompts, tools' results and embedding inputs count; images,
    audio and files do not.
    """
    return characters(request) if request else 0


def spoken_characters(request: Mapping[str, Any] | None) -> int:
    """Return the number of characters that a request wants read aloud, 0 for any other request.

    Some models of speech are charged by them, and their answers say nothing.
    """
    text = request.get("input") if request and "voice" in request else None
    return len(text) if isinstance(text, str) else 0


def query_of(request: Mapping[str, Any] | None) -> str | None:
    """Return the last user message's text, or the (first) input; None where there is none.

    A message that only brings a tool's result is not the user's.
    """
    if not request:
        return None
    for key in ("messages", "input", "contents"):
        if (text := _last_of_user(request.get(key))) is not None:
            return text
    for key in _PROMPTS:
        if (text := _text(request.get(key))) is not None:
            return text
    for key in ("requests", "instances"):
        items = request.get(key)
        if isinstance(items, list) and items and isinstance(items[0], Mapping):
            return _text(items[0].get("content"))
    return None


def _last_of_user(messages: Any) -> str | None:
    if not isinstance(messages, list | tuple):
        return _text(messages)
    for message in reversed(messages):
        if (
            isinstance(message, Mapping)
            # Gemini's single-turn contents have no role.
            and message.get("role", "user") == "user"
            and (text := _text(message.get("content", message.get("parts")))) is not None
        ):
            return text
    return None


def _text(content: Any) -> str | None:
    """Return the text of a message's content: a str, or the text parts of a list, a line each."""
    if isinstance(content, str):
        return content if content and not is_data_url(content) else None
    if isinstance(content, Mapping):
        content = content.get("parts") or [content]
    if not isinstance(content, list | tuple) or not content:
        return None
    if isinstance(content[0], str):
        return _text(content[0])
    texts = [
        part["text"]
        for part in content
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return "\n".join(texts) or None
