"""What an answer's tools have cost: searches and images have a price, and no place in the usage."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tokenusage.capture.payload.extractor import Units, as_count

_CHARGED_ITEMS: Final = {"web_search_call": "web_searches", "file_search_call": "storage_searches"}
"""Items of a Responses output that are charged by the call, and their units
(platform.openai.com/docs/pricing, "Built-in tools")."""

_TOKENS: Final = ("input_tokens", "output_tokens")

_CHARGED_BY_PROMPT: Final = ("gemini-1", "gemini-2")
"""Gemini models of which a grounded prompt costs the same with any number of queries;
later ones are charged by the query (ai.google.dev/gemini-api/docs/pricing)."""


def count_in_output(units: Units, response: Mapping[str, Any]) -> None:
    """Add the searches among the items of a Responses answer to `units`.

    The items may be the SDK's objects. Where the answer says how many web searches are
    billed, that counts: some are free.
    """
    for item in _listed(response.get("output")):
        kind = _get(item, "type")
        unit = _CHARGED_ITEMS.get(kind) if isinstance(kind, str) else None
        if unit:
            action = _get(_get(item, "action"), "type")
            # Opening a page that a search has found is no search.
            if action is None or action == "search":
                units[unit] = units.get(unit, 0) + 1
    if tools := response.get("tool_usage"):
        billed = as_count(_get(_get(tools, "web_search"), "num_requests"))
        if billed is not None:
            units["web_searches"] = billed


def has_made_images(response: Mapping[str, Any]) -> bool:
    """Say whether a Responses answer has called an image model, whose tokens stand apart."""
    tools = response.get("tool_usage")
    images = _get(tools, "image_gen") if tools else None
    return bool(images) and any(as_count(_get(images, name)) for name in _TOKENS)


def count_grounding(units: Units, payload: Mapping[str, Any], response: Mapping[str, Any]) -> None:
    """Add the searches that Gemini's candidates were grounded on to `units`.

    Interactions have their number in the usage payload.
    """
    queries: set[str] = set()
    for candidate in mappings(response.get("candidates")):
        queries.update(queries_of(candidate))
    for used in mappings(payload.get("grounding_tool_count")):
        if used.get("type") == "google_search" and (count := as_count(used.get("count"))):
            units["web_searches"] = count
    if queries:
        units["web_searches"] = len(queries)
    limit_searches(units, response)


def queries_of(candidate: Mapping[str, Any]) -> list[str]:
    """Return what was searched for a candidate of Gemini's.

    Google counts each query once, and empty ones never.
    """
    asked = _get(candidate.get("groundingMetadata"), "webSearchQueries")
    return [query for query in _listed(asked) if isinstance(query, str) and query]


def limit_searches(units: Units, response: Mapping[str, Any]) -> None:
    """Count one search at most for a model of which the grounded prompt is charged."""
    if units.get("web_searches", 0) > 1:
        model = str(response.get("modelVersion") or response.get("model"))
        if model.startswith(_CHARGED_BY_PROMPT):
            units["web_searches"] = 1


def mappings(items: Any) -> Iterator[Mapping[str, Any]]:
    """Yield those of a list's items that are mappings; nothing for what is no list."""
    return (item for item in _listed(items) if isinstance(item, dict))


def _listed(items: Any) -> list[Any]:
    return items if isinstance(items, list) else []


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)
