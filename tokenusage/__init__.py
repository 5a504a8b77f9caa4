"""Tokens and cost of LLM calls: log them, load them, report them.

    from tokenusage import tracker

    tracker.record(model_name="gpt-4o-mini", operation_type="rag_answer", prompt_tokens=1250)

Every name is loaded when it is first asked for, so that importing the package
costs an application nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenusage.analyse.frame import load
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
    "load",
    "token_tracker",
    "tracker",
]

_HOMES = {
    "ConfigError": ("tokenusage.errors", "ConfigError"),
    "LogsError": ("tokenusage.errors", "LogsError"),
    "RecordError": ("tokenusage.errors", "RecordError"),
    "TokenUsageError": ("tokenusage.errors", "TokenUsageError"),
    "Tracker": ("tokenusage.write.tracker", "Tracker"),
    "WrongUseError": ("tokenusage.errors", "WrongUseError"),
    "load": ("tokenusage.analyse.frame", "load"),
    "token_tracker": ("tokenusage.write.default", "tracker"),
    "tracker": ("tokenusage.write.default", "tracker"),
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
