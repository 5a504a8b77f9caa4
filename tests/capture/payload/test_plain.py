"""SDKs' objects as plain dicts and lists."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

import pytest

from tokenusage.capture.payload.plain import MAX_DEPTH, plain


def test_openai_object_becomes_what_came_over_the_wire() -> None:
    """Nested objects, and fields that the SDK does not know, keep their names."""
    types = pytest.importorskip("openai.types.chat")
    wire = {
        "id": "chatcmpl-1",
        "model": "sonar",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "citation_tokens": 7},
        "x_groq": {"id": "r"},
    }
    assert plain(types.ChatCompletion.construct(**wire)) == wire


def test_google_object_gets_the_names_of_the_wire() -> None:
    """google-genai's names become camelCase, and its enums their values."""
    types = pytest.importorskip("google.genai.types")
    metadata = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=3,
        prompt_tokens_details=[types.ModalityTokenCount(modality="TEXT", token_count=3)],
    )
    assert plain(types.GenerateContentResponse(usage_metadata=metadata)) == {
        "usageMetadata": {
            "promptTokenCount": 3,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        }
    }


def test_anthropic_object_becomes_what_came_over_the_wire() -> None:
    """What the SDK holds as None is left out."""
    types = pytest.importorskip("anthropic.types")
    usage = types.Usage(input_tokens=3, output_tokens=1)
    assert plain(usage) == {"input_tokens": 3, "output_tokens": 1}


def test_other_things_are_plain_already() -> None:
    """Dataclasses and enums are opened, strangers are left as they are."""

    @dataclass
    class Point:
        x: int
        y: None = None

    colour = Enum("colour", {"RED": "red"})
    stranger = object()
    assert plain({"p": (Point(1),), "c": colour.RED, "s": stranger}) == {
        "p": [{"x": 1}],
        "c": "red",
        "s": stranger,
    }


def test_embedding_is_not_copied() -> None:
    """Thousands of numbers are passed on as they are."""
    vector = [0.1, 0.2]
    assert plain({"embedding": vector})["embedding"] is vector


def test_endless_nesting_ends() -> None:
    """What nests without end is cut, and raises nothing."""
    loop: list[Any] = ["x"]
    loop.append(loop)
    depth, inner = 0, plain(loop)
    while inner is not None:
        depth, inner = depth + 1, inner[1]
    assert depth == MAX_DEPTH
