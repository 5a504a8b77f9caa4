"""The rates are genai-prices' own: held against it for its whole list."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
    Usage,
)
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.price.pricer import Pricer
from tokenusage.price.rates import Rate, divide_half_even, list_rate, list_window, own_rate
from tokenusage.price.table import BEGINNING, END, OwnRates
from tokenusage.record import PICO

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
TOKENS = 1_000_003


def constraints(model: ModelInfo) -> list[StartDateConstraint | TimeOfDateConstraint]:
    prices = model.prices if isinstance(model.prices, list) else []
    found = [p.constraint for p in prices] + [v.constraint for v in model.price_variants or ()]
    return [constraint for constraint in found if constraint]


def moments(model: ModelInfo) -> Iterator[datetime]:
    """Yield both sides of every change of a model's price, and the present."""
    changes = {NOW}
    for constraint in constraints(model):
        if isinstance(constraint, StartDateConstraint):
            changes.add(datetime.combine(constraint.start_date, time(), UTC))
        else:
            changes.add(datetime.combine(NOW, constraint.start_time))
            changes.add(datetime.combine(NOW, constraint.end_time))
    for change in sorted(changes):
        yield from (change - MICROSECOND, change)


def contexts(model: ModelInfo) -> list[dict[str, str]]:
    """Return no context, each one that has a price of its own, and two of them together."""
    found = [dict(variant.when) for variant in model.price_variants or ()]
    return [{}, *found, {key: value for when in found for key, value in when.items()}]


def mixes(model: ModelInfo) -> Iterator[dict[str, int]]:
    """Yield counts of calls on both sides of every cliff."""
    prices = [p.prices for p in model.prices] if isinstance(model.prices, list) else [model.prices]
    starts = {
        tier.start
        for price in [*prices, *(variant.prices for variant in model.price_variants or ())]
        for value in vars(price).values()
        if isinstance(value, TieredPrices)
        for tier in value.tiers
    }
    yield {}
    for prompt in {7, TOKENS, *starts, *(start + 1 for start in starts)}:
        yield {"prompt": prompt, "completion": 1009}
        yield {
            "prompt": prompt,
            "completion": 1009,
            "read": prompt // 3,
            "write": prompt // 5,
            "hour": prompt // 7,
            "reasoning": 503,
        }


def usage(mix: dict[str, int]) -> Usage:
    return Usage(
        input_tokens=mix.get("prompt", 0),
        output_tokens=mix.get("completion", 0),
        cache_read_tokens=mix.get("read", 0),
        cache_write_tokens=mix.get("write", 0),
        cache_write_1h_tokens=mix.get("hour", 0),
        output_reasoning_tokens=mix.get("reasoning", 0),
    )


def record(
    model: str, provider: str, context: dict[str, str], mix: dict[str, int]
) -> dict[str, Any]:
    return {
        "model_name": model,
        "provider": provider,
        "price_context": context,
        "prompt_tokens": mix.get("prompt", 0),
        "completion_tokens": mix.get("completion", 0),
        "cache_read_tokens": mix.get("read", 0),
        "cache_write_tokens": mix.get("write", 0),
        "reasoning_tokens": mix.get("reasoning", 0),
        "usage": {"cache_write_1h_tokens": mix.get("hour", 0)},
    }


def pico(dollars: Decimal) -> int:
    exact = Fraction(dollars) * PICO
    return divide_half_even(exact.numerator, exact.denominator)


def is_charged_by_tokens(price: ModelPrice) -> bool:
    units = {key for key, value in vars(price).items() if value is not None}
    return not units or bool(units & {"input_mtok", "output_mtok"})


@pytest.mark.slow
def test_every_list_price_is_genai_prices_own() -> None:
    """Models, contexts, mixes of tokens, sides of a change: all cost what genai-prices says."""
    compared = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            pricer = Pricer()
            # The patterns of some models do not fit their ids.
            found = provider.find_model(model.id, all_providers=get_snapshot().providers) or model
            for at in moments(model):
                for context in contexts(model):
                    for mix in mixes(model):
                        cost, _ = pricer.price(record(model.id, provider.id, context, mix), at)
                        genai = found.calc_price(
                            usage(mix),
                            provider,
                            genai_request_timestamp=at,
                            price_context=context,
                        )
                        where = (provider.id, model.id, at, context, mix)
                        if is_charged_by_tokens(genai.model_price):
                            assert cost == pico(genai.total_price) / PICO, where
                        else:
                            # genai-prices says 0, which nobody charges.
                            assert genai.total_price == 0, where
                            assert cost is None, where
                        compared += 1
    assert compared > 20_000


