"""The cost of a record: given, nothing for a cache hit, or what the pricer says."""

from datetime import datetime
from logging import WARNING
from typing import Protocol

from tokenusage.record import MAX_COST, Record
from tokenusage.write.announce import tell
from tokenusage.write.checks import as_cost


class PriceSource(Protocol):
    """Whoever knows what a call costs."""

    def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:
        """Return the cost of `record` at the moment `at` in US dollars, and who says so.

        (None, None) where it is unknown.
        """


def add_cost(record: Record, at: datetime, pricer: PriceSource) -> None:
    """Add the cost of a call that ended at `at`, and who says it; null where it is unknown."""
    if record["cost_estimate"] is not None:
        record.setdefault("cost_source", "provider")
        return
    if "cache" in record:
        record["cost_estimate"] = 0.0  # no call was made
        return
    try:
        cost, source = pricer.price(record, at)
        if cost is not None:
            if not 0 <= cost <= MAX_COST:
                cost = as_cost("cost_estimate", cost)  # no reader would take the line
            record["cost_estimate"] = cost
            record["cost_source"] = source
    except Exception as error:
        # A record without a cost is worth more than none.
        tell(WARNING, "%r has no price (%s)", record["model_name"], type(error).__name__)
