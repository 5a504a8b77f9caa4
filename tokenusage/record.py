"""The record: one JSON object a line, its fields, limits and encoding.

The writing half builds records with these names and limits, the reading half
judges lines by them. Tokens are *inclusive*: prompt tokens contain cache reads
and writes, completion tokens contain reasoning. A cost is US dollars; ``None``
is unknown and never 0.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, TypedDict

import orjson

Record = dict[str, Any]
"""A record as a plain dict, its keys in the order in which they are written."""

BASE_FIELDS: Final = (
    "timestamp",
    "user_id",
    "operation_type",
    "query",
    "model_name",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost_estimate",
    "response_time",
    "success",
    "error_message",
)
"""Always present, in this order."""

OPTIONAL_FIELDS: Final = (
    "id",
    "provider",
    "response_id",
    "session_id",
    "task_id",
    "batch_id",
    "items",
    "cache",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "usage",
    "service_tier",
    "price_context",
    "usage_source",
    "user_email",
    "tags",
    "cost_source",
    "dropped",
    "truncated",
)
"""Left out when unset, in this order behind the base fields."""

FIELDS: Final = BASE_FIELDS + OPTIONAL_FIELDS

USAGE_SOURCES: Final = ("provider", "estimated", "partial")

PICO: Final = 10**12
"""Picodollars in a US dollar: figures are integers of them."""

MICRO: Final = 10**6
"""Microseconds in a second."""

MAX_TOKENS: Final = 10**12
"""The most tokens that one record can hold in any of its token fields."""

MAX_COST: Final = 10**6
"""The highest cost of one record, in US dollars."""

MAX_SECONDS: Final = 10**9
"""The longest response time of one record, in seconds (32 years)."""

MAX_LINE_BYTES: Final = 256 * 1024
"""The longest line that the logger writes, its newline included."""

LINE_START: Final = b'{"timestamp":'
"""How every line that the logger writes begins: ``timestamp`` is always first."""


class TokenFields(TypedDict, total=False):
    """What can be said of a call's tokens besides prompt, completion and total."""

    cache_read_tokens: int | None
    """Part of the prompt tokens."""
    cache_write_tokens: int | None
    """Part of the prompt tokens."""
    reasoning_tokens: int | None
    """Part of the completion tokens."""
    usage: Mapping[str, float] | None
    """Further units that have a price of their own, in genai-prices' names."""
    usage_source: Literal["provider", "estimated", "partial"] | None


class OptionalFields(TokenFields, total=False):
    """The optional fields that an application can give; None is unset.

    ``dropped`` and ``truncated`` are missing here: they are what the logger says
    about itself.
    """

    id: str | None
    """Unique among all records of a UTC day; the logger mints one when unset."""
    provider: str | None
    response_id: str | None
    session_id: str | None
    task_id: str | None
    batch_id: str | None
    items: int | None
    """Units of work in the call, for example comments."""
    cache: str | None
    """Answered by the application's own cache ("session", "persistent",
    "search_results" or its own word): no call was made."""
    service_tier: str | None
    price_context: Mapping[str, str | float | bool] | None
    """What genai-prices needs to choose a variant, such as ``{"processing": "batch"}``."""
    user_email: str | None
    tags: Mapping[str, str | float | bool] | None
    """The application's own dimensions; none may be called ``timestamp``."""
    cost_source: str | None
    """Who says the cost: unset, it is "provider" where a cost is given."""


class CallFields(OptionalFields, total=False):
    """Every field that an application can give; the time is the logger's."""

    user_id: int | str | None
    operation_type: str
    query: str | None
    model_name: str
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int | None
    cost_estimate: float | None
    response_time: float | None
    success: bool
    error_message: str | None


def encode(record: Record) -> bytes:
    """Return `record` as one line of UTF-8 JSON with its newline."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
