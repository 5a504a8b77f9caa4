from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from tokenusage.errors import ConfigError
from tokenusage.price.table import BEGINNING, END, OwnRates, PriceTable, parse_prices

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def table(*entries: dict[str, Any], **aliases: str) -> PriceTable:
    return parse_prices({"prices": list(entries), "aliases": aliases}, "tokenusage.toml")


def entry(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": 1, "completion": 2} | fields


def refused(*entries: Any, **document: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_prices({"prices": list(entries)} | document, "tokenusage.toml")
    return str(caught.value)


def test_nothing_configured_is_an_empty_table() -> None:
    """A configuration without prices has neither rules nor aliases."""
    assert parse_prices({}, "x") == PriceTable() == PriceTable((), ())


def test_prices_are_exact_decimals() -> None:
    """0.1 is a tenth, whether the parser gave a float, a decimal or an integer."""
    (rule,) = table(entry(prompt=0.1, completion=Decimal("0.3"), cache_read=0)).rules
    assert rule.rates == OwnRates(Decimal("0.1"), Decimal("0.3"), cache_read=Decimal(0))
    assert (rule.number, rule.start, rule.discount) == (1, BEGINNING, Decimal(0))


@pytest.mark.parametrize(
    "start",
    [
        date(2026, 1, 1),
        "2026-01-01",
        datetime(2026, 1, 1),
        datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_from_is_a_moment_in_utc(start: Any) -> None:
    """A date, a quoted date and a date with time all name the same moment."""
    assert table(entry(**{"from": start})).rules[0].start == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_latest_from_that_is_not_after_the_call_wins() -> None:
    """Rules follow each other in time, whatever their order in the file."""
    rules = table(
        entry(**{"from": "2026-06-01"}),
        entry(),
        entry(**{"from": "2026-01-01"}),
        entry(**{"from": "2026-12-01"}),
    )
    june, december = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    rule, since, until = rules.rule_at(["m"], [], NOON)
    assert rule
    assert (rule.number, since, until) == (1, june, december)
    rule, since, until = rules.rule_at(["m"], [], june - timedelta(microseconds=1))
    assert rule
    assert (rule.number, until) == (3, june)
    rule, since, until = rules.rule_at(["m"], [], december)
    assert rule
    assert (rule.number, until) == (4, END)


def test_of_equals_the_later_entry_wins() -> None:
    """With the same from, the file's later entry goes over the earlier one."""
    rule, _, _ = table(entry(model="*"), entry(), entry(model="M*")).rule_at(["m"], [], NOON)
    assert rule
    assert rule.number == 3


def test_before_its_time_a_rule_is_only_an_end() -> None:
    """A call before the first rule has none, and that answer ends where the rule begins."""
    later = datetime(2027, 1, 1, tzinfo=UTC)
    rules = table(entry(**{"from": "2027-01-01"}))
    assert rules.rule_at(["m"], [], NOON) == (None, BEGINNING, later)


def test_globs_and_providers_ignore_case() -> None:
    """A rule is for the names that its glob fits and for the provider that it names."""
    (rule,) = table(entry(model="My-Local-*", provider="vLLM")).rules
    assert rule.fits(["my-local-7B"], ["vllm"])
    assert rule.fits(["other", "MY-LOCAL-x"], ["openai", "VLLM"])
    assert not rule.fits(["my-local-7b"], [])
    assert not rule.fits(["my-local"], ["vllm"])


def test_an_alias_ignores_case() -> None:
    """A deployment's name stands for its model however it is written."""
    aliases = table(**{"My-Deployment": "gpt-4o"})
    assert aliases.alias("my-deployment") == "gpt-4o"
    assert aliases.alias("gpt-4o") is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": "m", "promt": 1}, "Did you mean prompt?"),
        ({"model": "m", "prompt": 1}, "needs prompt and completion"),
        ({"model": "m", "completion": 1}, "needs prompt and completion"),
        ({"prompt": 1, "completion": 1}, "model of prices entry 1 in tokenusage.toml"),
        (entry(model=" "), "model of prices entry 1"),
        (entry(provider=1), "provider of"),
        (entry(prompt="1"), "prompt of"),
        (entry(prompt=True), "prompt of"),
        (entry(prompt=-1), "from 0 to"),
        (entry(prompt=float("nan")), "from 0 to"),
        (entry(prompt=Decimal("1e99")), "from 0 to"),
        (entry(prompt=Decimal("1e-13")), "more than 12 decimals"),
        (entry(discount=0.1), "both discount and prompt"),
        ({"model": "m", "discount": 15}, "15 % is 0.15"),
        (entry(**{"from": "20260101"}), "such as 2026-01-01"),
        (entry(**{"from": "2026-W01-1"}), "such as 2026-01-01"),
        (entry(**{"from": "soon"}), "such as 2026-01-01"),
        (entry(**{"from": 2026}), "such as 2026-01-01"),
    ],
)
def test_a_wrong_entry_is_one_sentence(wrong: dict[str, Any], says: str) -> None:
    """What can't be is refused with its key, its entry and the file."""
    sentence = refused(wrong)
    assert says in sentence
    assert "prices entry 1 in tokenusage.toml" in sentence


def test_the_entry_that_is_wrong_is_named() -> None:
    """Entries are counted from 1, in the order of the file."""
    assert "prices entry 2 in" in refused(entry(), {})


def test_tables_of_the_wrong_shape_are_refused() -> None:
    """[prices] in one pair of brackets, or an alias that is no name, say what is right."""
    assert "[[prices]]" in refused(prices={"model": "m"})
    assert "[[prices]]" in refused(1)
    assert "[aliases]" in refused(aliases=["x"])
    assert "'x'" in refused(aliases={"x": 1})
