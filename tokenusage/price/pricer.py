"""What a call costs, and by whose word: own price, then genai-prices, then unknown."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import genai_prices
from genai_prices.data_snapshot import get_snapshot

from tokenusage.price.names import Listing, find_listing, find_provider
from tokenusage.price.quote import Quote
from tokenusage.price.rates import list_rate, list_window, own_rate
from tokenusage.price.table import PriceRule, PriceTable
from tokenusage.record import PICO, Record

LIST_SOURCE: Final = f"genai-prices {genai_prices.__version__}"
"""`cost_source` of a list price: the list, and which one."""

OWN_SOURCE: Final = "override"
"""`cost_source` of the user's own price or discount."""

_FAST: Final = ("speed", "fast")
"""What is asked of Anthropic for several times the price."""

MAX_QUOTES: Final = 1024
"""Quotes that are remembered: a program uses a few, and only a hostile one makes up models."""

# No price changes in these years, and the days around a moment can be counted from them.
_FIRST: Final = datetime(2, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9998, 1, 1, tzinfo=UTC)

_Context = tuple[tuple[str, str], ...]


class Pricer:
    """Prices calls; remembers the rate of each kind of call until it expires.

    A kind is everything that decides a rate: model, provider, service tier and
    price context. Safe to use from several threads.
    """

    def __init__(self, table: PriceTable | None = None) -> None:
        get_snapshot()  # the list's data, so that the first price need not wait for it
        self.table = _resolved(table or PriceTable())
        self._quotes: dict[tuple[str, str | None, str | None, _Context], Quote] = {}

    def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:
        """Return the cost of a call in US dollars, and its `cost_source`.

        (None, None) where the price is unknown, or the record's counts
        contradict each other.

        Args:
            record: A whole record of a call that was made (a cache hit costs nothing).
            at: When the call was made, with its zone.
        """
        context = record.get("price_context")
        # The same look-up as in quote(), which would cost a third of the time again.
        key = (
            record["model_name"],
            record.get("provider"),
            record.get("service_tier"),
            _frozen(context) if context else (),
        )
        quote = self._quotes.get(key)
        if quote is None or not quote.since <= at < quote.until:
            quote = self._remember(key, at)
        cost = quote.cost(record, at)
        # An integer divided by a power of ten is the nearest float there is.
        return (None, None) if cost is None else (cost / PICO, quote.source)

    def quote(
        self,
        model: str,
        provider: str | None,
        service_tier: str | None,
        context: Mapping[str, Any] | None,
        at: datetime,
    ) -> Quote:
        """Return what such calls cost at a moment, and from when until when."""
        key = (model, provider, service_tier, _frozen(context) if context else ())
        quote = self._quotes.get(key)
        if quote is None or not quote.since <= at < quote.until:
            quote = self._remember(key, at)
        return quote

    def listing(self, model: str, provider: str | None) -> Listing | None:
        """Return the entry of the price list for a model, by its alias where it has one."""
        target = self.table.alias(model)
        if target is None:
            return find_listing(model, provider)
        # The alias is the user's word: where the logged provider does not sell
        # the model that it names, the model's own vendor's price is meant.
        return find_listing(target, provider) or find_listing(target, None)

    def _remember(self, key: tuple[str, str | None, str | None, _Context], at: datetime) -> Quote:
        if len(self._quotes) >= MAX_QUOTES:
            self._quotes.clear()
        quote = self._quotes[key] = self._resolve(*key, min(max(at, _FIRST), _LAST))
        return quote

    def _resolve(
        self,
        model: str,
        provider: str | None,
        service_tier: str | None,
        given: _Context,
        at: datetime,
    ) -> Quote:
        listing = self.listing(model, provider)
        rule, since, until = self._rule(model, provider, listing, at)
        context = _price_context(service_tier, dict(given), listing)
        if rule and rule.rates:
            return Quote(OWN_SOURCE, own_rate(rule.rates), listing, rule, context, since, until)
        if listing is None or (_FAST in given and not _has_variant(listing, _FAST)):
            return Quote(None, None, listing, rule, context, since, until)
        first, last = list_window(listing.model, context, at)
        price = listing.model.get_prices(at, context)
        return Quote(
            source=OWN_SOURCE if rule else LIST_SOURCE,
            rate=list_rate(price, rule.discount if rule else 0),
            listing=listing,
            rule=rule,
            context=context,
            since=max(since, first),
            until=min(until, last),
        )

    def _rule(
        self, model: str, provider: str | None, listing: Listing | None, at: datetime
    ) -> tuple[PriceRule | None, datetime, datetime]:
        target = self.table.alias(model)
        names = [model, target] if target else [model]
        providers = [_provider_id(provider)] if provider else []
        if listing:
            providers.append(listing.provider.id)
        return self.table.rule_at(names, providers, at)


def _resolved(table: PriceTable) -> PriceTable:
    """Return the table with providers by the list's ids: a rule fits every spelling."""
    return replace(
        table,
        rules=tuple(
            replace(rule, provider=_provider_id(rule.provider)) if rule.provider else rule
            for rule in table.rules
        ),
    )


def _provider_id(name: str) -> str:
    """Return the list's id of a provider, its name as it is where the list has none."""
    provider = find_provider(name)
    return provider.id if provider else name


def _has_variant(listing: Listing, condition: tuple[str, str]) -> bool:
    """Say whether the list knows what a model costs under a condition."""
    variants = listing.model.price_variants or ()
    return listing.own and any(condition in variant.when.items() for variant in variants)


def _frozen(context: Mapping[str, Any]) -> _Context:
    """Return a price context as a key; the list compares text alone."""
    return tuple(sorted((key, value) for key, value in context.items() if isinstance(value, str)))


def _price_context(
    service_tier: str | None, given: dict[str, str], listing: Listing | None
) -> dict[str, str]:
    """Return what genai-prices is asked with, as it decides between a price's variants."""
    if listing and not listing.own:
        return {}
    if service_tier == "batch":
        # Anthropic reports its batch interface as a service tier; the list knows it as this.
        return {"processing": "batch"} | given
    return {"service_tier": service_tier} | given if service_tier else given
