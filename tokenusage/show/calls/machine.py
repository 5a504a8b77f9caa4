"""Calls for programs: JSON with a versioned schema, and CSV that loads as it is."""

import csv
from dataclasses import fields
from datetime import tzinfo
from io import StringIO
from typing import Any, Final

from tokenusage.analyse.calls import Call, Calls
from tokenusage.show.calls.cells import local_time
from tokenusage.show.document import question, to_json
from tokenusage.show.inert import inert_csv
from tokenusage.show.numbers import plain

SCHEMA: Final = "tokenusage.calls/1"

_NAMES: Final = tuple(field.name for field in fields(Call))


def render_json(calls: Calls) -> str:
    """Return a page of calls as JSON."""
    zone = calls.query.period.zone
    return to_json(
        {
            "schema": SCHEMA,
            **question(calls.query),
            "order": calls.page.order,
            "limit": calls.page.limit,
            "page": calls.page.number,
            "pages": calls.pages,
            "calls": calls.calls,
            "exact": calls.is_exact,
            "cache_hits": calls.cache_hits,
            "rows": [_values(call, zone) for call in calls.rows],
            "ledger": calls.ledger.as_dict(),
        }
    )


def render_csv(calls: Calls) -> str:
    """Return a page of calls as CSV: a line of column names, then one line a call.

    An unknown value is an empty cell.
    """
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write(_NAMES)
    for call in calls.rows:
        write(map(_cell, _values(call, calls.query.period.zone).values()))
    return text.getvalue()


def _values(call: Call, zone: tzinfo) -> dict[str, Any]:
    """Return the fields of a call, its time as ISO 8601 with the zone's offset."""
    values = {name: getattr(call, name) for name in _NAMES}
    time = local_time(call.time, zone).isoformat(timespec="microseconds")
    return values | {"time": time}


def _cell(value: str | float | bool | None) -> str:  # noqa: FBT001 - a value, not a switch
    if isinstance(value, bool):
        return str(value).lower()
    return inert_csv(value) if isinstance(value, str) else plain(value)