@pytest.mark.slow
def test_a_price_holds_to_the_microsecond() -> None:
    """Inside a window the price is one and the same; at its end a condition changes."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            limits = constraints(model)
            for at in moments(model) if limits else ():
                for context in contexts(model):
                    since, until = list_window(model, context, at)
                    price = model.get_prices(at, context)
                    assert since <= at < until
                    for inside in {max(since, at - timedelta(1)), min(until, END) - MICROSECOND}:
                        assert model.get_prices(inside, context) == price
                    if until != END:
                        before = [limit.active(until - MICROSECOND) for limit in limits]
                        assert before != [limit.active(until) for limit in limits]


def test_the_window_of_a_price_by_the_hour() -> None:
    """A time of day ends a window today or tomorrow, also across midnight and in other zones."""
    nightly = TimeOfDateConstraint(time(22, tzinfo=UTC), time(6, tzinfo=UTC))
    prices = [
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(2))),
        ConditionalPrice(nightly, prices=ModelPrice(input_mtok=Decimal(1))),
    ]
    night = ModelInfo(id="owl", match=ClauseEquals("owl"), prices=prices)
    day = datetime(2026, 11, 22, tzinfo=UTC)
    evening = (day.replace(hour=22), day.replace(day=23, hour=6))
    assert list_window(night, {}, day.replace(hour=23)) == evening
    assert list_window(night, {}, day.replace(hour=12)) == (day.replace(hour=6), evening[0])
    assert list_window(night, {}, day) == (day.replace(day=21, hour=22), day.replace(hour=6))


def test_a_fixed_price_has_no_window() -> None:
    """Without conditions a price holds from the beginning to the end."""
    model = next(m for p in get_snapshot().providers for m in p.models if m.id == "gpt-4o-mini")
    assert list_window(model, {}, NOW) == (BEGINNING, END)


def test_a_cliff_charges_the_whole_call() -> None:
    """One token above the start of a tier, all tokens cost its rate; at the start none does."""
    rate = list_rate(
        ModelPrice(
            input_mtok=TieredPrices(Decimal(1), [Tier(100, Decimal(2))]), output_mtok=Decimal(3)
        ),
        Decimal(0),
    )
    assert rate
    assert rate.cost(100, 1) == 100 * 10**6 + 3 * 10**6
    assert rate.cost(101, 1) == 101 * 2 * 10**6 + 3 * 10**6


def test_a_discount_stays_exact() -> None:
    """15 % off 0.15 dollars per million is 127 500 picodollars a token, without drift."""
    price = ModelPrice(input_mtok=Decimal("0.15"), output_mtok=Decimal("0.60"))
    rate = list_rate(price, Decimal("0.15"))
    assert rate
    assert (rate.base.prompt, rate.base.completion, rate.denominator) == (127_500, 510_000, 1)


def test_a_price_finer_than_a_picodollar_is_rounded_once() -> None:
    """A third of a picodollar a token adds up before it is rounded, half to even."""
    rate = list_rate(
        ModelPrice(input_mtok=Decimal("0.0000005"), output_mtok=Decimal(0)), Decimal(0)
    )
    assert rate
    assert [rate.cost(tokens, 0) for tokens in (1, 2, 3, 5, 1000)] == [0, 1, 2, 2, 500]


def test_own_rates_default_to_what_contains_them() -> None:
    """Cache and reasoning without a price of their own cost prompt and completion."""
    plain = own_rate(OwnRates(Decimal(1), Decimal(2)))
    assert (
        plain.cost(10, 5, cache_read=3, cache_write=2, cache_write_1h=1, reasoning=4) == 20 * 10**6
    )
    written = own_rate(OwnRates(Decimal(1), Decimal(2), cache_write=Decimal(3)))
    assert written.base.cache_write_1h == 3 * 10**6


@given(
    st.tuples(*[st.integers(0, 10**6)] * 6),
    st.tuples(*[st.integers(0, 10**9)] * 6),
)
def test_cost_adds_up_over_the_kinds_of_tokens(
    counts: tuple[int, ...], prices: tuple[int, ...]
) -> None:
    """The cost is each token's own rate, whatever contains it."""
    read, write, hour, plain, reasoning, answer = counts
    own = OwnRates(*(Decimal(price).scaleb(-6) for price in prices))
    rate: Rate = own_rate(own)
    cost = rate.cost(
        plain + read + write + hour,
        answer + reasoning,
        cache_read=read,
        cache_write=write + hour,
        cache_write_1h=hour,
        reasoning=reasoning,
    )
    order = (plain, answer, read, write, hour, reasoning)
    assert cost == sum(count * price for count, price in zip(order, prices, strict=True))
