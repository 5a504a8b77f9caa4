"""The price of tokens as integers, so that a call costs a few multiplications.

genai-prices computes a price in about 50 µs; a `Rate` gives the same figure in
less than one. It rests on what the list's prices are: linear in the tokens, at
rates that depend on the number of prompt tokens alone (long-context tiers are
cliffs: above one, the *whole* call is charged at the higher rate). Kinds of
tokens without a rate of their own cost that of the tokens that contain them. A
test holds this against genai-prices for every model in its list.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Final

from genai_prices.types import (
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from tokenusage.price.table import BEGINNING, END, OwnRates

RATE_KEYS: Final = frozenset(
    {
        "input_mtok",
        "output_mtok",
        "cache_read_mtok",
        "cache_write_mtok",
        "cache_write_1h_mtok",
        "output_reasoning_mtok",
        "requests_kcount",
    }
)
"""The prices of genai-prices that a `Rate` covers."""

_PICO_PER_TOKEN: Final = 10**6
"""Picodollars per token in a dollar per 1 000 000 tokens."""

_PICO_PER_REQUEST: Final = 10**9
"""Picodollars per request in a dollar per 1 000 requests."""


@dataclass(frozen=True, slots=True)
class UnitRates:
    """What one token of each kind, and the request itself, costs: 1/denominator picodollars.

    Not what a kind adds to the one that contains it: a cached prompt token costs
    `cache_read` and nothing else.
    """

    prompt: int
    completion: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    reasoning: int
    request: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of tokens under fixed conditions."""

    base: UnitRates
    tiers: tuple[tuple[int, UnitRates], ...] = ()
    """(start, rates) pairs in rising order: rates of calls with more prompt tokens than that."""
    denominator: int = 1
    """1, unless a price is finer than a picodollar per token."""

    def at(self, prompt: int) -> UnitRates:
        """Return the rates of a call with this many prompt tokens."""
        rates = self.base
        for start, dearer in self.tiers:
            if prompt <= start:
                break
            rates = dearer
        return rates

    def cost(
        self,
        prompt: int,
        completion: int,
        *,
        cache_read: int = 0,
        cache_write: int = 0,
        cache_write_1h: int = 0,
        reasoning: int = 0,
    ) -> int:
        """Return the cost of a call in picodollars, rounded half to even.

        The counts are inclusive and consistent: reads and writes are in
        `prompt`, one-hour writes in `cache_write`, reasoning in `completion`.
        """
        rates = self.at(prompt) if self.tiers else self.base
        total = rates.request + prompt * rates.prompt + completion * rates.completion
        if cache_read:
            total += cache_read * (rates.cache_read - rates.prompt)
        if cache_write:
            total += cache_write * (rates.cache_write - rates.prompt)
        if cache_write_1h:
            total += cache_write_1h * (rates.cache_write_1h - rates.cache_write)
        if reasoning:
            total += reasoning * (rates.reasoning - rates.completion)
        return total if self.denominator == 1 else divide_half_even(total, self.denominator)


def divide_half_even(number: int, divisor: int) -> int:
    """Return `number` / `divisor` (positive) rounded to the nearest integer, half to even."""
    quotient, rest = divmod(number, divisor)
    return quotient + (2 * rest > divisor or (2 * rest == divisor and quotient % 2 == 1))


def own_rate(rates: OwnRates) -> Rate:
    """Return the rate of the user's own prices."""
    write = rates.prompt if rates.cache_write is None else rates.cache_write
    return _integer_rate(
        [
            _Dollars(
                prompt=rates.prompt,
                completion=rates.completion,
                cache_read=rates.prompt if rates.cache_read is None else rates.cache_read,
                cache_write=write,
                cache_write_1h=write if rates.cache_write_1h is None else rates.cache_write_1h,
                reasoning=rates.completion if rates.reasoning is None else rates.reasoning,
                request=Decimal(0),
            )
        ],
        [],
        Decimal(0),
    )


def list_rate(price: ModelPrice, discount: Decimal | int) -> Rate | None:
    """Return the rate of a list price less a discount (a fraction).

    None where the model is charged by other units than tokens only, such as
    pages or hours: what its tokens cost says nothing. A list price without any
    unit is that of a free model.
    """
    priced = {key: value for key, value in vars(price).items() if value is not None}
    if priced and not priced.keys() & {"input_mtok", "output_mtok"}:
        return None
    starts = sorted(
        {
            tier.start
            for value in priced.values()
            if isinstance(value, TieredPrices)
            for tier in value.tiers
        }
    )
    segments = [_dollars(priced, prompt) for prompt in (0, *(start + 1 for start in starts))]
    return _integer_rate(segments, starts, discount)


