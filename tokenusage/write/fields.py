"""From arguments to a validated record: what an application may say of a call.

A check takes a field's name and value and returns the value as it is written,
or raises `RecordError`. Subclasses (numpy's numbers, enums of str) become the
plain types that JSON knows.
"""

import operator
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

import orjson

from tokenusage.errors import RecordError, nearest
from tokenusage.record import (
    FIELDS,
    MAX_COST,
    MAX_SECONDS,
    MAX_TOKENS,
    USAGE_SOURCES,
    Record,
)
from tokenusage.write.redact import mask_secrets

MAX_ID_CHARS: Final = 200
"""The longest ``id``: the one text that is never cut."""


def base_record(
    at: datetime,
    *,
    query_chars: int,
    user_id: int | str | None,
    operation_type: str,
    query: str | None,
    model_name: str,
    prompt_tokens: int,
    completion_tokens: int,
    total_tokens: int | None,
    cost_estimate: float | None,
    response_time: float | None,
    success: bool,
    error_message: str | None,
) -> Record:
    """Return the twelve base fields, checked and in order; `at` is in UTC.

    Raises:
        RecordError: a value that its field can't have.
    """
    # What has exactly the right type skips its check, and saves a call of a function each.
    if type(operation_type) is not str:
        operation_type = _text("operation_type", operation_type)
    if type(model_name) is not str:
        model_name = _text("model_name", model_name)
    if type(prompt_tokens) is not int or not 0 <= prompt_tokens <= MAX_TOKENS:
        prompt_tokens = _whole("prompt_tokens", prompt_tokens)
    if type(completion_tokens) is not int or not 0 <= completion_tokens <= MAX_TOKENS:
        completion_tokens = _whole("completion_tokens", completion_tokens)
    if success is not True and success is not False:
        raise _wrong_type("success", "True or False", success)
    return {
        "timestamp": _stamp(at),
        "user_id": None if user_id is None else _user("user_id", user_id),
        "operation_type": operation_type,
        "query": None if query is None else _query(query, query_chars),
        "model_name": model_name,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens
        if total_tokens is None
        else _whole("total_tokens", total_tokens),
        "cost_estimate": None if cost_estimate is None else _cost("cost_estimate", cost_estimate),
        "response_time": None
        if response_time is None
        else _number("response_time", response_time, MAX_SECONDS),
        "success": success,
        "error_message": None if error_message is None else _message(error_message),
    }


def add_optional(record: Record, optional: Mapping[str, Any]) -> None:
    """Add the optional fields that are set to `record`, checked and in order.

    Raises:
        TypeError: a name that is no optional field of an application.
        RecordError: a value that its field can't have.
    """
    check_names(optional, _OPTIONAL_NAMES)
    for name in sorted(optional, key=_POSITIONS.__getitem__) if len(optional) > 1 else optional:
        value = optional[name]
        if value is not None:
            record[name] = _OPTIONAL_CHECKS[name](name, value)


def check_fields(fields: Mapping[str, Any]) -> None:
    """Make sure that every one of `fields` is a field and can have its value.

    Raises:
        TypeError: a name that is no field of an application.
        RecordError: a value that its field can't have.
    """
    check_names(fields, _NAMES)
    for name, value in fields.items():
        if value is not None or name in _NEVER_NULL:
            _CHECKS[name](name, value)


def check_names(given: Mapping[str, Any], known: AbstractSet[str]) -> None:
    """Make sure that every key of `given` is `known`.

    Raises:
        TypeError: one is not; names the nearest right one.
    """
    if given.keys() <= known:
        return
    name = min(given.keys() - known)
    if name in FIELDS:
        raise TypeError(f"The field {name!r} can't be given here.")
    raise TypeError(f"There is no field {name!r}.{nearest(name, FIELDS)}")


