"""From an SDK's objects to the plain dicts and lists of the wire."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, Final

MAX_DEPTH: Final = 64
"""What is nested deeper is left out: no provider's payload is, and Python's stack has an end."""

_SCALARS: Final = frozenset({str, int, float, bool, bytes, type(None)})
_NUMBERS: Final = frozenset({int, float})


def plain(value: Any, leave: frozenset[str] = frozenset()) -> Any:
    """Return an SDK's object as plain dicts and lists, under the names of the wire.

    What stands under the names in `leave` stays as it is: the answer itself, where
    nobody is going to read it.

    Takes pydantic models (so google-genai's names become camelCase, as they are
    aliased there), dataclasses, mappings, sequences and enums; anything else is
    returned as it is. What a model holds as None is left out, as it is on the wire.
    The attributes are read directly, since pydantic's own `model_dump` warns of
    what a lenient SDK let in, and takes ten times as long.
    """
    if not leave:
        return _plain(value, 0)
    names = _wire_names(value.__class__)
    if names is None:
        return _plain(value, 0)
    return {
        names.get(name, name): x if x.__class__ in _SCALARS or name in leave else _plain(x, 1)
        for name, x in _held(value).items()
        if x is not None
    }


def _plain(value: Any, depth: int) -> Any:
    kind = value.__class__
    if kind in _SCALARS:
        return value
    if depth >= MAX_DEPTH:
        return None
    depth += 1
    if kind is list or kind is tuple:
        # An embedding is thousands of numbers, and nothing else.
        if value and value[0].__class__ in _NUMBERS:
            return value
        return [x if x.__class__ in _SCALARS else _plain(x, depth) for x in value]
    if isinstance(value, Mapping):
        return {key: x if x.__class__ in _SCALARS else _plain(x, depth) for key, x in value.items()}
    if isinstance(value, Enum):
        return value.value
    names = _wire_names(kind)
    if names is None:
        return value
    return {
        names.get(name, name): x if x.__class__ in _SCALARS else _plain(x, depth)
        for name, x in _held(value).items()
        if x is not None
    }


def _held(value: Any) -> dict[str, Any]:
    held: dict[str, Any] = value.__dict__
    extra = getattr(value, "__pydantic_extra__", None)
    return {**held, **extra} if extra else held


@lru_cache(maxsize=1024)
def _wire_names(kind: type) -> dict[str, str] | None:
    """Return the names that differ on the wire, None for a class that is no model."""
    if not hasattr(kind, "__dict__") or isinstance(kind, Enum):
        return None
    described = getattr(kind, "model_fields", None)
    if isinstance(described, dict):
        return {name: alias for name, about in described.items() if (alias := about.alias)}
    if is_dataclass(kind) and "__slots__" not in vars(kind):
        return {about.name: about.name for about in fields(kind)}
    return None