@dataclass(frozen=True, slots=True)
class _Dollars:
    """Rates in US dollars per 1 000 000 tokens and per 1 000 requests."""

    prompt: Decimal
    completion: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_1h: Decimal
    reasoning: Decimal
    request: Decimal


def _dollars(priced: Mapping[str, Decimal | TieredPrices], prompt_tokens: int) -> _Dollars:
    """Return the list's rates for a call with this many prompt tokens."""

    def rate(key: str, otherwise: Decimal) -> Decimal:
        price = priced.get(key)
        if price is None:
            return otherwise
        if isinstance(price, Decimal):
            return price
        passed = [tier.price for tier in price.tiers if prompt_tokens > tier.start]
        return passed[-1] if passed else price.base

    prompt = rate("input_mtok", Decimal(0))
    completion = rate("output_mtok", Decimal(0))
    write = rate("cache_write_mtok", prompt)
    return _Dollars(
        prompt=prompt,
        completion=completion,
        cache_read=rate("cache_read_mtok", prompt),
        cache_write=write,
        cache_write_1h=rate("cache_write_1h_mtok", write),
        reasoning=rate("output_reasoning_mtok", completion),
        request=rate("requests_kcount", Decimal(0)),
    )


def _integer_rate(segments: list[_Dollars], starts: list[int], discount: Decimal | int) -> Rate:
    """Return the rate with the smallest denominator that makes all of it integers."""
    exact = [
        [
            Fraction(getattr(segment, unit)) * scale * (1 - Fraction(discount))
            for unit, scale in _SCALES
        ]
        for segment in segments
    ]
    denominator = lcm(*(value.denominator for values in exact for value in values))
    rates = [UnitRates(*(int(value * denominator) for value in values)) for values in exact]
    return Rate(rates[0], tuple(zip(starts, rates[1:], strict=True)), denominator)


_SCALES: Final = (
    ("prompt", _PICO_PER_TOKEN),
    ("completion", _PICO_PER_TOKEN),
    ("cache_read", _PICO_PER_TOKEN),
    ("cache_write", _PICO_PER_TOKEN),
    ("cache_write_1h", _PICO_PER_TOKEN),
    ("reasoning", _PICO_PER_TOKEN),
    ("request", _PICO_PER_REQUEST),
)


def list_window(
    model: ModelInfo, context: Mapping[str, str], at: datetime
) -> tuple[datetime, datetime]:
    """Return from when until when (excluded) the list price that holds at `at` holds.

    Prices change at midnight UTC of a day, or by the hour, every day. Only the
    conditions that matter in this price context are looked at; the price may
    turn out to be the same on both sides of a change.
    """
    prices = model.prices if isinstance(model.prices, list) else []
    constraints = [price.constraint for price in prices] + [
        variant.constraint
        for variant in model.price_variants or ()
        if all(context.get(key) == value for key, value in variant.when.items())
    ]
    changes = {BEGINNING, END}
    for constraint in constraints:
        changes.update(_changes(constraint, at))
    return next((since, until) for since, until in pairwise(sorted(changes)) if since <= at < until)


def _changes(
    constraint: StartDateConstraint | TimeOfDateConstraint | None, at: datetime
) -> list[datetime]:
    """Return the moments around `at` at which a constraint begins or ceases to hold."""
    if constraint is None:
        return []
    if isinstance(constraint, StartDateConstraint):
        return [datetime.combine(constraint.start_date, time(), UTC)]
    today = at.astimezone(UTC).date()
    return [
        datetime.combine(today + timedelta(days), _utc(edge), UTC)
        for days in (-1, 0, 1)
        for edge in (constraint.start_time, constraint.end_time)
    ]


def _utc(edge: time) -> time:
    """Return a time of day as one of UTC; a naive one is of UTC already."""
    if edge.tzinfo is None:
        return edge
    return datetime.combine(datetime(2000, 1, 2, tzinfo=UTC), edge).astimezone(UTC).time()
