"""The searches that an answer was grounded on: they have a price, and no place in the usage."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tokenusage.capture.payload.extractor import Units

_CHARGED_ITEMS: Final = {"web_search_call": "web_searches", "file_search_call": "storage_searches"}
"""Items of a Responses output that are charged by the call, and their units
(platform.openai.com/docs/pricing, "Built-in tools")."""

_CHARGED_BY_PROMPT: Final = ("gemini-1", "gemini-2")
"""Gemini models of which a grounded prompt costs the same with any number of queries;
later ones are charged by the query (ai.google.dev/gemini-api/docs/pricing)."""


def count_in_output(units: Units, response: Mapping[str, Any]) -> None:
    """Add the searches among the items of a Responses answer to `units`."""
    for item in _mappings(response.get("output")):
        kind = item.get("type")
        unit = _CHARGED_ITEMS.get(kind) if isinstance(kind, str) else None
        if unit:
            action = item.get("action")
            # Opening a page that a search has found is no search.
            if not isinstance(action, dict) or action.get("type", "search") == "search":
                units[unit] = units.get(unit, 0) + 1


def count_in_candidates(units: Units, response: Mapping[str, Any]) -> None:
    """Add the searches that Gemini's candidates were grounded on to `units`."""
    queries: set[str] = set()
    for candidate in _mappings(response.get("candidates")):
        grounding = candidate.get("groundingMetadata")
        asked = grounding.get("webSearchQueries") if isinstance(grounding, dict) else None
        if isinstance(asked, list):
            # Google counts each query once, and empty ones never.
            queries.update(query for query in asked if isinstance(query, str) and query)
    if queries:
        by_prompt = str(response.get("modelVersion")).startswith(_CHARGED_BY_PROMPT)
        units["web_searches"] = 1 if by_prompt else len(queries)


def _mappings(items: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(items, list):
        yield from (item for item in items if isinstance(item, dict))
