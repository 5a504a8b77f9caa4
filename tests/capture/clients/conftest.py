"""What the tests of google-genai and of LiteLLM share: the clients, hooked."""

from collections.abc import Iterator
from typing import Any

import pytest
from googles import client_of
from litellms import finish, imported
from replaying import Replay

from tokenusage.capture.call import Capture
from tokenusage.capture.clients import google, litellm


@pytest.fixture
def google_hooked(capture: Capture) -> Iterator[None]:
    """Hook google-genai while a test runs."""
    unhook = google.hook(pytest.importorskip("google.genai.models"), capture)
    yield
    unhook()


@pytest.fixture
def gemini(replay: Replay) -> Any:
    """Return a client of the Gemini API, as the replay server sees it."""
    return client_of(replay)


@pytest.fixture
def litellm_hooked(capture: Capture) -> Iterator[Any]:
    """Return LiteLLM, hooked while a test runs; its import takes seconds."""
    module = imported()
    unhook = litellm.hook(module, capture)
    yield module
    finish()
    unhook()
