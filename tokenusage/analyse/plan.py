"""What has to be read to answer a query; known before pandas is."""

from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

from tokenusage.analyse.query import TIME_DIMENSIONS, Query
from tokenusage.read.columns import FIELD_OF, fields_of
from tokenusage.read.forms import Plan

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_PRICED_BY: Final = frozenset(
    {
        "provider",
        "service_tier",
        "price_context",
        "usage",
        "usage_source",
        "cost_source",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    }
)
"""What a price depends on, besides the model, the tokens and the time."""

_SUMMARISED: Final = frozenset(
    {"day", "week", "month", "year", "user", "email", "operation", "model", "provider"}
)
"""The dimensions that a summary keeps apart; other ones need the records."""


def plan(query: Query, *, naive_zone: tzinfo, now: datetime, also: tuple[str, ...] = ()) -> Plan:
    """Return the days and fields that `query` needs, and the fields in `also`.

    With a zone other than UTC, or naive times that are not UTC, a record may stand
    in the file of the day before or after, and one day more on each side is read.
    """
    names = set(also)
    names |= {name for name in query.by if name not in TIME_DIMENSIONS}
    names |= {name for name, _ in query.filters.where}
    names.update(query.means)
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
        summaries=not also and _summable(query),
        whole_days=_of_whole_days(query),
    )


def _summable(query: Query) -> bool:
    """Return whether the sums that summaries keep answer `query`, for whole days."""
    fields = {FIELD_OF.get(name, name) for name, _ in query.filters.where}
    return (
        query.cost == "logged"
        and not query.percentiles
        and not query.means
        and _SUMMARISED.issuperset(query.by)
        and fields <= {FIELD_OF.get(name, name) for name in _SUMMARISED}
    )


def _of_whole_days(query: Query) -> bool:
    """Return whether `query` tells apart no two moments of a UTC day."""
    period = query.period
    bounds = [bound.astimezone(UTC).time() for bound in (period.start, period.end) if bound]
    apart = not query.by or not TIME_DIMENSIONS.isdisjoint(query.by)
    return all(bound == time.min for bound in bounds) and (str(period.zone) == "UTC" or not apart)


def since_epoch(moment: datetime | None) -> int | None:
    """Return a moment as microseconds since the epoch."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)
