"""From a model's name as logged to its entry in the price list.

The rule is: never another product's price. A name without a provider is looked
up where its vendor sells it; a prefix as LiteLLM writes it (``azure/gpt-4o``)
names the provider. A provider that is given but not known, a prefix that names
none, a tag as Ollama writes it (``deepseek-r1:70b``) and open weights without a
provider (``gpt-oss-20b``) have no price here: whoever runs them sets the price,
and the user can write it down in ``tokenusage.toml``.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, Provider

from tokenusage.price.match import REGIONS, find_model

MAX_NAME: Final = 256
"""Longer names have no price: the list's patterns are not run on them."""

_SPELLINGS: Final = {
    # As LiteLLM, LangChain, Pydantic AI and OpenTelemetry's gen_ai.provider.name write
    # them, in lower case with "-" for "_", "." and " ". Not by substring, as genai-prices
    # does it: "custom_openai" is whatever stands behind that address.
    "openai-responses": "openai",
    "text-completion-openai": "openai",
    "azure-ai": "azure",
    "azure-openai": "azure",
    "azure-ai-openai": "azure",
    "azure-ai-inference": "azure",
    "az-ai-openai": "azure",
    "az-ai-inference": "azure",
    "bedrock": "aws",
    "bedrock-converse": "aws",
    "aws-bedrock": "aws",
    "amazon-bedrock": "aws",
    "gemini": "google",
    "google-gla": "google",
    "google-genai": "google",
    "google-vertex": "google",
    "google-vertexai": "google",
    "gcp-gemini": "google",
    "gcp-gen-ai": "google",
    "gcp-vertex-ai": "google",
    "vertex-ai": "google",
    "vertexai": "google",
    "mistral-ai": "mistral",
    "mistralai": "mistral",
    "xai": "x-ai",
    "together-ai": "together",
    "fireworks-ai": "fireworks",
    "cohere-chat": "cohere",
    "moonshot": "moonshotai",
    "voyage": "voyageai",
    "z-ai": "zai",
}

_ORGANISATIONS: Final = frozenset({"mistralai", "moonshotai"})
"""Spellings of providers that are no prefix: on model hubs they name whose weights it is."""

_OPEN_WEIGHTS: Final = re.compile(r"gpt-oss|gemma")
"""Sold by many, for many prices, under a name that looks like one vendor's."""

_AWS: Final = re.compile(
    rf"arn:aws[a-z-]*:bedrock:|(?:{REGIONS})?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen|writer)\."
)
_OPENAI: Final = re.compile(
    r"text-embedding-(?:3-|ada-)|chatgpt-4o-latest|codex-mini|computer-use-preview"
)
"""Bare names of OpenAI's that the list alone does not place."""

_PATHS: Final = re.compile(r"(?:models|publishers/google/models|google/models)/")
"""How Google's own interfaces write a model."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An entry of the price list: a provider, and a model that it sells."""

    provider: Provider = field(repr=False)
    model: ModelInfo = field(repr=False)
    ref: str
    """The name by which the list was asked."""

    @property
    def own(self) -> bool:
        """Whether the provider lists the model itself.

        Else the price is that of another provider whose models it offers, and
        the list knows no batch or service tiers for it.
        """
        return any(self.model is model for model in self.provider.models)


@lru_cache(maxsize=1024)
def find_listing(name: str, provider: str | None) -> Listing | None:
    """Return the entry for a model's name, as logged, and the provider, as logged.

    None where the list has no price for exactly this.
    """
    ref = name.strip().lower()
    if not ref or len(ref) > MAX_NAME:
        return None
    if provider and _spelled(provider) != "litellm":
        seller = find_provider(provider)
        return _look_up(seller, _without_prefix(ref, seller)) if seller else None
    prefix, slash, rest = ref.partition("/")
    if slash and prefix not in _ORGANISATIONS and (seller := find_provider(prefix)):
        if seller.id in {"openai", "google"} and _OPEN_WEIGHTS.match(rest):
            return None
        return _look_up(seller, _without_prefix(rest, seller))
    seller = _vendor(ref)
    return _look_up(seller, _without_prefix(ref, seller)) if seller else None


def find_provider(name: str) -> Provider | None:
    """Return the provider of the list that a spelling names, None for an unknown one."""
    spelled = _spelled(name)
    wanted = _SPELLINGS.get(spelled, spelled)
    return next((p for p in get_snapshot().providers if _spelled(p.id) == wanted), None)


def known_names(provider: str | None = None) -> list[str]:
    """Return names of models that have a price, of one provider or of those that go bare."""
    providers = get_snapshot().providers
    seller = find_provider(provider) if provider else None
    if seller:
        sources = {seller.id, *(seller.fallback_model_providers or ())}
        return [model.id for p in providers if p.id in sources for model in p.models]
    ids = [model.id for p in providers if p.model_match for model in p.models]
    return [name for name in ids if find_listing(name, None)]


def _spelled(provider: str) -> str:
    return re.sub(r"[_. ]", "-", provider.strip().lower())


def _vendor(ref: str) -> Provider | None:
    """Return who sells what goes by a name without a provider."""
    if _AWS.match(ref):
        return find_provider("aws")
    if _OPENAI.match(ref):
        return find_provider("openai")
    if _PATHS.match(ref):
        return find_provider("google")
    if _OPEN_WEIGHTS.match(ref):
        return None
    if ("/" in ref or ":" in ref) and not ref.startswith(("@cf/", "accounts/fireworks/")):
        return None  # someone's own copy: a path on a model hub, or a tag of Ollama's
    # Not through the snapshot's own look-up: it remembers every name it ever missed.
    return next(
        (p for p in get_snapshot().providers if p.model_match and p.model_match.is_match(ref)),
        None,
    )


def _without_prefix(ref: str, seller: Provider) -> str:
    """Return `ref` without the seller's own prefix, where the list does not write one."""
    if seller.id == "google":
        ref = _PATHS.sub("", ref, count=1)
    prefix, slash, rest = ref.partition("/")
    if slash and find_model(seller, ref) is None and find_provider(prefix) is seller:
        return rest
    return ref


def _look_up(seller: Provider, ref: str) -> Listing | None:
    model = find_model(seller, ref)
    return Listing(seller, model, ref) if model else None
