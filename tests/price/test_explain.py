from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import support

from tokenusage.errors import WrongUseError
from tokenusage.price.explain import Explanation, explain
from tokenusage.price.pricer import LIST_SOURCE, OWN_SOURCE, Pricer
from tokenusage.price.table import parse_prices

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def explained(model: str, *entries: dict[str, Any], **options: Any) -> Explanation:
    aliases = options.pop("aliases", {})
    pricer = Pricer(parse_prices({"prices": list(entries), "aliases": aliases}, "x"))
    return explain(pricer, model, NOW, **options)


def test_a_list_price_names_its_entry() -> None:
    """Provider and model as the list calls them, rates, and other prices there are."""
    price = explained("gpt-35-turbo")
    assert (price.source, price.listed_as) == (LIST_SOURCE, "openai/gpt-3.5-turbo")
    assert price.reasons == ("OpenAI lists it as gpt-3.5-turbo.",)
    assert price.bands[0].rates["prompt"] == Decimal("0.5")
    assert price.variants == ("processing=batch",)
    assert (price.since, price.until, price.lines) == (None, None, None)


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("claude-sonnet-4-5", None),
        ("gpt-5.2", None),
        ("sonar", "perplexity"),
        ("gemma-3", "google"),
    ],
)
def test_the_lines_add_up_to_what_is_logged(model: str, provider: str | None) -> None:
    """Tokens times rate is cost in every line, and the sum is the logger's figure, exactly."""
    tokens: dict[str, Any] = {
        "prompt_tokens": 250_001,
        "completion_tokens": 1009,
        "cache_read_tokens": 1003,
        "cache_write_tokens": 509,
        "reasoning_tokens": 503,
    }
    price = explained(model, provider=provider, tokens=tokens)
    assert price.lines is not None
    for line in price.lines:
        unit = 1 if line.unit == "request" else 10**6
        assert line.tokens * line.rate / unit == line.cost
    call = support.record(model_name=model, provider=provider, **tokens)
    assert price.total is not None
    assert float(price.total) == Pricer().price(call, NOW)[0]


def test_tiers_are_bands() -> None:
    """The dearer rates of long contexts stand beside the standard ones."""
    assert [band.above for band in explained("claude-sonnet-4-5").bands] == [0, 200_000]


def test_an_own_price_names_its_entry() -> None:
    """The rule that decides is named by its number and its glob."""
    price = explained("m1", {"model": "m*", "prompt": 1, "completion": 2, "from": "2026-01-01"})
    assert price.source == OWN_SOURCE
    assert price.reasons == ("The price is your own: prices entry 1, m*.",)
    assert price.since == datetime(2026, 1, 1, tzinfo=UTC)


def test_alias_and_discount_are_reasons() -> None:
    """Every step from the logged name to the price is a sentence."""
    price = explained("prod", {"model": "gpt-4o", "discount": 0.125}, aliases={"prod": "gpt-4o"})
    assert price.reasons == (
        "prod is an alias of gpt-4o.",
        "OpenAI lists it as gpt-4o.",
        "Your own discount of 12.5% is off: prices entry 1.",
    )
    assert price.bands[0].rates["prompt"] == Decimal("2.1875")


def test_a_condition_applies_or_does_not() -> None:
    """Batch has a price of its own, or the standard one with a sentence about it."""
    batch = {"processing": "batch"}
    assert "The price for processing=batch applies." in explained("gpt-4o", context=batch).reasons
    (_, sentence) = explained("command-r", context=batch).reasons
    assert sentence == "There is no other price for processing=batch: the standard one applies."


def test_a_borrowed_price_says_whose_it_is() -> None:
    """Azure sells OpenAI's models at OpenAI's price, and has no variants of its own."""
    price = explained("gpt-4o", provider="azure")
    assert price.reasons == ("Microsoft Azure sells gpt-4o at its vendor's price.",)
    assert (price.listed_as, price.variants) == ("azure/gpt-4o", ())


def test_a_price_by_the_hour_says_until_when() -> None:
    """DeepSeek's daytime price ends in the afternoon."""
    price = explained("deepseek-chat")
    assert (price.since, price.until) == (
        datetime(2026, 11, 22, 0, 30, tzinfo=UTC),
        datetime(2026, 11, 22, 16, 30, tzinfo=UTC),
    )


def test_an_unknown_model_has_similar_names() -> None:
    """Nothing is priced, and what was perhaps meant comes first."""
    price = explained("gpt-4o-mni", tokens={"prompt_tokens": 1})
    assert (price.source, price.bands, price.lines, price.total) == (None, (), None, None)
    assert price.near[0] == "gpt-4o-mini"


def test_an_unknown_provider_is_the_reason() -> None:
    """The provider that nobody knows is named, not a price of another one given."""
    assert explained("gpt-4o", provider="vllm").reasons == ("The price list has no provider vllm.",)


def test_other_units_are_named() -> None:
    """What is charged besides tokens, and that tokens alone are not enough."""
    price = explained("whisper-1", tokens={"prompt_tokens": 1})
    assert price.other_units
    assert "audio" in price.other_units
    assert "not charged by tokens" in price.reasons[-1]
    assert price.lines is None


@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        ({"prompt_tokens": 1, "cache_read_tokens": 2}, "Cached tokens"),
        ({"cache_write_1h_tokens": 1}, "One-hour writes"),
        ({"reasoning_tokens": 1}, "Reasoning"),
    ],
)
def test_parts_larger_than_the_whole_are_wrong_use(tokens: dict[str, int], says: str) -> None:
    """Counts that contradict each other are explained, not computed."""
    with pytest.raises(WrongUseError, match=says):
        explained("gpt-4o", tokens=tokens)
