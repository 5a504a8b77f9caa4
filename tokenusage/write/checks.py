"""Checks of single fields: each returns the value as it is written, or raises `RecordError`.

Subclasses (numpy's numbers, enums of str) become the plain types that JSON knows.
Messages name types and limits, never the value: it may be a query or a key.
"""

import operator
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from tokenusage.errors import RecordError
from tokenusage.record import MAX_COST, MAX_SECONDS, MAX_TOKENS, USAGE_SOURCES
from tokenusage.write.redact import mask_secrets

MAX_DIGITS: Final = 1000
"""The longest integer, in decimal digits: Python itself refuses to print endless ones."""

MAX_ID_CHARS: Final = 200
"""The longest ``id``: the one text that is never cut."""


def as_text(name: str, value: Any) -> str:
    """Return a text."""
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    return str.__str__(value)


def as_query(value: str, chars: int) -> str | None:
    """Return the first `chars` characters; None where none are kept."""
    text = value if type(value) is str else as_text("query", value)
    return text[:chars] if chars else None


def as_message(value: Any) -> str:
    """Return an error message without secrets."""
    return mask_secrets(as_text("error_message", value))


def _id(name: str, value: Any) -> str:
    text = as_text(name, value)
    if not 0 < len(text) <= MAX_ID_CHARS:
        raise RecordError(f"{name} must have 1 to {MAX_ID_CHARS} characters, not {len(text)}.")
    return text


def as_user(name: str, value: Any) -> int | str:
    """Return a user's id."""
    if type(value) is int:
        return _integer(name, value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong_type(name, "an int, a str or None", value)
    return _integer(name, value)


def _integer(name: str, value: Any) -> int | str:
    # Readers hold integers in 64 bits; as text no digit is lost.
    number = operator.index(value)
    if -(2**63) <= number < 2**63:
        return number
    if abs(number) >= 10**MAX_DIGITS:
        raise RecordError(f"{name} must have at most {MAX_DIGITS} digits.")
    return str(number)


def as_truth(name: str, value: Any) -> bool:
    """Return True or False."""
    if not isinstance(value, bool):
        raise wrong_type(name, "True or False", value)
    return value


def as_whole(name: str, value: Any) -> int:
    """Return a number of tokens or items."""
    # Almost every value ends here; the rest of the function is for the others.
    if type(value) is int and 0 <= value <= MAX_TOKENS:
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise wrong_type(name, "an int", value)
    number = operator.index(value)
    if not 0 <= number <= MAX_TOKENS:
        raise _out_of_range(name, MAX_TOKENS)
    return number


def as_number(name: str, value: Any, limit: float) -> float:
    """Return a number from 0 to `limit`."""
    number: float = value
    if type(value) is not float and type(value) is not int:
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise wrong_type(name, "a number", value)
        number = _float(name, value)
    if not 0 <= number <= limit:  # NaN is neither
        raise _out_of_range(name, limit)
    return number


def _float(name: str, value: Any) -> float:
    try:
        return float(value)
    except (OverflowError, ValueError) as error:  # a huge Fraction, a signalling NaN
        raise wrong_type(name, "a finite number", value) from error


def as_cost(name: str, value: Any) -> float:
    """Return US dollars."""
    return as_number(name, value, MAX_COST)


def as_seconds(name: str, value: Any) -> float:
    """Return a response time."""
    return as_number(name, value, MAX_SECONDS)


def _usage_source(name: str, value: Any) -> str:
    text = as_text(name, value)
    if text not in USAGE_SOURCES:
        raise RecordError(f"{name} must be one of {', '.join(USAGE_SOURCES)}, not {text[:40]!r}.")
    return text


def _usage(name: str, value: Any) -> dict[str, float]:
    return {
        unit: as_number(f"{name}[{unit!r}]", amount, MAX_TOKENS)
        for unit, amount in _flat(name, value).items()
    }


def _labels(name: str, value: Any) -> dict[str, str | float | bool]:
    return {key: _label(f"{name}[{key!r}]", item) for key, item in _flat(name, value).items()}


def _label(name: str, value: Any) -> str | float | bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if hasattr(value, "__index__"):
        return _integer(name, value)
    if hasattr(value, "__float__") and isfinite(number := _float(name, value)):
        return number
    raise wrong_type(name, "a str, a finite number or a bool", value)


def _flat(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(type(key) is str for key in value):
        raise wrong_type(name, "a mapping of str to plain values", value)
    if "timestamp" in value:
        # A reader salvages glued lines by the first thing that looks like their beginning.
        raise RecordError(f"{name} can't have a key called 'timestamp'.")
    return value


def wrong_type(name: str, expected: str, value: Any) -> RecordError:
    """Return the error of a value that is not what was `expected`."""
    # The type alone: the value may be a query or a key.
    return RecordError(f"{name} must be {expected}, not {type(value).__name__}.")


def _out_of_range(name: str, limit: float) -> RecordError:
    return RecordError(f"{name} must be from 0 to {limit:,}.")


Check = Callable[[str, Any], Any]
"""Takes a field's name and value."""

OPTIONAL_CHECKS: Final[dict[str, Check]] = {
    "id": _id,
    "provider": as_text,
    "response_id": as_text,
    "session_id": as_text,
    "task_id": as_text,
    "batch_id": as_text,
    "items": as_whole,
    "cache": as_text,
    "cache_read_tokens": as_whole,
    "cache_write_tokens": as_whole,
    "reasoning_tokens": as_whole,
    "usage": _usage,
    "service_tier": as_text,
    "price_context": _labels,
    "usage_source": _usage_source,
    "user_email": as_text,
    "tags": _labels,
    "cost_source": as_text,
}
"""By the name of an optional field that an application can give."""

CHECKS: Final[dict[str, Check]] = OPTIONAL_CHECKS | {
    "user_id": as_user,
    "operation_type": as_text,
    "query": as_text,
    "model_name": as_text,
    "prompt_tokens": as_whole,
    "completion_tokens": as_whole,
    "total_tokens": as_whole,
    "cost_estimate": as_cost,
    "response_time": as_seconds,
    "success": as_truth,
    "error_message": as_text,
}
"""By the name of any field that an application can give."""
