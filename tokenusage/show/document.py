"""What the JSON documents of all commands have in common."""

from typing import Any

import orjson

from tokenusage.analyse.query import Query
from tokenusage.show.inert import inert_json


def question(query: Query) -> dict[str, Any]:
    """Return the keys that say what a document is about: period, filters and cost."""
    period, filters = query.period, query.filters
    return {
        "period": {
            "start": period.start.isoformat() if period.start else None,
            "end": period.end.isoformat() if period.end else None,
            "timezone": period.zone_name,
        },
        "filters": {
            "user": filters.user,
            "operation": filters.operation,
            "model": filters.model,
            "where": [f"{field}={value}" for field, value in filters.where],
        },
        "cost": query.cost,
    }


def to_json(document: dict[str, Any], *, one_line: bool = False) -> str:
    """Return a document as JSON that does no harm to a terminal, indented or in one line."""
    option = 0 if one_line else orjson.OPT_INDENT_2
    try:
        encoded = orjson.dumps(document, option=option)
    except orjson.JSONEncodeError:
        encoded = orjson.dumps(_encodable(document), option=option)
    return inert_json(encoded.decode()) + "\n"


def _encodable(value: Any) -> Any:
    """Return `value` with the lone surrogates escaped that bytes on a command line turn into."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
