"""What the tests of google-genai share: a client, and the HTTP library that it lives on."""

import sys
from types import ModuleType
from typing import Any

import pytest
from replaying import Replay


def client_of(replay: Replay, **options: Any) -> Any:
    """Return a client of the Gemini API at the replay server; skip the test if there is none."""
    genai = pytest.importorskip("google.genai")
    return genai.Client(api_key="k", http_options={"base_url": replay.url, **options})


def httpx_of_genai(client: Any) -> ModuleType:
    """Return the module that the installed google-genai lives on: httpx or httpx2."""
    base = type(client._api_client._httpx_client).__mro__[1]
    return sys.modules[base.__module__.partition(".")[0]]
