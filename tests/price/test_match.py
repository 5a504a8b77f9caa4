from collections.abc import Iterator

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ClauseAnd, ClauseEquals, ClauseOr, ClauseStartsWith, MatchLogic

from tokenusage.price.match import find_model
from tokenusage.price.names import find_listing, find_provider


def found(name: str, provider: str | None = None) -> str | None:
    listing = find_listing(name, provider)
    return listing.model.id if listing else None


def texts(match: MatchLogic) -> Iterator[str]:
    """Yield the names that a pattern spells out."""
    if isinstance(match, ClauseEquals):
        yield match.equals
    elif isinstance(match, ClauseStartsWith):
        yield match.starts_with
    elif isinstance(match, ClauseOr | ClauseAnd):
        for part in match.or_ if isinstance(match, ClauseOr) else match.and_:
            yield from texts(part)


@pytest.mark.parametrize(
    "name",
    [
        "deepseek-r1-distill-qwen-32b",
        "deepseek-r1-turbo",
        "deepseek-chat-v3.1",
        "gpt-jt-moderation-6b",
        "claude-opus-4.6-fast",
        "claude-opus-4-6-thinking-max",
        "claude-haiku-4.5:batch",
        "my-claude-sonnet-4-5",
        "mixtral-8x7b-instruct",
        "mixtral-8x7b-32768",
        "gemini-1.5-flash-8b",
        "gemini-2.0-flash-thinking-exp",
        "gemini-2.5-pro-exp-03-25",
        "our-gemini-1.5-flash",
        "gpt-4.5-preview-of-ours",
    ],
)
@pytest.mark.parametrize(
    "provider", [None, "deepseek", "openai", "anthropic", "mistral", "google", "azure"]
)
def test_a_variant_is_another_product(name: str, provider: str | None) -> None:
    """What the list's patterns take for a model, but is more than its version, is unknown."""
    assert found(name, provider) is None


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("claude-3-5-sonnet-latest", None, "claude-3-5-sonnet"),
        ("claude-3-opus-20240229", None, "claude-3-opus-latest"),
        ("claude-sonnet-4-20250514", None, "claude-sonnet-4-0"),
        ("claude-sonnet-4@20250514", "vertex_ai", "claude-4-sonnet"),
        ("claude-3-5-sonnet-v2@20241022", None, "claude-3-5-sonnet"),
        ("claude-2.1", None, "claude-2"),
        ("gemini-1.5-flash-002", None, "gemini-1.5-flash"),
        ("gemini-3-flash-preview-05-06", None, "gemini-3-flash-preview"),
        ("gemini-2.5-flash-lite-preview-09-2025", None, "gemini-2.5-flash-lite"),
        ("gpt-5-nano-2025-08-07", None, "gpt-5-nano"),
        ("gpt-4o-audio-preview-2024-10-01", None, "gpt-4o-audio-preview"),
        ("magistral-medium-2506", None, "magistral-medium"),
        ("computer-use-preview", None, "computer-use"),
        ("eu.amazon.nova-lite-v1:0", None, "amazon.nova-lite-v1:0"),
        ("amazon.nova-lite", "aws", "amazon.nova-lite-v1:0"),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", "openai", "ft:gpt-4o-mini"),
    ],
)
def test_a_version_is_its_model(name: str, provider: str | None, model: str) -> None:
    """A date, a revision, latest, a region and a fine-tune's name leave the model what it is."""
    assert found(name, provider) == model


def test_a_version_with_an_entry_of_its_own_is_that() -> None:
    """The list's exact names go first, also with the date as routers write it."""
    assert found("gpt-4o-2024-05-13") == found("gpt-4o-20240513") == "gpt-4o-2024-05-13"
    assert found("gpt-4o-2024-08-06") == found("gpt-4o-20240806") == "gpt-4o"
    assert found("o4-mini-deep-research", "azure") == "o4-mini-deep-research"


def test_what_a_pattern_spells_out_is_found() -> None:
    """Every name that a provider's patterns give in full has a price there."""
    count = 0
    for provider in get_snapshot().providers:
        for model in provider.models:
            for text in texts(model.match):
                if model.is_match(text):
                    assert find_model(provider, text.lower()), (provider.id, text)
                    count += 1
    assert count > 3000


def test_a_provider_has_its_own_price_before_its_vendors() -> None:
    """Google lists the models of Anthropic that it sells, and its entry is the one meant."""
    google, anthropic = find_provider("google"), find_provider("anthropic")
    assert google
    assert anthropic
    model = find_model(google, "claude-3-opus-latest")
    assert any(model is own for own in google.models)
    assert model is not find_model(anthropic, "claude-3-opus-latest")
