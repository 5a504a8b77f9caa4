"""A quote: what calls of one kind cost during one span of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

from genai_prices.data_units import unit_data
from genai_prices.types import ModelPrice, Usage

from tokenusage.price.names import Listing
from tokenusage.price.rates import Rate, divide_half_even
from tokenusage.price.table import PriceRule
from tokenusage.record import MAX_COST, PICO, Record

ONE_HOUR: Final = "cache_write_1h_tokens"
"""The one unit of a record's `usage` that is tokens with a rate."""

MAX_PICO: Final = MAX_COST * PICO
"""The highest cost that a record can hold, in picodollars."""

GUESSED: Final = ("estimated", "partial")
"""Sources of usage that are not the provider's word: no tokens by them are no free call."""

_UNITS: Final = unit_data.keys() - {"requests"}
"""What genai-prices can charge and can be told; the request itself it counts."""

_OWN_FIELDS: Final = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
}
"""genai-prices' units that are fields of the record."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call of one model, provider, service tier and price context costs."""

    source: str | None
    """`cost_source` of the calls; None where the price is unknown."""
    rate: Rate | None
    """The price of tokens; None where it is unknown or the model is charged otherwise."""
    listing: Listing | None
    """The entry of the price list, whether or not it decides."""
    rule: PriceRule | None
    """The user's own rule that applies."""
    context: Mapping[str, str]
    """The price context with which the list is asked."""
    since: datetime
    until: datetime
    """First moment at which the quote may no longer hold."""

    @property
    def is_own(self) -> bool:
        """Whether it is the user's own rates, which are the whole price of a call."""
        return self.rule is not None and self.rule.rates is not None

    def cost(self, record: Record, at: datetime) -> int | None:
        """Return the cost of a call in picodollars, half to even; None where it is unknown.

        It is unknown, too, where the counts contradict each other (more cached
        than prompt tokens, more reasoning than completion tokens), where nobody
        knows them (a call that timed out) and where it comes out higher than a
        record can hold.
        """
        prompt = record["prompt_tokens"]
        completion = record["completion_tokens"]
        read = record.get("cache_read_tokens") or 0
        write = record.get("cache_write_tokens") or 0
        reasoning = record.get("reasoning_tokens") or 0
        usage = record.get("usage")
        hour, others = split_usage(usage) if usage else (0, False)
        if read + write > prompt or not 0 <= hour <= write or reasoning > completion:
            return None
        if not (prompt or completion or others) and record.get("usage_source") in GUESSED:
            return None
        if self.rate is None or (others and not self.is_own):
            cost = self._cost_of_units(record, at)
        else:
            cost = self.rate.cost(
                prompt,
                completion,
                cache_read=read,
                cache_write=write,
                cache_write_1h=hour,
                reasoning=reasoning,
            )
        return cost if cost is not None and cost <= MAX_PICO else None

    def _cost_of_units(self, record: Record, at: datetime) -> int | None:
        """Return the cost of a call that is charged for more than tokens, by genai-prices."""
        if self.listing is None or self.source is None:
            return None
        units = reported_units(record)
        try:
            calculation = self.listing.model.calc_price(
                Usage(**units),
                self.listing.provider,
                genai_request_timestamp=at,
                price_context=self.context,
            )
        except (ValueError, ArithmeticError):
            return None  # the counts contradict each other, or are not numbers
        if self.rate is None and not units.keys() & charged_units(calculation.model_price):
            return None
        exact = Fraction(calculation.total_price) * PICO
        if self.rule:
            exact *= 1 - Fraction(self.rule.discount)
        return divide_half_even(exact.numerator, exact.denominator)


def split_usage(usage: Mapping[str, Any]) -> tuple[int, bool]:
    """Return the one-hour cache writes in `usage`, and whether it has other units to charge.

    -1 stands for a count that is none.
    """
    hour = usage.get(ONE_HOUR, 0)
    others = any(unit in _UNITS and unit != ONE_HOUR for unit in usage)
    return hour if type(hour) is int else -1, others


def reported_units(record: Record) -> dict[str, int | float]:
    """Return what a record counts, in genai-prices' names; what it can't charge is left out."""
    units = {unit: n for unit, n in (record.get("usage") or {}).items() if unit in _UNITS}
    for unit, field in _OWN_FIELDS.items():
        if (number := record.get(field)) is not None or unit not in units:
            units[unit] = number or 0
    return units


def charged_units(price: ModelPrice) -> set[str]:
    """Return the units that a list price has a price for."""
    priced = {key for key, value in vars(price).items() if value is not None}
    return {unit for unit, about in unit_data.items() if about["price_key"] in priced}
