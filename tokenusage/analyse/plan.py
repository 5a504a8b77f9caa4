"""What has to be read to answer a query; known before pandas is."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from tokenusage.analyse.query import TIME_DIMENSIONS, Query
from tokenusage.read.columns import fields_of
from tokenusage.read.scan import Plan

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_PRICED_BY: Final = frozenset(
    {
        "provider",
        "service_tier",
        "price_context",
        "usage",
        "cost_source",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    }
)
"""What a price depends on, besides the model, the tokens and the time."""


def plan(query: Query, *, naive_zone: tzinfo, now: datetime, also: tuple[str, ...] = ()) -> Plan:
    """Return the days and fields that `query` needs, and the fields in `also`.

    With a zone other than UTC, or naive times that are not UTC, a record may stand
    in the file of the day before or after, and one day more on each side is read.
    """
    names = set(also)
    names |= {name for name in query.by if name not in TIME_DIMENSIONS}
    names |= {name for name, _ in query.filters.where}
    if query.cost != "logged":
        names |= _PRICED_BY
    start, end = query.period.start, query.period.end
    more = timedelta(days=int({str(query.period.zone), str(naive_zone)} != {"UTC"}))
    return Plan(
        first=start.astimezone(UTC).date() - more if start else None,
        last=(end.astimezone(UTC) - timedelta(microseconds=1)).date() + more if end else None,
        fields=fields_of(names),
        naive_zone=naive_zone,
        today=now.astimezone(UTC).date(),
    )


def since_epoch(moment: datetime | None) -> int | None:
    """Return a moment as microseconds since the epoch."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
