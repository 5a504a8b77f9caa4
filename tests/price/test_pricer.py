import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import support

from tokenusage.price.pricer import LIST_SOURCE, MAX_QUOTES, OWN_SOURCE, Pricer
from tokenusage.price.table import parse_prices

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def cost(pricer: Pricer | None = None, at: datetime = NOW, **fields: Any) -> float | None:
    return (pricer or Pricer()).price(support.record(**fields), at)[0]


def own(*entries: dict[str, Any], **aliases: str) -> Pricer:
    return Pricer(parse_prices({"prices": list(entries), "aliases": aliases}, "x"))


def test_a_call_has_its_list_price() -> None:
    """1 250 and 150 tokens of gpt-4o-mini are 0.0002775 dollars, by the installed list."""
    call = support.record(prompt_tokens=1250, completion_tokens=150)
    assert Pricer().price(call, NOW) == (0.0002775, LIST_SOURCE)
    assert LIST_SOURCE.startswith("genai-prices 0.")


@pytest.mark.parametrize("name", ["nobody-sells-this", "", "x" * 100_000, "\x00", "gpt-4o:latest"])
def test_an_unknown_model_has_no_price(name: str) -> None:
    """Unknown is (None, None), and never 0."""
    assert Pricer().price(support.record(model_name=name), NOW) == (None, None)


def test_an_own_price_goes_over_the_list() -> None:
    """The user's price is the whole price, and says so."""
    pricer = own({"model": "gpt-4o*", "prompt": 1, "completion": 2, "reasoning": 4})
    call = support.record(prompt_tokens=1000, completion_tokens=100, reasoning_tokens=50)
    assert pricer.price(call, NOW) == (0.0013, OWN_SOURCE)
    batch, search = {"processing": "batch"}, {"web_searches": 1}
    assert pricer.price(call | {"price_context": batch, "usage": search}, NOW)[0] == 0.0013


def test_a_discount_is_off_the_list_price() -> None:
    """15 % less, of tokens and of whatever else the list charges."""
    pricer = own({"model": "claude-*", "discount": 0.15})
    call = support.record(model_name="claude-sonnet-4-5", prompt_tokens=1000, completion_tokens=0)
    assert pricer.price(call, NOW) == (0.00255, OWN_SOURCE)
    assert pricer.price(call | {"usage": {"web_searches": 1}}, NOW) == (0.01105, OWN_SOURCE)


def test_an_own_price_begins_on_its_day() -> None:
    """One microsecond before, the list price holds, also with the quote remembered."""
    pricer = own({"model": "gpt-4o", "prompt": 0, "completion": 0, "from": "2026-11-22"})
    begin = datetime(2026, 11, 22, tzinfo=UTC)
    call = support.record(model_name="gpt-4o")
    for _ in range(2):
        assert pricer.price(call, begin)[1] == OWN_SOURCE
        assert pricer.price(call, begin - MICROSECOND)[1] == LIST_SOURCE


def test_an_alias_is_priced_as_its_model() -> None:
    """An Azure deployment costs what its model costs, whichever provider was logged."""
    pricer = own({"model": "gpt-4", "prompt": 7, "completion": 7}, prod="gpt-4o", old="gpt-4")
    assert cost(pricer, model_name="prod", provider="azure") == cost(model_name="gpt-4o")
    assert cost(pricer, model_name="prod", provider="our-gateway") == cost(model_name="gpt-4o")
    assert pricer.price(support.record(model_name="old"), NOW)[1] == OWN_SOURCE


def test_own_prices_of_a_provider_are_for_its_calls_alone() -> None:
    """A rule with a provider fits it as logged, and as the list calls it."""
    pricer = own({"model": "*", "provider": "aws", "prompt": 1, "completion": 1})
    nova = {"model_name": "amazon.nova-pro-v1:0"}
    assert pricer.price(support.record(**nova, provider="bedrock"), NOW)[1] == OWN_SOURCE
    assert pricer.price(support.record(**nova), NOW)[1] == OWN_SOURCE
    assert pricer.price(support.record(), NOW)[1] == LIST_SOURCE


