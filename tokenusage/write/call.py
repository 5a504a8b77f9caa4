"""A call in progress: times a block and records how it went."""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Self, Unpack

from tokenusage.context import Scope, current, entered
from tokenusage.record import CallFields, Record, TokenFields
from tokenusage.write.announce import tell
from tokenusage.write.fields import check_fields
from tokenusage.write.redact import MASK

MAX_MESSAGE: Final = 2000
"""The longest error message that is kept, in characters: a proxy's HTML page is none."""


class Call:
    """One call, as `Tracker.call` returns it; use it in a ``with`` statement.

    The block's time becomes ``response_time``, and an exception that leaves the
    block a failure with its type and message; the exception goes on. Works in
    async functions just as well. The `tokenusage.track` that counts is the one
    around the beginning of the block.
    """

    __slots__ = ("_fields", "_record", "_scope", "_started", "record")

    record: Record | None
    """What was written, once the block is left; None when it had to be dropped."""

    def __init__(self, record: Callable[..., Record | None], fields: Mapping[str, Any]) -> None:
        self._record = record
        self._fields: dict[str, Any] = {}
        self._scope: Scope = {}
        self._started = 0.0
        self.record = None
        self.set(**fields)

    def tokens(
        self,
        *,
        prompt: int,
        completion: int = 0,
        total: int | None = None,
        **more: Unpack[TokenFields],
    ) -> None:
        """Set the call's tokens: prompt with cache reads and writes, completion with reasoning.

        Raises:
            TypeError: an unknown field in `more`.
            RecordError: a value that its field can't have.
        """
        self.set(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total, **more)

    def set(self, **fields: Unpack[CallFields]) -> None:
        """Set fields of the record, such as the ``model_name`` that has answered.

        Raises:
            TypeError: an unknown field.
            RecordError: a value that its field can't have.
        """
        check_fields(fields)
        self._fields.update(fields)

    def __enter__(self) -> Self:
        self._scope = current()
        self._started = perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        fields = {"response_time": round(perf_counter() - self._started, 6)} | self._fields
        if error is None:
            with entered(self._scope):
                self.record = self._record(**fields)
            return
        fields |= {"success": False, "error_message": describe(error)}
        try:
            with entered(self._scope):
                self.record = self._record(**fields)
        except Exception as own:
            # The application's own exception is the one that has to come out.
            ours = type(own).__name__
            tell(logging.WARNING, "A failed call could not be recorded (%s)", ours)


def describe(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """Return the type and message of `error`, as in ``ValueError: boom``, `secrets` masked.

    At most `MAX_MESSAGE` characters. Of pydantic's own errors only where and why: their
    messages quote the value, which may be a model's answer.
    """
    name = type(error).__name__
    try:
        message = _message(error)
    except Exception as broken:
        return f"{name}: its message raised {type(broken).__name__}"
    text = f"{name}: {message}" if message else name
    for secret in secrets:  # before it is cut, which might leave half of one
        text = text.replace(secret, MASK)
    return text if len(text) <= MAX_MESSAGE else f"{text[: MAX_MESSAGE - 1]}…"


def _message(error: BaseException) -> str:
    # Where it is not imported, it has raised nothing.
    pydantic = sys.modules.get("pydantic_core")
    if pydantic is None or not isinstance(error, pydantic.ValidationError):
        return str(error)
    found = error.errors(include_url=False, include_context=False, include_input=False)
    kinds = (f"{'.'.join(map(str, one['loc']))} ({one['type']})".lstrip() for one in found)
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} for {error.title}: {', '.join(kinds)}"
