"""Who answers at an address."""

import pytest

from tokenusage.capture.providers import host_of, provider_id, provider_of
from tokenusage.price.names import find_provider


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://api.openai.com/v1/", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://ours.openai.azure.com/openai/", "azure"),
        ("https://ours.services.ai.azure.com/models", "azure"),
        ("https://ours.cognitiveservices.azure.com", "azure"),
        ("https://ours.azure-api.net/llm", "azure"),
        ("https://api.anthropic.com", "anthropic"),
        ("https://api.x.ai/v1", "x-ai"),
        ("https://api.deepseek.com/v1", "deepseek"),
        ("https://openrouter.ai/api/v1", "openrouter"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://api.perplexity.ai", "perplexity"),
        ("https://api.together.xyz/v1", "together"),
        ("https://api.moonshot.cn/v1", "moonshotai"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/", "google"),
        ("https://europe-west1-aiplatform.googleapis.com/v1/", "google"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "aws"),
    ],
)
def test_known_address_is_its_provider(address: str, provider: str) -> None:
    """The price list's own id, so that the price is the provider's."""
    assert provider_of(address) == provider
    found = find_provider(provider)
    assert found is not None
    assert found.id == provider


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("http://localhost:11434/v1", "localhost:11434"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://LLM.example.com/openai/v1", "llm.example.com"),
        ("https://api.groq.com.example.org/v1", "api.groq.com.example.org"),
        ("https://user:secret@llm.example.com/", "llm.example.com"),
        ("https://models.inference.ai.azure.com", "models.inference.ai.azure.com"),
        ("https://models.github.ai/inference", "models.github.ai"),
        ("http://[::1]:8000/v1", "::1:8000"),
        ("http://host:99999999/v1", "host"),
        ("localhost:4000", "localhost:4000"),
        ("", ""),
    ],
)
def test_unknown_address_is_its_host(address: str, host: str) -> None:
    """A gateway or a local server has prices that nobody knows; no password is kept."""
    assert provider_of(address) == host
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("name", "provider"),
    [("OpenRouter", "openrouter"), ("azure_openai", "azure"), ("Our Gateway", "Our Gateway")],
)
def test_provider_is_known_in_any_spelling(name: str, provider: str) -> None:
    """As the price list has it; what that does not have stays as it is."""
    assert provider_id(name) == provider