@pytest.mark.parametrize("rule", ["azure", "azure_openai", "Azure.AI.OpenAI"])
@pytest.mark.parametrize("logged", ["azure", "Azure", "azure_openai", "az.ai.openai"])
def test_an_own_price_fits_every_spelling_of_its_provider(rule: str, logged: str) -> None:
    """However the rule and the call write one provider, they mean the same."""
    pricer = own({"model": "mine", "provider": rule, "prompt": 1, "completion": 2})
    call = support.record(model_name="mine", prompt_tokens=10**6, completion_tokens=0)
    assert pricer.price(call | {"provider": logged}, NOW) == (1.0, OWN_SOURCE)
    assert pricer.price(call | {"provider": "openai"}, NOW) == (None, None)


def test_a_provider_that_the_list_has_not_is_compared_as_spelled() -> None:
    """Upper and lower case are alike, and nothing else is."""
    pricer = own({"model": "mine", "provider": "our_Gateway", "prompt": 1, "completion": 2})
    call = support.record(model_name="mine")
    assert pricer.price(call | {"provider": "OUR_gateway"}, NOW)[1] == OWN_SOURCE
    assert pricer.price(call | {"provider": "our gateway"}, NOW)[1] is None


def test_the_list_is_there_before_the_first_price() -> None:
    """Making a Pricer loads the list's data, so that no application's call waits for it."""
    made = "import sys; from tokenusage.price.pricer import Pricer; Pricer()"
    check = "sys.exit('genai_prices.data' not in sys.modules)"
    subprocess.run([sys.executable, "-c", f"{made}; {check}"], check=True)


def test_a_list_price_of_nothing_is_for_the_very_model_alone() -> None:
    """A free model's version, or a name that contains a free one's, is unknown and not 0."""
    assert cost(model_name="moderation", provider="openai") == 0
    assert cost(model_name="gemma-3", provider="google") == 0
    assert cost(model_name="gemma-3-001", provider="google") is None
    assert cost(model_name="gemma-3-27b-it", provider="google") is None
    assert cost(model_name="gpt-jt-moderation-6b") is None


def test_fast_mode_without_a_listed_price_is_unknown() -> None:
    """It costs several times the standard price; an own price holds all the same."""
    fast = {"speed": "fast"}
    listed, unlisted = "claude-opus-4-8", "claude-opus-4-6"
    standard = cost(model_name=listed)
    assert standard
    assert cost(model_name=listed, price_context=fast) == 2 * standard
    assert cost(model_name=unlisted, price_context=fast) is None
    assert Pricer().quote(unlisted, None, None, fast, NOW).source is None
    assert cost(model_name=listed, price_context=fast, provider="google") is None
    pricer = own({"model": unlisted, "prompt": 1, "completion": 1})
    assert cost(pricer, model_name=unlisted, price_context=fast) == 0.00011


def test_batch_is_half_price() -> None:
    """By the price context, and by the service tier as which Anthropic reports it."""
    full = cost(model_name="claude-sonnet-4-5")
    assert full
    assert cost(model_name="claude-sonnet-4-5", price_context={"processing": "batch"}) == full / 2
    assert cost(model_name="claude-sonnet-4-5", service_tier="batch") == full / 2


def test_a_borrowed_model_has_its_vendors_standard_price_alone() -> None:
    """Azure offers OpenAI's models; the list knows no batch price of Azure's, so none is used."""
    full = cost(model_name="gpt-5.2", provider="azure")
    assert full == cost(model_name="gpt-5.2")
    assert cost(model_name="gpt-5.2", provider="azure", service_tier="batch") == full


def test_service_tiers_have_their_prices() -> None:
    """Flex is half of gpt-5.2's price, priority twice; a tier without a price is standard."""
    full = cost(model_name="gpt-5.2")
    assert full
    assert cost(model_name="gpt-5.2", service_tier="flex") == full / 2
    assert cost(model_name="gpt-5.2", service_tier="priority") == full * 2
    assert cost(model_name="gpt-5.2", service_tier="unheard-of") == full


