"""What the tests of the hooks share: a server that replays, a capture, and what was logged."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from openais import OPENAI
from replaying import Replay, httpx_of

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.stainless import hook
from tokenusage.write.tracker import Tracker


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Return a server on this machine that answers as it is told."""
    with Replay() as server:
        yield server


@pytest.fixture
def capture(tmp_path: Path) -> Iterator[Capture]:
    """Return a capture whose tracker writes to ``logs`` in `tmp_path`."""
    with Tracker(tmp_path / "logs") as tracker:
        yield Capture(tracker)


@pytest.fixture
def logged(tmp_path: Path) -> Callable[[], list[dict[str, Any]]]:
    """Return what reads all records that are in the log, in order."""

    def read() -> list[dict[str, Any]]:
        files = sorted((tmp_path / "logs").glob("token_usage_*.jsonl"))
        return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]

    return read


@pytest.fixture
def hooked(capture: Capture) -> Iterator[Callable[..., None]]:
    """Return what hooks an SDK of OpenAI's or Anthropic's until the test has ended."""
    unhooks = []

    def hook_now(sdk: ModuleType, **how: Any) -> None:
        unhooks.append(hook(sdk, capture, **how))

    yield hook_now
    for unhook in reversed(unhooks):
        unhook()


@pytest.fixture
def openai_client(replay: Replay) -> Iterator[Any]:
    """Return a client that believes to speak to OpenAI; skip the test if there is no SDK."""
    openai = pytest.importorskip("openai")
    with replay.client(httpx_of(openai)) as http:
        yield openai.OpenAI(api_key="k", base_url=OPENAI, http_client=http)
