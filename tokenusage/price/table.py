"""The user's own prices, discounts and model aliases, as ``tokenusage.toml`` gives them.

.. code-block:: toml

    [aliases]                        # deployment or local name = the model it is
    my-deployment = "gpt-4o"

    [[prices]]                       # US dollars per 1 000 000 tokens
    model = "my-local-*"             # a name or a glob, upper and lower case alike
    provider = "vllm"                # optional: only calls of this provider
    from = 2026-01-01                # optional: from this day (UTC) or moment on
    prompt = 0.20
    completion = 0.80
    cache_read = 0.02                # optional, as cache_write and cache_write_1h:
    reasoning = 0.80                 # what is left out costs the rate of what contains it

    [[prices]]
    model = "claude-*"
    discount = 0.15                  # 15 % off the list price, instead of rates

Of the entries that fit a call, the one with the latest ``from`` that is not
after the call wins; of equals, the one that stands later in the file. A glob is
held against the logged name and against its alias. An entry with rates is the
whole price of a call: tiers, batch and other list conditions do not change it.
All numbers are exact decimals. This module is pure: it never sees the price list.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from tokenusage.errors import ConfigError, nearest

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
"""Start of what has always held."""

END: Final = datetime.max.replace(tzinfo=UTC)
"""End of what has no end in sight."""

MAX_PRICE: Final = 10**6
"""The highest own price, in US dollars per 1 000 000 tokens."""

MAX_DECIMALS: Final = 12
"""The most decimals of an own price or discount."""


@dataclass(frozen=True, slots=True)
class OwnRates:
    """Prices in US dollars per 1 000 000 tokens; None costs what contains it.

    Cache reads and writes are prompt tokens, one-hour writes are cache writes,
    reasoning is completion tokens.
    """

    prompt: Decimal
    completion: Decimal
    cache_read: Decimal | None = None
    cache_write: Decimal | None = None
    cache_write_1h: Decimal | None = None
    reasoning: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PriceRule:
    """One ``[[prices]]`` entry: which calls it is for, and either rates or a discount."""

    number: int
    """Which entry of the file it is, from 1."""
    model: str
    provider: str | None
    start: datetime
    """First moment at which it holds."""
    rates: OwnRates | None
    discount: Decimal
    """Fraction off the list price; 0 where there are rates."""

    def fits(self, names: Collection[str], providers: Collection[str]) -> bool:
        """Say whether the rule is for a call with one of these names and providers."""
        if self.provider and self.provider.lower() not in {p.lower() for p in providers}:
            return False
        return any(fnmatchcase(name.lower(), self.model.lower()) for name in names)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The user's own prices and names; empty unless configured."""

    rules: tuple[PriceRule, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    """(name as logged, model that it stands for) pairs."""

    def alias(self, model: str) -> str | None:
        """Return the model that a logged name stands for, None where it stands for itself."""
        lowered = model.lower()
        return next((target for name, target in self.aliases if name.lower() == lowered), None)

    def rule_at(
        self, names: Collection[str], providers: Collection[str], at: datetime
    ) -> tuple[PriceRule | None, datetime, datetime]:
        """Return the rule for a call at `at`, and from when until when this answer holds."""
        fitting = [rule for rule in self.rules if rule.fits(names, providers)]
        # max() keeps the first of equals, and the later entry is to win.
        begun = [rule for rule in reversed(fitting) if rule.start <= at]
        rule = max(begun, key=lambda rule: rule.start, default=None)
        until = min((rule.start for rule in fitting if rule.start > at), default=END)
        return rule, rule.start if rule else BEGINNING, until


_RATES: Final = tuple(field.name for field in fields(OwnRates))
_KEYS: Final = ("model", "provider", "from", *_RATES, "discount")


def parse_prices(document: Mapping[str, Any], where: str) -> PriceTable:
    """Return the table of a configuration's ``aliases`` and ``prices``.

    Args:
        document: The parsed configuration; its other keys are not looked at.
        where: What errors call the configuration, for example its path.

    Raises:
        ConfigError: an entry has an unknown key or a value that it can't have.
    """
    aliases = document.get("aliases", {})
    if not isinstance(aliases, Mapping):
        raise ConfigError(f'aliases in {where} is no table: write [aliases], then name = "model".')
    for name, target in aliases.items():
        if not isinstance(target, str) or not target:
            raise ConfigError(f"The alias {name!r} in {where} needs a model's name in quotes.")
    entries = document.get("prices", [])
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ConfigError(
            f"prices in {where} is no list of entries: begin each with [[prices]], "
            "in two pairs of brackets."
        )
    return PriceTable(
        rules=tuple(
            _rule(entry, number, f"prices entry {number} in {where}")
            for number, entry in enumerate(entries, 1)
        ),
        aliases=tuple(aliases.items()),
    )


def _rule(entry: Mapping[str, Any], number: int, where: str) -> PriceRule:
    for key in entry:
        if key not in _KEYS:
            raise ConfigError(
                f"{key!r} is no key of {where}: use {', '.join(_KEYS)}." + nearest(key, _KEYS)
            )
    given = {key: _number(entry[key], key, where) for key in _RATES if key in entry}
    if "discount" in entry and given:
        raise ConfigError(f"{where} has both discount and {next(iter(given))}: leave one out.")
    if "discount" not in entry and not {"prompt", "completion"} <= given.keys():
        raise ConfigError(
            f"{where} needs prompt and completion, in US dollars per 1 000 000 tokens "
            "(completion = 0 for embeddings), or a discount."
        )
    model = _text(entry.get("model"), "model", where)
    provider = _text(entry["provider"], "provider", where) if "provider" in entry else None
    return PriceRule(
        number=number,
        model=model,
        provider=provider,
        start=_moment(entry["from"], where) if "from" in entry else BEGINNING,
        rates=OwnRates(**given) if given else None,
        discount=_discount(entry["discount"], where) if "discount" in entry else Decimal(0),
    )


def _text(value: object, key: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{key} of {where} has to be a name in quotes.")
    return value.strip()


def _number(value: object, key: str, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ConfigError(f"{key} of {where} has to be a number.")
    # str() of a float is its shortest form: 0.15 stays 0.15.
    number = Decimal(str(value))
    if not number.is_finite() or not 0 <= number <= MAX_PRICE:
        raise ConfigError(f"{key} of {where} has to be a number from 0 to {MAX_PRICE}.")
    if number != round(number, MAX_DECIMALS):
        raise ConfigError(f"{key} of {where} has more than {MAX_DECIMALS} decimals.")
    return number


def _discount(value: object, where: str) -> Decimal:
    discount = _number(value, "discount", where)
    if discount > 1:
        raise ConfigError(f"discount of {where} is a fraction from 0 to 1: 15 % is 0.15.")
    return discount


def _moment(value: object, where: str) -> datetime:
    """Return the moment that a TOML date, a datetime or a quoted date stands for, in UTC."""
    if isinstance(value, str):
        try:
            parsed = date.fromisoformat(value)
        except ValueError:
            parsed = None
        # fromisoformat also takes 20260101 and 2026-W01-1.
        value = parsed if parsed and parsed.isoformat() == value else None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ConfigError(f"from of {where} has to be a date such as 2026-01-01.")