def test_one_hour_writes_cost_more_than_short_ones() -> None:
    """They are part of the cache writes, at 6 instead of 3.75 dollars a million."""
    call: dict[str, Any] = {"model_name": "claude-sonnet-4-5", "prompt_tokens": 1000}
    call["completion_tokens"] = 0
    assert cost(**call, cache_write_tokens=1000) == 0.00375
    assert cost(**call, cache_write_tokens=1000, usage={"cache_write_1h_tokens": 1000}) == 0.006


def test_other_units_are_charged_by_the_list() -> None:
    """A web search adds a cent; a unit that nobody sells adds nothing."""
    call: dict[str, Any] = {"model_name": "claude-sonnet-4-5", "prompt_tokens": 1000}
    call["completion_tokens"] = 0
    assert cost(**call, usage={"web_searches": 2}) == 0.023
    assert cost(**call, usage={"coffees": 2}) == 0.003


def test_a_model_that_is_not_charged_by_tokens_needs_its_unit() -> None:
    """A transcription without its seconds is unknown, not free."""
    assert cost(model_name="whisper-1") is None
    assert cost(model_name="whisper-1", usage={"audio_seconds": 3600}) == 0.36


@pytest.mark.parametrize(
    "fields",
    [
        {"cache_read_tokens": 101},
        {"cache_read_tokens": 60, "cache_write_tokens": 60},
        {"reasoning_tokens": 11},
        {"usage": {"cache_write_1h_tokens": 1}},
        {"usage": {"cache_write_1h_tokens": "x"}},
        {"usage": {"cache_write_1h_tokens": -1}},
        {"usage": {"web_searches": -1}},
        {"usage": {"web_searches": float("nan")}},
        {"usage": {"web_searches": True}},
        {"prompt_tokens": 10**12, "model_name": "gpt-4"},
    ],
)
def test_counts_that_cannot_be_have_no_price(fields: dict[str, Any]) -> None:
    """Parts larger than the whole, units that are no numbers and absurd sums are unknown."""
    assert Pricer().price(support.record(**fields), NOW) == (None, None)


@pytest.mark.parametrize("context", [{"processing": 1}, {"a": None, "b": 2.5}, {"a": True}])
def test_a_context_that_is_no_text_decides_nothing(context: dict[str, Any]) -> None:
    """Only text can choose a price."""
    assert cost(price_context=context) == cost()


@pytest.mark.parametrize("at", [datetime.min, datetime.max, datetime(1, 1, 1, 12)])
def test_the_ends_of_time_have_a_price(at: datetime) -> None:
    """A time that can't be still has the first or last price, also one that changes by the hour."""
    assert cost(at=at.replace(tzinfo=UTC), model_name="deepseek-chat") is not None


def test_made_up_models_do_not_fill_the_memory() -> None:
    """However many names are asked for, a bounded number of quotes is kept."""
    pricer = Pricer()
    for number in range(MAX_QUOTES + 10):
        pricer.price(support.record(model_name=f"model {number}"), NOW)
    assert len(pricer._quotes) <= MAX_QUOTES
    assert cost(pricer) == cost()


def test_threads_share_a_pricer() -> None:
    """Prices that alternate between two windows are right in every thread."""
    pricer = own({"model": "gpt-4o", "prompt": 1, "completion": 1, "from": "2026-11-22"})
    days = (datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC))
    call = support.record(model_name="gpt-4o", prompt_tokens=1000, completion_tokens=0)
    seen: list[tuple[float | None, ...]] = []

    def work() -> None:
        seen.extend(tuple(pricer.price(call, day)[0] for day in days) for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {(0.0025, 0.001)}
    assert len(seen) == 800


@pytest.mark.parametrize("source", ["partial", "estimated"])
def test_a_call_that_nobody_counted_has_no_cost(source: str) -> None:
    """What timed out may have cost a lot: 0 tokens are a cost of 0 by the provider's word alone."""
    nothing: dict[str, Any] = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert cost(**nothing, usage_source=source) is None
    assert (
        cost(own({"model": "*", "prompt": 1, "completion": 1}), **nothing, usage_source=source)
        is None
    )
    assert cost(**nothing, usage_source="provider") == cost(**nothing) == 0
    assert cost(**nothing | {"prompt_tokens": 1000}, usage_source=source) == 0.00015
