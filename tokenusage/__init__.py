"""Tokens and cost of LLM calls: log them, load them, report them.

    import tokenusage

    tokenusage.instrument()  # logs every call of the clients that are installed

    with tokenusage.track(user_id=123, operation_type="rag_answer"):
        client.chat.completions.create(...)

    tokenusage.tracker.record(  # any other call
        model_name="gpt-4o-mini", operation_type="rag_answer", prompt_tokens=1250
    )

Every name is loaded when it is first asked for, so that importing the package
costs an application nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenusage.analyse.frame import load
    from tokenusage.capture.instrument import instrument, litellm_callback, uninstrument
    from tokenusage.context import track
    from tokenusage.errors import (
        ConfigError,
        LogsError,
        RecordError,
        TokenUsageError,
        WrongUseError,
    )
    from tokenusage.write.default import tracker
    from tokenusage.write.default import tracker as token_tracker
    from tokenusage.write.tracker import Tracker

__all__ = [
    "ConfigError",
    "LogsError",
    "RecordError",
    "TokenUsageError",
    "Tracker",
    "WrongUseError",
    "instrument",
    "litellm_callback",
    "load",
    "token_tracker",
    "track",
    "tracker",
    "uninstrument",
]

_HOMES = {
    "ConfigError": ("tokenusage.errors", "ConfigError"),
    "LogsError": ("tokenusage.errors", "LogsError"),
    "RecordError": ("tokenusage.errors", "RecordError"),
    "TokenUsageError": ("tokenusage.errors", "TokenUsageError"),
    "Tracker": ("tokenusage.write.tracker", "Tracker"),
    "WrongUseError": ("tokenusage.errors", "WrongUseError"),
    "instrument": ("tokenusage.capture.instrument", "instrument"),
    "litellm_callback": ("tokenusage.capture.instrument", "litellm_callback"),
    "load": ("tokenusage.analyse.frame", "load"),
    "token_tracker": ("tokenusage.write.default", "tracker"),
    "track": ("tokenusage.context", "track"),
    "tracker": ("tokenusage.write.default", "tracker"),
    "uninstrument": ("tokenusage.capture.instrument", "uninstrument"),
}
"""The module that each public name lives in, and its name there."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value  # asked for once
    return value


def __dir__() -> list[str]:
    return __all__
