"""`load`: the logs as a pandas DataFrame, for questions that the reports don't answer."""

import json
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from tokenusage.analyse.filters import passing
from tokenusage.analyse.period import find_zone, make_period
from tokenusage.analyse.plan import plan, since_epoch
from tokenusage.analyse.query import Query, filters_of
from tokenusage.read.columns import FIELD_OF, SHORT_OF
from tokenusage.read.gather import gather
from tokenusage.read.scan import Scan
from tokenusage.read.shape import category
from tokenusage.record import FIELDS

_CATEGORIES: Final = frozenset(
    {
        "user_id",
        "operation_type",
        "model_name",
        "provider",
        "session_id",
        "task_id",
        "batch_id",
        "cache",
        "service_tier",
        "usage_source",
        "cost_source",
        "user_email",
    }
)
_OBJECTS: Final = ("usage", "price_context", "tags", "truncated")
_NULLABLE: Final = {
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.string(): pd.StringDtype(),
}


def load(  # noqa: PLR0917 - the order is part of the interface
    logs: str | Path = "logs",
    days: int = 30,
    since: str | date | None = None,
    until: str | date | None = None,
    user_id: int | str | None = None,
    operation_type: str | None = None,
    model_name: str | None = None,
    naive_timezone: str | tzinfo = "UTC",
) -> pd.DataFrame:
    """Load the records of a period as a DataFrame, a row each, duplicates counted once.

    Args:
        logs: the log directory.
        days: the last so many calendar days (UTC), today included; ignored where
            `since` or `until` is given.
        since: first day, a date or ``YYYY-MM-DD``.
        until: last day, inclusive.
        user_id: only calls of this user; 123 and "123" are one.
        operation_type: only calls of this operation.
        model_name: only calls of this model; a glob such as ``gpt-4o*`` will do.
        naive_timezone: zone of timestamps that have none.

    Returns:
        The columns, in this order:

        - `timestamp`: datetime64[us, UTC], when the call ended
        - `user_id`, `operation_type`, `model_name`: category of text
        - `query`, `error_message`: text, <NA> where there is none
        - `prompt_tokens`, `completion_tokens`, `total_tokens`: Int64
        - `cost_estimate`: Float64, US dollars; <NA> is unknown, never 0
        - `response_time`: Float64, seconds
        - `success`: bool
        - `id`, `response_id`: text
        - `provider`, `session_id`, `task_id`, `batch_id`, `cache`, `service_tier`,
          `usage_source`, `cost_source`, `user_email`: category of text
        - `items`, `cache_read_tokens`, `cache_write_tokens`, `reasoning_tokens`,
          `dropped`: Int64
        - `usage`, `price_context`, `tags`: dict, `truncated`: list; None where there is none

        Cache hits (`cache` is set) are rows too; they are no calls. The account of
        what was read is in ``frame.attrs["ledger"]``, a dict.

    Raises:
        LogsError: the directory does not exist or can't be read.
        WrongUseError: a date is none, or `days` is less than 1.
    """
    now = datetime.now(UTC)
    first, last = (None if day is None else str(day) for day in (since, until))
    between = first is not None or last is not None
    period = make_period(now=now, days=None if between else days, since=first, until=last)
    zone = find_zone(naive_timezone)[0] if isinstance(naive_timezone, str) else naive_timezone
    filters = filters_of(user_id, operation_type, model_name)
    wanted = plan(Query(period, filters), naive_zone=zone, now=now, also=FIELDS)
    scan = Scan(Path(logs), wanted, _fields)
    table, _, ledger, _ = gather(scan, start=since_epoch(period.start), end=since_epoch(period.end))
    table = passing(table, filters, ledger)
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(types_mapper=_NULLABLE.get)
    ledger.estimated = int((frame["usage_source"] == "estimated").sum())
    frame = frame.rename(columns={"time": "timestamp", **FIELD_OF})
    frame["timestamp"] = pd.to_datetime(frame["timestamp"].to_numpy("int64"), unit="us", utc=True)
    frame["success"] = frame["success"].astype(bool)
    for name in _OBJECTS:
        objects: Any = [None if pd.isna(text) else _object(text) for text in frame[name]]
        frame[name] = objects
    frame = frame[list(FIELDS)]
    frame.attrs["ledger"] = ledger.as_dict()
    return frame


def _object(text: str) -> dict[str, Any] | list[Any] | None:
    """Return the object that was logged; None for what is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict | list) else None


def _fields(table: pa.Table, _fields: tuple[str, ...]) -> pa.Table:
    """Keep the fields of records as they are, the repeating ones as categories."""
    columns = {
        SHORT_OF.get(name, name): category(table[name]) if name in _CATEGORIES else table[name]
        for name in table.column_names
    }
    columns["time"] = columns.pop("timestamp")
    return pa.table(columns)
