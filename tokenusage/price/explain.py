"""Why a call costs what it costs: the price that applies, where it is from, the arithmetic."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from difflib import get_close_matches
from typing import Final

from genai_prices.types import ModelPrice

from tokenusage.errors import WrongUseError
from tokenusage.price.names import find_provider, known_names
from tokenusage.price.pricer import Pricer
from tokenusage.price.quote import ONE_HOUR, Quote
from tokenusage.price.rates import RATE_KEYS, Rate, UnitRates
from tokenusage.price.table import BEGINNING, END
from tokenusage.record import PICO

UNITS: Final = (
    "prompt",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "completion",
    "reasoning",
    "request",
)
"""Kinds of tokens in the order in which they are shown; `request` is the call itself."""

_MILLION: Final = 10**6
_NEAR: Final = 5
_EXACT: Final = 60
"""Digits that hold every rate and cost without rounding."""


@dataclass(frozen=True, slots=True)
class Band:
    """The rates of calls with more prompt tokens than `above`, by unit.

    US dollars per 1 000 000 tokens; `request` is US dollars per call.
    """

    above: int
    rates: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class CostLine:
    """So many tokens at one rate; the lines of a call add up to its cost exactly."""

    unit: str
    tokens: int
    """Tokens charged at this rate alone: cached ones are not in `prompt` again."""
    rate: Decimal
    """US dollars per 1 000 000 tokens, or per call for `request`."""
    cost: Decimal
    """US dollars."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The price of a model at a moment, and why it is that."""

    model: str
    provider: str | None
    """As asked."""
    at: datetime
    source: str | None
    """`cost_source` of such calls; None where the price is unknown."""
    reasons: tuple[str, ...]
    """Sentences, in the order in which the price was found."""
    listed_as: str | None
    """``provider/model`` in the price list, where it has the model."""
    since: datetime | None
    """When this price began to hold; None where no beginning is known."""
    until: datetime | None
    """First moment at which it may no longer hold; None where no end is known."""
    bands: tuple[Band, ...]
    other_units: str | None
    """What else the list charges for, as text."""
    variants: tuple[str, ...]
    """Conditions for which the list has other prices, such as ``processing=batch``."""
    near: tuple[str, ...]
    """Known models with a similar name, where the price is unknown."""
    lines: tuple[CostLine, ...] | None
    """The arithmetic; None where no tokens were given, or they have no price."""

    @property
    def total(self) -> Decimal | None:
        """US dollars of the call; None where there are no lines."""
        return None if self.lines is None else sum((x.cost for x in self.lines), Decimal(0))


def explain(
    pricer: Pricer,
    model: str,
    at: datetime,
    *,
    provider: str | None = None,
    service_tier: str | None = None,
    context: Mapping[str, str] | None = None,
    tokens: Mapping[str, int] | None = None,
) -> Explanation:
    """Return which price applies to a model at a moment, and what tokens cost at it.

    Args:
        pricer: The prices to explain.
        model: A name as calls are logged under.
        at: A moment, with its zone.
        provider: As calls are logged with.
        service_tier: Such as ``flex`` or ``priority``.
        context: What else decides the price, such as ``{"processing": "batch"}``.
        tokens: Counts of a call by their names in a record (``prompt_tokens``,
            ``cache_read_tokens``, ...), inclusive; None asks for no arithmetic.

    Raises:
        WrongUseError: the tokens contradict each other.
    """
    quote = pricer.quote(model, provider, service_tier, context, at)
    listing = quote.listing
    tier = {"service_tier": service_tier} if service_tier else {}
    asked = ", ".join(f"{key}={value}" for key, value in {**tier, **(context or {})}.items())
    return Explanation(
        model=model,
        provider=provider,
        at=at,
        source=quote.source,
        reasons=tuple(_reasons(pricer, quote, model, provider, asked=asked, at=at)),
        listed_as=f"{listing.provider.id}/{listing.model.id}" if listing else None,
        since=None if quote.since == BEGINNING else quote.since,
        until=None if quote.until == END else quote.until,
        bands=_bands(quote.rate) if quote.rate else (),
        other_units=_other_units(quote, at),
        variants=_variants(quote),
        near=() if quote.source else _near(model, provider),
        lines=_lines(quote.rate, tokens) if quote.rate and tokens is not None else None,
    )


