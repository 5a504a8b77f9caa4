"""What the tests of OpenAI's SDK share: how it is asked, and what is looked at."""

from collections.abc import Callable
from typing import Any

from answers import MESSAGES

Logged = Callable[[], list[dict[str, Any]]]
Hooked = Callable[..., None]

OPENAI = "https://api.openai.com/v1"


def ask(client: Any, **more: Any) -> Any:
    """Ask for a chat completion."""
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more)


def stream(client: Any, **more: Any) -> Any:
    """Ask for a chat completion as a stream."""
    return ask(client, stream=True, **more)


def tokens(record: dict[str, Any]) -> tuple[int, int]:
    """Return a record's prompt and completion tokens."""
    return record["prompt_tokens"], record["completion_tokens"]
