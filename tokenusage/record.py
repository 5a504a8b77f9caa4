"""The record: one JSON object a line, its fields, limits and encoding.

The writing half builds records with these names and limits, the reading half
judges lines by them. Tokens are *inclusive*: prompt tokens contain cache reads
and writes, completion tokens contain reasoning. A cost is US dollars; ``None``
is unknown and never 0.
"""

from typing import Any, Final

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
    "cost_source",
    "user_email",
    "tags",
    "dropped",
    "truncated",
)
"""Left out when unset, in this order behind the base fields."""

FIELDS: Final = BASE_FIELDS + OPTIONAL_FIELDS

USAGE_SOURCES: Final = ("provider", "estimated", "partial")

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


def encode(record: Record) -> bytes:
    """Return `record` as one line of UTF-8 JSON with its newline."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