def _reasons(
    pricer: Pricer, quote: Quote, model: str, provider: str | None, *, asked: str, at: datetime
) -> list[str]:
    reasons = []
    if target := pricer.table.alias(model):
        reasons.append(f"{model} is an alias of {target}.")
    rule, listing = quote.rule, quote.listing
    if rule and rule.rates:
        return [*reasons, f"The price is your own: prices entry {rule.number}, {rule.model}."]
    if listing is None:
        if provider and find_provider(provider) is None:
            return [*reasons, f"The price list has no provider {provider}."]
        return [*reasons, f"The price list has no model {target or model}."]
    if listing.own:
        reasons.append(f"{listing.provider.name} lists it as {listing.model.id}.")
    else:
        reasons.append(f"{listing.provider.name} sells {listing.model.id} at its vendor's price.")
    if rule:
        percent = f"{rule.discount * 100:f}".rstrip("0").rstrip(".")
        reasons.append(f"Your own discount of {percent}% is off: prices entry {rule.number}.")
    if asked:
        standard = listing.model.get_prices(at)
        if listing.model.get_prices(at, quote.context) == standard:
            reasons.append(f"There is no other price for {asked}: the standard one applies.")
        else:
            reasons.append(f"The price for {asked} applies.")
    if quote.rate is None:
        reasons.append("It is not charged by tokens: calls without the other units are unpriced.")
    return reasons


def _bands(rate: Rate) -> tuple[Band, ...]:
    def dollars(rates: UnitRates) -> dict[str, Decimal]:
        return {unit: _dollars(rate, rates, unit) for unit in UNITS}

    return (
        Band(0, dollars(rate.base)),
        *(Band(start, dollars(rates)) for start, rates in rate.tiers),
    )


def _dollars(rate: Rate, rates: UnitRates, unit: str) -> Decimal:
    """Return a rate in US dollars per 1 000 000 tokens, or per request: exactly."""
    units = 1 if unit == "request" else _MILLION
    with localcontext(prec=_EXACT):
        return Decimal(getattr(rates, unit)) * units / (PICO * rate.denominator)


def _lines(rate: Rate, tokens: Mapping[str, int]) -> tuple[CostLine, ...]:
    counts = _apart(tokens)
    rates = rate.at(tokens.get("prompt_tokens", 0))
    lines = []
    for unit in UNITS:
        if not counts[unit] or (unit == "request" and not rates.request):
            continue
        with localcontext(prec=_EXACT):
            cost = Decimal(counts[unit] * getattr(rates, unit)) / (PICO * rate.denominator)
        lines.append(CostLine(unit, counts[unit], _dollars(rate, rates, unit), cost))
    return tuple(lines)


def _apart(tokens: Mapping[str, int]) -> dict[str, int]:
    """Return how many tokens each unit is charged for, none of them twice."""
    prompt, completion = tokens.get("prompt_tokens", 0), tokens.get("completion_tokens", 0)
    read, write = tokens.get("cache_read_tokens", 0), tokens.get("cache_write_tokens", 0)
    hour, reasoning = tokens.get(ONE_HOUR, 0), tokens.get("reasoning_tokens", 0)
    if read + write > prompt:
        raise WrongUseError(
            f"Cached tokens are part of the prompt tokens: {read + write} can't be of {prompt}."
        )
    if hour > write:
        raise WrongUseError(
            f"One-hour writes are part of the cache writes: {hour} can't be of {write}."
        )
    if reasoning > completion:
        raise WrongUseError(
            f"Reasoning is part of the completion tokens: {reasoning} can't be of {completion}."
        )
    return {
        "prompt": prompt - read - write,
        "cache_read": read,
        "cache_write": write - hour,
        "cache_write_1h": hour,
        "completion": completion - reasoning,
        "reasoning": reasoning,
        "request": 1,
    }


def _other_units(quote: Quote, at: datetime) -> str | None:
    """Return what the list charges besides tokens and requests, in its own words."""
    if quote.listing is None or quote.is_own:
        return None
    price = quote.listing.model.get_prices(at, quote.context)
    others = {key: value for key, value in vars(price).items() if value and key not in RATE_KEYS}
    return str(ModelPrice(**others)) or None


def _variants(quote: Quote) -> tuple[str, ...]:
    if quote.listing is None or not quote.listing.own or quote.is_own:
        return ()
    found = (
        ", ".join(f"{key}={value}" for key, value in variant.when.items())
        for variant in quote.listing.model.price_variants or ()
        if vars(variant.prices)
    )
    return tuple(dict.fromkeys(found))


def _near(model: str, provider: str | None) -> tuple[str, ...]:
    names = dict.fromkeys(known_names(provider))
    return tuple(get_close_matches(model.lower(), names, n=_NEAR, cutoff=0.6))
