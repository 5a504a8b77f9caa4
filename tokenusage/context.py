"""The request around a call: who makes it and what for, said once for all calls inside.

What `track` says rides on contextvars: tasks and ``asyncio.to_thread`` take it
along, other threads and other tasks never see it.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextvars import ContextVar
from functools import wraps
from types import MappingProxyType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypedDict, TypeVar, Unpack, cast

from tokenusage.write.fields import check_fields, check_names

P = ParamSpec("P")
R = TypeVar("R")

Scope = Mapping[str, Any]
"""Fields of the record that hold for all calls inside; never changed once it is made."""


class ScopeFields(TypedDict, total=False):
    """What can be said of all calls inside; None is unset."""

    user_id: int | str | None
    user_email: str | None
    operation_type: str | None
    query: str | None
    session_id: str | None
    task_id: str | None
    batch_id: str | None
    items: int | None
    """Units of work in each of the calls."""
    provider: str | None
    """Who sells the model, where that can't be told from the address, behind a gateway."""
    tags: Mapping[str, str | float | bool] | None


_EMPTY: Final[Scope] = MappingProxyType({})


class _Entry:
    """One level of `track` that is entered."""

    __slots__ = ("by", "outer", "scope")

    def __init__(self, scope: Scope, by: object, outer: "_Entry | None") -> None:
        self.scope = scope
        self.by = by
        self.outer = outer


_innermost: ContextVar[_Entry | None] = ContextVar("tokenusage_track", default=None)


def current() -> Scope:
    """Return the fields that hold here, inner `track` over outer; empty outside of any."""
    entry = _innermost.get()
    return _EMPTY if entry is None else entry.scope


class _Entered:
    """A context manager, usable again and again and by many threads and tasks at once."""

    __slots__ = ()

    def _scope(self) -> Scope:
        raise NotImplementedError

    def __enter__(self) -> Self:
        _innermost.set(_Entry(self._scope(), self, _innermost.get()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not by a token: an async generator may be closed in another context than it began in.
        entry = _innermost.get()
        while entry is not None and entry.by is not self:
            entry = entry.outer
        if entry is not None:
            _innermost.set(entry.outer)


class entered(_Entered):  # noqa: N801 - it is used as a function
    """Make exactly `scope` the current one inside of a ``with`` block."""

    __slots__ = ("scope",)

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def _scope(self) -> Scope:
        return self.scope


class track(_Entered):  # noqa: N801 - it is used as a function
    """Say who makes the calls inside, and what for: a context manager and a decorator.

        with tokenusage.track(user_id=123, operation_type="rag_answer"):
            client.chat.completions.create(...)

        @tokenusage.track(operation_type="nightly_digest")
        async def digest(): ...

    Nested, the inner values win; tags are merged one by one. As a decorator it
    takes functions and generators, sync and async. What a call itself is given
    comes before what is said here.

    Raises:
        TypeError: a name that is no field which can be said of several calls.
        RecordError: a value that its field can't have.
    """

    __slots__ = ("_fields",)

    def __init__(self, **fields: Unpack[ScopeFields]) -> None:
        given = {name: value for name, value in fields.items() if value is not None}
        check_names(given, ScopeFields.__annotations__.keys())
        check_fields(given)
        self._fields = given

    def _scope(self) -> Scope:
        return merged(current(), self._fields)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function`, all of whose calls are made inside."""
        wrapper: Callable[..., Any]
        if inspect.isasyncgenfunction(function):
            wrapper = _async_steps(self, function)
        elif inspect.isgeneratorfunction(function):
            wrapper = _steps(self, function)
        elif inspect.iscoroutinefunction(function):
            wrapper = _awaited(self, function)
        else:
            wrapper = _called(self, function)
        return cast(Callable[P, R], wraps(function)(wrapper))


def merged(outer: Scope, inner: Scope) -> Scope:
    """Return the fields of both, those of `inner` over those of `outer`, tags one by one."""
    both = {**outer, **inner}
    if "tags" in outer and "tags" in inner:
        both["tags"] = {**outer["tags"], **inner["tags"]}
    return both


def _called(scope: track, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return function(*args, **kwargs)

    return call


def _awaited(scope: track, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return await function(*args, **kwargs)

    return call


def _steps(scope: track, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = function(*args, **kwargs)
        step = _bound(steps.send, None)
        while True:
            try:
                # One step at a time: whoever iterates must not find itself inside.
                with scope:
                    value = step()
            except StopIteration as end:
                return end.value
            try:
                sent = yield value
            except GeneratorExit:
                with scope:
                    steps.close()
                raise
            except BaseException as error:
                step = _bound(steps.throw, error)
            else:
                step = _bound(steps.send, sent)

    return call


def _async_steps(scope: track, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = function(*args, **kwargs)
        step = _bound(steps.asend, None)
        while True:
            try:
                with scope:
                    value = await step()
            except StopAsyncIteration:
                return
            try:
                sent = yield value
            except GeneratorExit:
                with scope:
                    await steps.aclose()
                raise
            except BaseException as error:
                step = _bound(steps.athrow, error)
            else:
                step = _bound(steps.asend, sent)

    return call


def _bound(method: Callable[[Any], Any], argument: Any) -> Callable[[], Any]:
    return lambda: method(argument)
