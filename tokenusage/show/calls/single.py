"""One call whole, as it was logged."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import Any, Final

import orjson

from tokenusage.keep.lookup import Found
from tokenusage.record import FIELDS, Record
from tokenusage.show.document import to_json
from tokenusage.show.inert import escape_markdown, inert, inert_csv, inert_json
from tokenusage.show.words import directory_text

SCHEMA: Final = "tokenusage.call/1"

_UNITS: Final = {
    "prompt_tokens": "tokens",
    "completion_tokens": "tokens",
    "total_tokens": "tokens",
    "cache_read_tokens": "tokens",
    "cache_write_tokens": "tokens",
    "reasoning_tokens": "tokens",
    "cost_estimate": "US dollars",
    "response_time": "seconds",
    "dropped": "records",
}

_INSIDE: Final = frozenset({"usage", "price_context", "tags"})
"""Objects whose members are shown one by one."""


def render_json(found: Found) -> str:
    """Return a call as JSON: the record as it was logged, and where."""
    document = {
        "schema": SCHEMA,
        "file": found.file,
        "line": found.line,
        "call": found.record,
    }
    try:
        return to_json(document)
    except orjson.JSONEncodeError:
        # An integer beyond 64 bits in a field that nobody here knows.
        return inert_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def render_csv(found: Found) -> str:
    """Return a call as CSV: a line for each field, with its value and its unit."""
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(("field", "value", "unit"))
    for row in members(found.record):
        write(map(inert_csv, row))
    return text.getvalue()


def render_markdown(found: Found, logs: str) -> str:
    """Return a call as a Markdown section."""
    lines = [f"## {escape_markdown(title(found, logs))}", "", "| Field | Value |", "| --- | --- |"]
    for name, value, unit in members(found.record):
        cells = [inert(name), inert(f"{value} {unit}".strip())]
        lines.append(f"| {' | '.join(map(escape_markdown, cells))} |")
    return "\n".join(lines) + "\n"


def title(found: Found, logs: str) -> str:
    """Return where a call stands."""
    place = inert(found.file) + ("" if found.line is None else f":{found.line}")
    return f"Call · {directory_text(logs)}{place}"


def members(record: Record) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and unit of every field, in the order of the record's own fields."""
    known = [name for name in FIELDS if name in record]
    for name in [*known, *(name for name in record if name not in FIELDS)]:
        value = record[name]
        if name in _INSIDE and isinstance(value, dict):
            for key, member in value.items():
                yield f"{name}.{key}", _text(member), ""
        else:
            yield name, _text(value), "" if value is None else _UNITS.get(name, "")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
