import pytest
from genai_prices.data_snapshot import get_snapshot

from tokenusage.price.names import MAX_NAME, find_listing, find_provider, known_names


def listed(name: str, provider: str | None = None) -> str | None:
    listing = find_listing(name, provider)
    return f"{listing.provider.id}/{listing.model.id}" if listing else None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gpt-4o-mini", "openai/gpt-4o-mini"),
        ("gpt-4o", "openai/gpt-4o"),
        ("gpt-4", "openai/gpt-4"),
        ("gpt-4-turbo", "openai/gpt-4-turbo"),
        ("gpt-3.5-turbo", "openai/gpt-3.5-turbo"),
        ("gpt-35-turbo", "openai/gpt-3.5-turbo"),
        ("GPT-4o-2024-08-06", "openai/gpt-4o"),
        ("text-embedding-3-small", "openai/text-embedding-3-small"),
        ("text-embedding-3-large", "openai/text-embedding-3-large"),
        ("text-embedding-ada-002", "openai/text-embedding-ada-002"),
        ("gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
        ("openai/gpt-5.2", "openai/gpt-5.2"),
        ("openai/gpt-5.2-20251211", "openai/gpt-5.2"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("vertex_ai/claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("azure/gpt-4o", "azure/gpt-4o"),
        ("openrouter/openai/gpt-5", "openrouter/openai/gpt-5"),
        ("deepseek/deepseek-chat", "deepseek/deepseek-chat"),
        ("xai/grok-3-mini", "x-ai/grok-3-mini"),
        ("amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
        (
            "bedrock/converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
        ),
    ],
)
def test_names_are_found_as_they_are_logged(name: str, expected: str) -> None:
    """Bare names, dated ones and those with a router's prefix lead to the seller's entry."""
    assert listed(name) == expected


def test_every_model_of_every_provider_is_found_by_its_id() -> None:
    """With the provider given, each of the list's ids is that model and no other."""
    for provider in get_snapshot().providers:
        for model in provider.models:
            found = find_listing(model.id, provider.id)
            assert found, (provider.id, model.id)
            assert found.model is model


@pytest.mark.parametrize(
    ("vendor", "at_least"),
    [
        ("openai", 90),
        ("anthropic", 25),
        ("google", 40),
        ("mistral", 45),
        ("deepseek", 8),
        ("x-ai", 20),
        ("cohere", 5),
    ],
)
def test_the_models_of_the_main_vendors_are_found_by_their_bare_ids(
    vendor: str, at_least: int
) -> None:
    """Where the list takes a name for the vendor's, its models need no provider."""
    provider = find_provider(vendor)
    assert provider
    assert provider.model_match
    ids = [model.id for model in provider.models if provider.model_match.is_match(model.id)]
    sold = [name for name in ids if ":" not in name and not name.startswith("gpt-oss")]
    assert len(sold) >= at_least
    assert [listed(name) for name in sold] == [f"{vendor}/{name}" for name in sold]


def test_every_current_claude_is_found_by_its_bare_name() -> None:
    """What Anthropic sells is priced without naming Anthropic."""
    ids = [model.id for p in get_snapshot().providers if p.id == "anthropic" for model in p.models]
    assert len(ids) > 20
    assert [listed(name) for name in ids] == [f"anthropic/{name}" for name in ids]


@pytest.mark.parametrize(
    "name",
    [
        "gpt-oss",
        "gpt-oss-20b",
        "openai/gpt-oss-120b",
        "google/gemma-3",
        "deepseek-r1:70b",
        "llama3.1:8b",
        "deepseek-ai/DeepSeek-V3",
        "mistralai/mistral-large-latest",
        "moonshotai/kimi-k2",
        "ollama/deepseek-chat",
        "hosted_vllm/gpt-4o",
        "ft:gpt-4o-mini-2024-07-18:acme::abc",
        "my-gpt-4o",
        "gpt-4o-of-ours",
        "",
        " ",
        "/",
        "openai/",
        "\x1b[31m",
        "gpt-4o" + " " * MAX_NAME + "x",
    ],
)
def test_what_someone_else_runs_has_no_price(name: str) -> None:
    """Open weights, own copies, fine-tuned and made-up models are not the vendor's product."""
    assert listed(name) is None


@pytest.mark.parametrize(
    ("name", "provider", "expected"),
    [
        ("gpt-4o", "azure", "azure/gpt-4o"),
        ("gpt-4o", "azure.ai.openai", "azure/gpt-4o"),
        ("azure/gpt-4o", "Azure", "azure/gpt-4o"),
        ("openai/gpt-5.2", "openai", "openai/gpt-5.2"),
        ("openai/gpt-5", "openrouter", "openrouter/openai/gpt-5"),
        ("models/gemini-2.5-flash", "google-gla", "google/gemini-2.5-flash"),
        ("claude-sonnet-4-5", "vertex_ai", "google/claude-sonnet-4-5"),
        ("anthropic/claude-sonnet-4-5", "litellm", "anthropic/claude-sonnet-4-5"),
        ("gpt-4o", "litellm", "openai/gpt-4o"),
        ("gpt-4o", "vllm", None),
        ("gpt-4o", "custom_openai", None),
        ("gpt-4o", "openai_like", None),
        ("gpt-oss-20b", "ollama", None),
        ("claude-sonnet-4-5", "openai", None),
        ("groq/llama-3.3-70b-versatile", "openai", None),
    ],
)
def test_a_given_provider_is_the_only_one_asked(
    name: str, provider: str, expected: str | None
) -> None:
    """The price is that of the provider that was called, and unknown where that is unknown."""
    assert listed(name, provider) == expected


def test_azure_sells_what_its_vendors_list() -> None:
    """An entry that the provider has from another one is not its own."""
    borrowed = find_listing("gpt-5.2-pro", "azure")
    assert borrowed
    assert not borrowed.own
    own = find_listing("o1", "azure")
    assert own
    assert own.own


def test_every_provider_is_found_by_its_id() -> None:
    """The list's own ids are always understood, with dashes or underscores."""
    for provider in get_snapshot().providers:
        assert find_provider(provider.id) is provider
        assert find_provider(provider.id.replace("-", "_").upper()) is provider


def test_known_names_have_a_price() -> None:
    """What is offered as a similar name is found by that name."""
    assert "gpt-4o-mini" in known_names()
    assert "gpt-oss-20b" not in known_names()
    assert "gpt-4o" in known_names("azure")
