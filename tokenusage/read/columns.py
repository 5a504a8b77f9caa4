"""Which fields a reader takes from a line, and the columns that they become.

A line is a record by its *vital* fields alone: they are read for every question,
so that a line is accepted or rejected alike whatever is asked. The *extra*
fields are read when a question names them, and never decide over a line.
"""

from typing import Final

from tokenusage.record import FIELDS

REQUIRED: Final = (
    "timestamp",
    "operation_type",
    "model_name",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "success",
)
"""Vital fields that may not be null."""

TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")

VITAL: Final = (
    "timestamp",
    "user_id",
    "operation_type",
    "model_name",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost_estimate",
    "response_time",
    "success",
    "id",
    "cache",
    "usage_source",
    "dropped",
)
"""The fields that make a line a record, or count it."""

IDENTIFIERS: Final = ("user_id", "id", "session_id", "task_id", "batch_id")
"""Fields that are texts, and may be written as numbers."""

COUNTS: Final = ("items", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
"""Extra fields that are whole numbers; a column of int64."""

PLAIN: Final = (
    "query",
    "error_message",
    "provider",
    "response_id",
    "session_id",
    "task_id",
    "batch_id",
    "service_tier",
    "cost_source",
    "user_email",
)
"""Extra fields that are text as the logger writes them; a column of text."""

TAG: Final = "tag."
"""``tag.NAME`` names one value of the `tags` object."""

FIELD_OF: Final = {
    "user": "user_id",
    "email": "user_email",
    "operation": "operation_type",
    "model": "model_name",
    "session": "session_id",
    "task": "task_id",
    "batch": "batch_id",
}
"""The short names that people type, as fields of the record."""


SHORT_OF: Final = {field: short for short, field in FIELD_OF.items()}


def column_of(field: str) -> str:
    """Return the name of a field's column in the frame of calls.

    A field that the record does not know can't take the place of one that it does.
    """
    known = field in FIELDS or field.startswith(TAG)
    return SHORT_OF.get(field, field) if known else f"field.{field}"


def fields_of(names: set[str]) -> tuple[str, ...]:
    """Return, sorted, the fields that `names`, short or not, stand for."""
    return tuple(sorted({FIELD_OF.get(name, name) for name in names}))


def extra_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of `fields` that are read only on demand."""
    return tuple(field for field in fields if field not in VITAL)
