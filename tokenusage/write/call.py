"""A call in progress: times a block and records how it went."""

import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, Self, Unpack

from tokenusage.context import Scope, current, entered
from tokenusage.record import CallFields, Record, TokenFields
from tokenusage.write.fields import check_fields

logger = logging.getLogger("tokenusage")


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
            logger.warning("A failed call could not be recorded (%s)", type(own).__name__)


def describe(error: BaseException) -> str:
    """Return the type and message of `error`, as in ``ValueError: boom``."""
    name = type(error).__name__
    try:
        message = str(error)
    except Exception as broken:
        return f"{name}: its message raised {type(broken).__name__}"
    return f"{name}: {message}" if message else name
