"""What has to be read for a summary; known before anything of it is."""

from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Final

from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Filters, Query
from tokenusage.analyse.summary.spans import spans, split_days
from tokenusage.read.columns import fields_of
from tokenusage.read.forms import Plan

_ASKED: Final = ("session", "task", "batch", "cache", "items", "cache_read_tokens")


def plan_summary(query: Query, *, naive_zone: tzinfo, now: datetime) -> Plan:
    """Return what the summary of a query of all time needs.

    Where sums answer a report, they answer the periods. The other sections need details
    beside them, which don't tell users apart: with filters they need records. So do means of
    tags; as percentiles are, they are without the days of which only sums are left.
    """
    report = plan(replace(query, means=()), naive_zone=naive_zone, now=now)
    unfiltered = report.summaries and query.filters == Filters() and not query.means
    return replace(
        report,
        fields=fields_of({*report.fields, *_ASKED, *query.means}),
        whole_days=unfiltered,
        details=unfiltered,
        split=split_days(spans(now, query.period.zone_name), now),
    )
