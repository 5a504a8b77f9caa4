"""Values as other programs write them, as the fields of a record want them.

A value comes out of JSON, or is the text of a CSV cell or of an option; text
that writes a number, a truth or a JSON object is as good as the thing itself.
"""

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from math import isfinite
from reprlib import repr as shorten
from typing import Any, Final

import orjson

from tokenusage.ingest.times import parse_moment
from tokenusage.record import MAX_COST, MAX_SECONDS, MAX_TOKENS, USAGE_SOURCES

_Converter = Callable[[str, Any], Any]

_WHOLE: Final = re.compile(r"[0-9]{1,18}(?:\.0*)?")
_DECIMAL: Final = re.compile(r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?|[0-9]+\.")
_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def convert(field: str, value: Any, zone: tzinfo) -> Any:
    """Return `value` as the record field `field` (or ``tags.NAME``) holds it.

    None stays None. A timestamp becomes a datetime in UTC; one without a zone
    is in `zone`.

    Raises:
        ValueError: the field can't have this value; the message says which
            field, what it was given and what it takes.
    """
    if value is None:
        return None
    if field == "timestamp":
        return parse_moment(value, zone)
    if field.startswith("tags."):
        return _scalar(field, value)
    converter: _Converter = _CONVERTERS.get(field, _text)
    return converter(field, value)


def _refuse(field: str, value: Any, wanted: str) -> ValueError:
    # reprlib keeps it short, and repr shows control characters as escapes.
    return ValueError(f"{field} is {shorten(value)}, not {wanted}")


def _text(field: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise _refuse(field, value, "text")


def _user(field: str, value: Any) -> str | int:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise _refuse(field, value, "text or a whole number")


def _usage_source(field: str, value: Any) -> str:
    if value in USAGE_SOURCES:
        return str(value)
    raise _refuse(field, value, f"one of {', '.join(USAGE_SOURCES)}")


def _count(field: str, value: Any) -> int:
    number: Any = value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        number = int(value.strip().partition(".")[0])
    whole = isinstance(number, int | float) and not isinstance(number, bool)
    if whole and 0 <= number <= MAX_TOKENS and number == int(number):
        return int(number)
    raise _refuse(field, value, f"a whole number from 0 to {MAX_TOKENS}")


def _number(field: str, value: Any) -> int | float:
    number: Any = value
    most = MAX_COST if field == "cost_estimate" else MAX_SECONDS
    if isinstance(value, str) and _DECIMAL.fullmatch(value.strip()):
        number = float(value)
    if isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= most:
        return number
    raise _refuse(field, value, f"a number from 0 to {most}")


def _truth(field: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    truth = _TRUTHS.get(str(value).strip().lower())
    if truth is None:
        raise _refuse(field, value, "true or false")
    return truth


def _scalar(field: str, value: Any) -> str | int | float | bool:
    if isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value
    raise _refuse(field, value, "text, a number, true or false")


def _object(field: str, value: Any) -> dict[str, Any]:
    fields = _from_json(value)
    if not isinstance(fields, Mapping):
        raise _refuse(field, value, "a JSON object")
    if "timestamp" in fields:
        # A reader salvages glued lines by the first thing that looks like their beginning.
        raise ValueError(f"{field} has a key called timestamp, which is the record's own")
    return {
        name: _scalar(f"{field}.{name}", inner)
        for name, inner in fields.items()
        if inner is not None
    }


def _names(field: str, value: Any) -> list[str]:
    names = _from_json(value)
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    raise _refuse(field, value, "a JSON list of texts")


def _from_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


_CONVERTERS: Final[Mapping[str, _Converter]] = {
    "user_id": _user,
    "prompt_tokens": _count,
    "completion_tokens": _count,
    "total_tokens": _count,
    "cache_read_tokens": _count,
    "cache_write_tokens": _count,
    "reasoning_tokens": _count,
    "items": _count,
    "dropped": _count,
    "cost_estimate": _number,
    "response_time": _number,
    "success": _truth,
    "usage_source": _usage_source,
    "usage": _object,
    "price_context": _object,
    "tags": _object,
    "truncated": _names,
}
"""By field; every other one is text."""
