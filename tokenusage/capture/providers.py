"""Who answers at an address: the provider comes from the host, not from the SDK."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from genai_prices.data_snapshot import get_snapshot

from tokenusage.price.names import find_provider

_HOSTS: Final = (
    # Regional addresses of OpenAI's, and addresses that the price list does not know.
    # models.inference.ai.azure.com is GitHub's, where calls have no price of Azure's.
    (re.compile(r"(?:.+\.)?api\.openai\.com"), "openai"),
    (re.compile(r"(?!models\.inference\.ai\.).+\.azure\.(?:com|us|cn)"), "azure"),
    (re.compile(r".+\.azure-api\.net"), "azure"),
    (re.compile(r"bedrock[a-z-]*\..+\.amazonaws\.com(?:\.cn)?|.+\.api\.aws"), "aws"),
    (re.compile(r"(?:.+\.)?api\.together\.(?:ai|xyz)"), "together"),
    (re.compile(r"(?:.+\.)?api\.x\.ai"), "x-ai"),
)


@lru_cache(maxsize=256)
def provider_of(base_url: str) -> str:
    """Return who answers at an address: the price list's id, else the host.

    A gateway or a local server is its own provider: nobody knows its prices.
    """
    host = host_of(base_url)
    name = host.partition(":")[0]
    for pattern, provider in _HOSTS:
        if pattern.fullmatch(name):
            return provider
    url = f"https://{host}{urlsplit(base_url).path}"
    return next((p.id for p in get_snapshot().providers if _is_at(p.api_pattern, url)), host)


@lru_cache(maxsize=256)
def provider_id(name: str) -> str:
    """Return the price list's id of a provider in any spelling, else the name as it is."""
    provider = find_provider(name)
    return provider.id if provider else name


def _is_at(pattern: str, url: str) -> bool:
    found = re.match(pattern, url)
    # The patterns have no end: api.groq.com.example.org is somebody else.
    return found is not None and (
        found[0].endswith(("/", ".")) or url[found.end() :][:1] in {"", "/", ":"}
    )


@lru_cache(maxsize=256)
def host_of(base_url: str) -> str:
    """Return the host of an address, with its port where it gives one, never a password."""
    parts = urlsplit(base_url if "//" in base_url else f"//{base_url}")
    try:
        port = parts.port
    except ValueError:
        port = None
    host = (parts.hostname or "").lower()
    return f"{host}:{port}" if port else host
