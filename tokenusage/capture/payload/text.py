"""How many characters of text a request or response carries, whatever its API."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 32
"""Text that is nested deeper is not counted."""

CHARACTERS_PER_TOKEN: Final = 4
"""The usual rule for English text (OpenAI's help centre, "What are tokens")."""

_CONTAINERS: Final = frozenset(
    {
        # the conversation and its parts
        "messages",
        "message",
        "delta",
        "content",
        "contents",
        "parts",
        "system",
        "systemInstruction",
        "system_instruction",
        "instructions",
        "config",
        "chat_history",
        # what is answered
        "choices",
        "candidates",
        "output",
        "generations",
        "results",
        "content_block",
        # tool calls and their results
        "tool_calls",
        "function",
        "function_call",
        "functionCall",
        "functionResponse",
        "toolUse",
        "toolResult",
        "tool_plan",
        # reasoning
        "reasoning",
        "reasoning_content",
        "reasoningContent",
        "reasoningText",
        "thinking",
        "summary",
        # plain text
        "text",
        "transcript",
        "refusal",
        "prompt",
        "suffix",
        "query",
        "documents",
        "texts",
        "inputs",
        "instances",
        "requests",
        "inputText",
        "outputText",
        "generated_text",
        "generation",
    }
)
"""Keys under which text is looked for. All others are no prompt (ids, roles, tool
schemas) or no text (images, audio and files in base64, signatures)."""

_FREE_FORM: Final = frozenset({"input", "arguments", "args", "json", "partial_json", "response"})
"""Text, messages, or an object of the application's own: a tool's arguments or result."""


def tokens_of(characters: int) -> int:
    """Return the number of tokens that a number of characters is estimated at, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def is_data_url(text: str) -> bool:
    """Return whether a text is a picture, a sound or a file in base64."""
    return text.startswith("data:") and ";base64," in text[:200]


def characters(value: Any, depth: int = 0) -> int:
    """Return the number of characters of text in a message, a content, a request or a response.

    A token that is given as a number counts as four characters. Data URLs count
    nothing, whatever they are under.
    """
    if value.__class__ is str:
        return 0 if is_data_url(value) else len(value)
    if depth >= MAX_DEPTH:
        return 0
    depth += 1
    if isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - the first is fast
        total = 0
        for key, inner in value.items():
            if inner is None:
                continue
            if key in _CONTAINERS:
                total += characters(inner, depth)
            elif key in _FREE_FORM:
                total += _free_form(inner, depth)
        return total
    if isinstance(value, list | tuple):
        if value and value[0].__class__ is int:
            return len(value) * CHARACTERS_PER_TOKEN
        return sum(characters(x, depth) for x in value)
    return 0


def _free_form(value: Any, depth: int) -> int:
    if not isinstance(value, Mapping):
        return characters(value, depth)
    try:
        return len(orjson.dumps(value)) if value else 0
    except TypeError:
        return 0  # holds what is no JSON: no tool's arguments
