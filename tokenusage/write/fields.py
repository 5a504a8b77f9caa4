"""From arguments to a validated record: what an application may say of a call."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from tokenusage.errors import RecordError, nearest
from tokenusage.record import FIELDS, MAX_TOKENS, Record
from tokenusage.write.checks import (
    CHECKS,
    OPTIONAL_CHECKS,
    as_cost,
    as_message,
    as_query,
    as_seconds,
    as_text,
    as_user,
    as_whole,
    wrong_type,
)

_OPTIONAL_NAMES: Final = OPTIONAL_CHECKS.keys()
_NAMES: Final = CHECKS.keys()

_NEVER_NULL: Final = frozenset(
    {"operation_type", "model_name", "prompt_tokens", "completion_tokens", "success"}
)

_POSITIONS: Final = {name: position for position, name in enumerate(FIELDS)}


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
        operation_type = as_text("operation_type", operation_type)
    if type(model_name) is not str:
        model_name = as_text("model_name", model_name)
    if type(prompt_tokens) is not int or not 0 <= prompt_tokens <= MAX_TOKENS:
        prompt_tokens = as_whole("prompt_tokens", prompt_tokens)
    if type(completion_tokens) is not int or not 0 <= completion_tokens <= MAX_TOKENS:
        completion_tokens = as_whole("completion_tokens", completion_tokens)
    if total_tokens is None:
        total_tokens = prompt_tokens + completion_tokens
    if type(total_tokens) is not int or not 0 <= total_tokens <= MAX_TOKENS:
        total_tokens = as_whole("total_tokens", total_tokens)
    if success is not True and success is not False:
        raise wrong_type("success", "True or False", success)
    return {
        "timestamp": _stamp(at),
        "user_id": None if user_id is None else as_user("user_id", user_id),
        "operation_type": operation_type,
        "query": None if query is None else as_query(query, query_chars),
        "model_name": model_name,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": total_tokens,
        "cost_estimate": None if cost_estimate is None else as_cost("cost_estimate", cost_estimate),
        "response_time": None
        if response_time is None
        else as_seconds("response_time", response_time),
        "success": success,
        "error_message": None if error_message is None else as_message(error_message),
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
            record[name] = OPTIONAL_CHECKS[name](name, value)


def check_fields(fields: Mapping[str, Any]) -> None:
    """Make sure that every one of `fields` is a field and can have its value.

    Raises:
        TypeError: a name that is no field of an application.
        RecordError: a value that its field can't have.
    """
    check_names(fields, _NAMES)
    for name, value in fields.items():
        if value is not None or name in _NEVER_NULL:
            CHECKS[name](name, value)


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
    """Return `moment` in UTC, as a plain datetime.

    Raises:
        RecordError: it is no datetime, has no zone, or is no moment in UTC.
    """
    # In this order: pandas.NaT is a datetime too, but can't be asked for an offset.
    if not isinstance(moment, datetime) or moment.tzinfo is None or moment.utcoffset() is None:
        raise RecordError("timestamp must be a datetime with a zone.")
    try:
        utc = moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise RecordError(f"timestamp must be from year 1 to 9999 in UTC, not {moment}.") from error
    # pandas.Timestamp and other subclasses are nothing that orjson knows.
    return datetime.combine(utc.date(), utc.time(), UTC)


def _stamp(at: datetime) -> str:
    if at.microsecond == 0:  # orjson would leave the fraction out
        return at.isoformat(timespec="microseconds")
    # In a quarter of isoformat's time, which asks the zone for its name.
    return orjson.dumps(at)[1:-1].decode()
