"""Which requests are model calls: told by the path, behind whatever gateway.

Paths are those of the API references of OpenAI (platform.openai.com/docs/api-reference)
and Anthropic (docs.claude.com/en/api), which others copy.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

_OPERATIONS: Final = (
    (re.compile(r"(?:.*/)?chat/completions"), "chat"),
    (re.compile(r"(?:.*/)?responses(?:/compact)?"), "chat"),
    # Not without its version: a message added to an Assistants thread is none.
    (re.compile(r"(?:.*/)?v1/messages"), "chat"),
    (re.compile(r"(?:.*/)?(?:completions|v1/complete)"), "completion"),
    (re.compile(r"(?:.*/)?embeddings"), "embedding"),
    (re.compile(r"(?:.*/)?images/(?:generations|edits|variations)"), "image"),
    (re.compile(r"(?:.*/)?audio/(?:speech|transcriptions|translations)"), "audio"),
)

_BATCH: Final = re.compile(r"(?:.*/)?batches/([^/]+)")
_BATCH_RESULTS: Final = re.compile(r"(?:.*/)?messages/batches/([^/]+)/results")

_DEPLOYMENT: Final = re.compile(r"/deployments/([^/?]+)")


@lru_cache(maxsize=256)
def operation_of(url: str) -> str | None:
    """Return the operation type of a POST to `url`, None where it is no model call.

    `url` may be a path, with or without a query, or absolute.
    """
    path = _path(url)
    return next((name for pattern, name in _OPERATIONS if pattern.fullmatch(path)), None)


@lru_cache(maxsize=256)
def is_batch_look(url: str) -> bool:
    """Say whether a GET of `url` asks for a batch's state or results."""
    return batch_of(url) is not None or batch_results_of(url) is not None


def batch_of(url: str) -> str | None:
    """Return the id of the batch whose state a GET of `url` asks for."""
    found = _BATCH.fullmatch(_path(url))
    return found[1] if found else None


def batch_results_of(url: str) -> str | None:
    """Return the id of the batch whose results a GET of `url` reads, as Anthropic has them."""
    found = _BATCH_RESULTS.fullmatch(_path(url))
    return found[1] if found else None


@lru_cache(maxsize=256)
def deployment_of(url: str) -> str | None:
    """Return the Azure deployment that an address names, which then decides the model."""
    found = _DEPLOYMENT.search(url)
    return unquote(found[1]) if found else None


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")
