"""What tools have cost, told by the answer beside its usage."""

from types import SimpleNamespace
from typing import Any

import pytest

from tokenusage.capture.payload.fields import fields_of


def responses(**others: Any) -> dict[str, Any]:
    return {"object": "response", "usage": {"input_tokens": 1, "output_tokens": 1}, **others}


ITEMS: list[dict[str, Any]] = [
    {"type": "web_search_call", "action": {"type": "search"}},
    {"type": "web_search_call", "action": {"type": "open_page"}},
    {"type": "web_search_call"},
    {"type": "file_search_call"},
    {"type": ["message"]},
]


def as_object(item: dict[str, Any]) -> SimpleNamespace:
    action = item.get("action")
    return SimpleNamespace(type=item["type"], action=SimpleNamespace(**action) if action else None)


@pytest.mark.parametrize("items", [ITEMS, [as_object(item) for item in ITEMS]])
def test_searches_of_responses_are_counted_among_its_output(items: list[Any]) -> None:
    """A web search is charged by the call; opening a page that it found is not."""
    usage = fields_of(responses(output=items), provider="openai")["usage"]
    assert usage == {"web_searches": 2, "storage_searches": 1}


@pytest.mark.parametrize(("billed", "searches"), [(1, 1), (0, None), ("?", 2)])
def test_searches_that_are_billed_are_those_that_the_answer_says(
    billed: Any, searches: int | None
) -> None:
    """Some searches are free, and only the provider knows which."""
    body = responses(output=ITEMS, tool_usage={"web_search": {"num_requests": billed}})
    usage = fields_of(body, provider="openai")["usage"] or {}
    assert usage.get("web_searches") == searches


@pytest.mark.parametrize(("tokens", "tags"), [(4160, {"usage_mismatch": True}), (0, None)])
def test_image_that_responses_have_made_is_not_among_its_tokens(
    tokens: int, tags: dict[str, Any] | None
) -> None:
    """An image model has made it, at prices of its own: the record says that there is more."""
    made = {"image_gen": {"input_tokens": 0, "output_tokens": tokens}}
    fields = fields_of(responses(output=[], tool_usage=made), provider="openai")
    assert (fields["completion_tokens"], fields.get("tags")) == (1, tags)


@pytest.mark.parametrize(("model", "searches"), [("gemini-2.5-pro", 1), ("gemini-3-pro", 2)])
def test_searches_of_gemini_are_charged_by_prompt_or_query(model: str, searches: int) -> None:
    """From Gemini 3 on each distinct query counts, before that the grounded prompt."""
    generated = {
        "modelVersion": model,
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1},
        "candidates": [{"groundingMetadata": {"webSearchQueries": ["a", "", "b", "a"]}}],
    }
    interaction = {
        "model": model,
        "usage": {
            "total_input_tokens": 1,
            "grounding_tool_count": [{"type": "google_search", "count": 2}],
        },
    }
    through_litellm = {
        "model": model,
        "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"web_search_requests": 2}},
    }
    for body in (generated, interaction, through_litellm):
        assert fields_of(body, provider=None)["usage"] == {"web_searches": searches}
