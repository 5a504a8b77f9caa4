import json
from datetime import UTC, datetime
from typing import Any

from tokenusage.price.explain import explain
from tokenusage.price.pricer import Pricer
from tokenusage.show.price import _in_words, render_price, render_price_json

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def shown(model: str, **options: Any) -> str:
    return render_price(explain(Pricer(), model, NOW, **options))


def test_other_units_are_said_in_words() -> None:
    """What else is charged reads as a price, not as the list's shorthand."""
    assert _in_words("$10/web searches K, $0.3/audio Hour, $4/input audio MTok") == (
        "$10 per 1,000 web searches, $0.3 per hour of audio, $4 per 1M tokens of input audio"
    )


def test_a_price_with_its_arithmetic() -> None:
    """The whole text: what applies and why, the rates, tokens times rate is cost."""
    text = shown("gpt-4o-mini", tokens={"prompt_tokens": 1250, "completion_tokens": 150})
    assert text == (
        "gpt-4o-mini, 2026-11-22 12:00 UTC\n"
        "Price: genai-prices 0.2.3\n"
        "OpenAI lists it as gpt-4o-mini.\n"
        "\n"
        "             $ per 1M\n"
        "prompt           0.15\n"
        "cache read      0.075\n"
        "completion       0.60\n"
        "\n"
        "Also charged: $10 per 1,000 web searches, $2.5 per 1,000 storage searches\n"
        "Other prices for: service_tier=priority; service_tier=fast; processing=batch\n"
        "\n"
        "prompt       1,250   ×   $0.15 / 1M   =   $0.0001875\n"
        "completion     150   ×   $0.60 / 1M   =     $0.00009\n"
        "total                                     $0.0002775\n"
    )


def test_tiers_stand_side_by_side() -> None:
    """Each band of a long-context price is a column."""
    assert "$ per 1M   if prompt > 200,000\n" in shown("claude-sonnet-4-5")


def test_a_price_with_an_end_says_so() -> None:
    """A price by the hour is shown with the hours in which it holds."""
    period = "It holds since 2026-11-22 00:30 UTC until 2026-11-22 16:30 UTC.\n"
    assert period in shown("deepseek-chat")


def test_a_request_has_its_own_price() -> None:
    """A charge per call is no rate of tokens."""
    text = shown("sonar", provider="perplexity", tokens={"prompt_tokens": 10})
    assert "request ($)      0.012\n" in text
    assert "$0.01201\n" in text


def test_an_unknown_model_shows_how_to_add_it() -> None:
    """Without a price: what becomes of such calls, similar names, and where to write one."""
    text = shown("gpt-4o-mni")
    assert "calls are logged with cost null" in text
    assert "Similar names: gpt-4o-mini" in text
    assert "[[prices]]" in text


def test_names_come_out_inert() -> None:
    """Escape sequences in a model's name reach no terminal, in either format."""
    price = explain(Pricer(), "\x1b[31m\u202ered", NOW, provider="\x9b1m")
    for text in (render_price(price), render_price_json(price)):
        assert all(character.isprintable() or character == "\n" for character in text)


def test_json_carries_everything() -> None:
    """The machine format has the same figures as numbers."""
    tokens = {"prompt_tokens": 1250, "completion_tokens": 150}
    document = json.loads(render_price_json(explain(Pricer(), "gpt-4o-mini", NOW, tokens=tokens)))
    assert document["schema"] == "tokenusage.price/1"
    assert document["cost"] == 0.0002775
    assert document["bands"][0]["cache_read"] == 0.075
    assert document["lines"][0] == {
        "unit": "prompt",
        "tokens": 1250,
        "rate": 0.15,
        "cost": 0.0001875,
    }
    assert document["at"] == "2026-11-22T12:00:00+00:00"


def test_json_of_an_unknown_price_is_null() -> None:
    """Unknown is null and never 0."""
    document = json.loads(render_price_json(explain(Pricer(), "x", NOW, tokens={})))
    assert (document["cost_source"], document["cost"], document["lines"]) == (None, None, None)