def as_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC.

    Raises:
        RecordError: it is no datetime, has no zone, or is no moment in UTC.
    """
    if not isinstance(moment, datetime) or moment.utcoffset() is None:
        raise RecordError("timestamp must be a datetime with a zone.")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise RecordError(f"timestamp must be from year 1 to 9999 in UTC, not {moment}.") from error


def _stamp(at: datetime) -> str:
    if at.microsecond == 0:  # orjson would leave the fraction out
        return at.isoformat(timespec="microseconds")
    # In a quarter of isoformat's time, which asks the zone for its name.
    return orjson.dumps(at)[1:-1].decode()


def _text(name: str, value: Any) -> str:
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise _wrong_type(name, "a str", value)
    return str.__str__(value)


def _query(value: str, chars: int) -> str | None:
    text = value if type(value) is str else _text("query", value)
    return text[:chars] if chars else None


def _message(value: Any) -> str:
    return mask_secrets(_text("error_message", value))


def _id(name: str, value: Any) -> str:
    text = _text(name, value)
    if not 0 < len(text) <= MAX_ID_CHARS:
        raise RecordError(f"{name} must have 1 to {MAX_ID_CHARS} characters, not {len(text)}.")
    return text


def _user(name: str, value: Any) -> int | str:
    if type(value) is int:
        return _integer(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong_type(name, "an int, a str or None", value)
    return _integer(value)


def _integer(value: Any) -> int | str:
    # Readers hold integers in 64 bits; as text no digit is lost.
    number = operator.index(value)
    return number if -(2**63) <= number < 2**63 else str(number)


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(name, "True or False", value)
    return value


def _whole(name: str, value: Any) -> int:
    # Almost every value ends here; the rest of the function is for the others.
    if type(value) is int and 0 <= value <= MAX_TOKENS:
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong_type(name, "an int", value)
    number = operator.index(value)
    if not 0 <= number <= MAX_TOKENS:
        raise _out_of_range(name, MAX_TOKENS)
    return number


def _number(name: str, value: Any, limit: float) -> float:
    number: float = value
    if type(value) is not float and type(value) is not int:
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise _wrong_type(name, "a number", value)
        number = float(value)
    if not 0 <= number <= limit:  # NaN is neither
        raise _out_of_range(name, limit)
    return number


def _cost(name: str, value: Any) -> float:
    return _number(name, value, MAX_COST)


def _time(name: str, value: Any) -> float:
    return _number(name, value, MAX_SECONDS)


def _usage_source(name: str, value: Any) -> str:
    text = _text(name, value)
    if text not in USAGE_SOURCES:
        raise RecordError(f"{name} must be one of {', '.join(USAGE_SOURCES)}, not {text[:40]!r}.")
    return text


def _usage(name: str, value: Any) -> dict[str, float]:
    return {
        unit: _number(f"{name}[{unit!r}]", amount, MAX_TOKENS)
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
        return _integer(value)
    if hasattr(value, "__float__") and isfinite(value):
        return float(value)
    raise _wrong_type(name, "a str, a finite number or a bool", value)


def _flat(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(type(key) is str for key in value):
        raise _wrong_type(name, "a mapping of str to plain values", value)
    if "timestamp" in value:
        # A reader salvages glued lines by the first thing that looks like their beginning.
        raise RecordError(f"{name} can't have a key called 'timestamp'.")
    return value


def _wrong_type(name: str, expected: str, value: Any) -> RecordError:
    # The type alone: the value may be a query or a key.
    return RecordError(f"{name} must be {expected}, not {type(value).__name__}.")


def _out_of_range(name: str, limit: float) -> RecordError:
    return RecordError(f"{name} must be from 0 to {limit:,}.")


_Check = Callable[[str, Any], Any]

_OPTIONAL_CHECKS: Final[dict[str, _Check]] = {
    "id": _id,
    "provider": _text,
    "response_id": _text,
    "session_id": _text,
    "task_id": _text,
    "batch_id": _text,
    "items": _whole,
    "cache": _text,
    "cache_read_tokens": _whole,
    "cache_write_tokens": _whole,
    "reasoning_tokens": _whole,
    "usage": _usage,
    "service_tier": _text,
    "price_context": _labels,
    "usage_source": _usage_source,
    "user_email": _text,
    "tags": _labels,
    "cost_source": _text,
}

_CHECKS: Final[dict[str, _Check]] = _OPTIONAL_CHECKS | {
    "user_id": _user,
    "operation_type": _text,
    "query": _text,
    "model_name": _text,
    "prompt_tokens": _whole,
    "completion_tokens": _whole,
    "total_tokens": _whole,
    "cost_estimate": _cost,
    "response_time": _time,
    "success": _truth,
    "error_message": _text,
}

_OPTIONAL_NAMES: Final = _OPTIONAL_CHECKS.keys()
_NAMES: Final = _CHECKS.keys()

_NEVER_NULL: Final = frozenset(
    {"operation_type", "model_name", "prompt_tokens", "completion_tokens", "success"}
)

_POSITIONS: Final = {name: position for position, name in enumerate(FIELDS)}
