"""Which model of a provider's a name means: itself, or a version of it.

The list's patterns are loose: they were written for names of which it is known
whose they are, and take ``claude-opus-4.6-fast`` for ``claude-opus-4-6``. Here
a pattern's match counts only where what stands in the name beside the model's
id, or a text of its pattern, is a date, a version or ``latest``. A variant of
another name is another product, with a price of its own.
"""

import re
from collections.abc import Iterator
from typing import Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
)

REGIONS: Final = r"(?:us|us-gov|eu|apac|au|ca|jp|in|global)\."
"""What Bedrock writes before a model's name, as a regular expression."""

_VERSION: Final = re.compile(
    # dates in full, as month and year, month and day, year and month; revisions
    r"(?:[-@](?:\d{8}|\d{4}-\d\d-\d\d|\d\d-\d{4}|\d\d-\d\d|\d{4}|\d{3}|latest|default)"
    r"|[-@]v\d+(?::\d+)?|:\d+){1,3}",  # bounded, as a date can be read in two ways
    re.ASCII,
)
_FINE_TUNE: Final = re.compile(r"ft:|.*\.ft-$")
"""Texts of patterns after which a name of the user's own is meant to follow."""

_PATH: Final = re.compile(rf"(?:.*/)?(?:{REGIONS})?")
"""What may stand before a text that a pattern looks for anywhere in a name."""

_LEFT_TO_PATTERNS: Final = {
    "claude-2.0": "claude-2",
    "claude-2.1": "claude-2",
    "computer-use-preview": "computer-use",
}
"""Vendors' own names that the list has in a loose pattern alone, and the models they are."""

_COMPACT_DATE: Final = re.compile(r"-(\d{4})(\d\d)(\d\d)$", re.ASCII)


def find_model(seller: Provider, ref: str) -> ModelInfo | None:
    """Return the model that a provider sells by a name, None where it is not known to.

    Args:
        seller: A provider of the list.
        ref: A name in lower case, without the provider's own prefix.
    """
    ref = _LEFT_TO_PATTERNS.get(ref, ref)
    # Routers write gpt-4o-20240806 for what the list has as gpt-4o-2024-08-06.
    names = dict.fromkeys((ref, _COMPACT_DATE.sub(r"-\1-\2-\3", ref)))
    for models in _offers(seller):
        for fits in (_is_named, _is_version):
            for name in names:
                if model := next((model for model in models if fits(model, name)), None):
                    return model
    return None


def _offers(seller: Provider) -> Iterator[list[ModelInfo]]:
    """Yield a provider's own models, then those of each vendor whose prices it takes over."""
    yield seller.models
    for vendor in seller.fallback_model_providers or ():
        yield from (
            provider.models for provider in get_snapshot().providers if provider.id == vendor
        )


def _is_named(model: ModelInfo, name: str) -> bool:
    """Say whether the list has exactly this name."""
    return name == model.id.lower() or any(
        # A regular expression that covers the whole name was written for just such names.
        clause.regex.startswith("^") and clause.regex.endswith("$") and clause.is_match(name)
        if isinstance(clause, ClauseRegex)
        else name == _text(clause)
        for clause in _clauses(model.match)
    )


def _is_version(model: ModelInfo, name: str) -> bool:
    """Say whether a name that the list takes for the model's is so but for its version."""
    if not model.is_match(name) or _is_free(model):
        return False
    rests = [name.removeprefix(model.id.lower())]
    for clause in _clauses(model.match):
        if isinstance(clause, ClauseRegex):
            continue
        text = _text(clause)
        before, found, rest = name.rpartition(text)
        anywhere = isinstance(clause, ClauseContains | ClauseEndsWith)
        if not found or not (_PATH.fullmatch(before) if anywhere else not before):
            continue
        if _FINE_TUNE.match(text):
            return True
        rests.append(text[len(text.rstrip("-@")) :] + rest)
    return any(_VERSION.fullmatch(rest) for rest in rests)


def _is_free(model: ModelInfo) -> bool:
    """Say whether the list has no price above 0: good for the very model, no more."""
    prices = model.prices
    every = [prices] if isinstance(prices, ModelPrice) else [each.prices for each in prices]
    return not any(value for price in every for value in vars(price).values())


def _clauses(
    match: MatchLogic,
) -> Iterator[ClauseStartsWith | ClauseEndsWith | ClauseContains | ClauseEquals | ClauseRegex]:
    """Yield the clauses that a pattern is made of."""
    if isinstance(match, ClauseOr | ClauseAnd):
        for part in match.or_ if isinstance(match, ClauseOr) else match.and_:
            yield from _clauses(part)
    else:
        yield match


def _text(clause: ClauseStartsWith | ClauseEndsWith | ClauseContains | ClauseEquals) -> str:
    """Return what a clause looks for, in lower case."""
    (text,) = vars(clause).values()
    return str(text).lower()
