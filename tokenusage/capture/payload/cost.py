"""What a provider itself says that a call cost."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from tokenusage.record import MAX_COST

_TICKS_IN_DOLLAR: Final = 10**10
"""Of xAI's `cost_in_usd_ticks` (docs.x.ai/developers/cost-tracking)."""


def reported_cost(payload: Mapping[str, Any], provider: str | None) -> float | None:
    """Return the cost in US dollars that a usage payload states, None where it states none.

    OpenRouter's `cost` (known by its company, for it is often reached through another
    address), Perplexity's `cost.total_cost` and xAI's `cost_in_usd_ticks`. A plain
    `cost` of anyone else is not taken: its currency is unknown.
    """
    cost = payload.get("cost")
    if isinstance(cost, dict):
        return _dollars(cost.get("total_cost")) if cost.get("currency", "USD") == "USD" else None
    if cost is not None and (
        provider == "openrouter" or "is_byok" in payload or "cost_details" in payload
    ):
        return _of_openrouter(cost, payload)
    ticks = _dollars(payload.get("cost_in_usd_ticks"), limit=MAX_COST * _TICKS_IN_DOLLAR)
    return None if ticks is None else ticks / _TICKS_IN_DOLLAR


def _of_openrouter(cost: Any, payload: Mapping[str, Any]) -> float | None:
    charged = _dollars(cost)
    details = payload.get("cost_details")
    if charged is None or payload.get("is_byok") is not True or not isinstance(details, dict):
        return charged
    # With the user's own key OpenRouter charges its fee, and the provider the rest.
    return _dollars(charged + (_dollars(details.get("upstream_inference_cost")) or 0))


def _dollars(value: Any, limit: float = MAX_COST) -> float | None:
    if value.__class__ not in {int, float} or not 0 <= value <= limit or not isfinite(value):
        return None
    return float(value)
