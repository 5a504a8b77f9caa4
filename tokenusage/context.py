"""The request around a call: who makes it and what for, said once for all calls inside.

What `track` says rides on contextvars: tasks and ``asyncio.to_thread`` take it
along, other threads and other tasks never see it.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from contextvars import ContextVar
from functools import partial, wraps
from types import MappingProxyType, TracebackType
from typing import Any, Final, ParamSpec, Self, TypedDict, TypeVar, Unpack, cast

from tokenusage.write.fields import check_fields, check_names

P = ParamSpec("P")
R = TypeVar("R")

Scope = Mapping[str, Any]
"""Fields of the record that hold for all calls inside; never changed once it is made."""

Asked = Callable[[], Scope]
"""Says the fields as far as they are known when it is called."""


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
    """One level of `track` that is entered.

    Args:
        by: Who has entered it.
        over: Takes the scope outside, and returns the one inside.
        outer: The level outside.
    """

    __slots__ = ("by", "outer", "over", "scope")

    def __init__(
        self, by: object, over: Callable[[Scope | Asked], Scope | Asked], outer: "_Entry | None"
    ) -> None:
        self.by = by
        self.over = over
        self.outer = outer
        self.scope: Scope | Asked = over(_EMPTY if outer is None else outer.scope)


_innermost: ContextVar[_Entry | None] = ContextVar("tokenusage_track", default=None)


def current() -> Scope:
    """Return the fields that hold here, inner `track` over outer; empty outside of any.

    Inside of a web request this asks for its user: once for each call is enough.
    """
    return _fields(_innermost.get())


def surrounding() -> Asked:
    """Return what says the fields that hold here, whenever and wherever it is called."""
    return partial(_fields, _innermost.get())


def _fields(entry: _Entry | None) -> Scope:
    if entry is None:
        return _EMPTY
    scope = entry.scope
    return scope() if callable(scope) else scope


class _Entered:
    """A context manager, usable again and again and by many threads and tasks at once."""

    __slots__ = ()

    def _over(self, outer: Scope | Asked) -> Scope | Asked:
        """Return the scope inside, where `outer` is the one outside."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        _innermost.set(_Entry(self, self._over, _innermost.get()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Not by a token: an async generator may be closed in another context than it began in,
        # and a generator in the middle of somebody else's block, which must go on to hold.
        entry = _innermost.get()
        inside = []
        while entry is not None and entry.by is not self:
            inside.append(entry)
            entry = entry.outer
        if entry is None:
            return
        left = entry.outer
        for other in reversed(inside):
            left = _Entry(other.by, other.over, left)
        _innermost.set(left)


class entered(_Entered):  # noqa: N801 - it is used as a function
    """Make exactly `scope` the current one inside of a ``with`` block.

    Args:
        scope: The fields, or what is asked for them whenever somebody wants to know.
    """

    __slots__ = ("scope",)

    def __init__(self, scope: Scope | Asked) -> None:
        self.scope = scope

    def _over(self, outer: Scope | Asked) -> Scope | Asked:  # noqa: ARG002 - hidden by this one
        return self.scope


class track(_Entered):  # noqa: N801 - it is used as a function
    """Say who makes the calls inside, and what for: a context manager and a decorator.

        with tokenusage.track(user_id=123, operation_type="rag_answer"):
            client.chat.completions.create(...)

        @tokenusage.track(operation_type="nightly_digest")
        async def digest(): ...

    Nested, the inner values win; tags are merged one by one. As a decorator it
    takes functions, methods and generators, sync and async; a coroutine that a
    function returns runs inside too. What a call itself is given comes before
    what is said here.

    Inside of a generator, decorate: a ``with`` block around a ``yield`` holds for
    whoever iterates, too, until the generator goes on.

    Raises:
        TypeError: a name that is no field which can be said of several calls, or a
            class or another thing that is no function to decorate.
        RecordError: a value that its field can't have.
    """

    __slots__ = ("_fields",)

    def __init__(self, **fields: Unpack[ScopeFields]) -> None:
        given: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
        check_names(given, ScopeFields.__annotations__.keys())
        check_fields(given)
        if "tags" in given:
            given["tags"] = dict(given["tags"])  # the caller's own may change
        self._fields = given

    def _over(self, outer: Scope | Asked) -> Scope | Asked:
        if callable(outer):
            return lambda: merged(outer(), self._fields)
        return merged(outer, self._fields)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return `function`, all of whose calls are made inside."""
        if isinstance(function, staticmethod | classmethod):
            return cast(Callable[P, R], type(function)(self(function.__func__)))
        if isinstance(function, type) or not callable(function):
            name = getattr(function, "__name__", type(function).__name__)
            raise TypeError(f"track decorates functions and methods, and {name} is neither.")
        wrapper: Callable[..., Any]
        if inspect.isasyncgenfunction(function):
            wrapper = async_steps_inside(self, function)
        elif inspect.isgeneratorfunction(function):
            wrapper = steps_inside(self, function)
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
            result = function(*args, **kwargs)
        # No other awaitable: it may be a task, or what ``async with`` takes as well.
        return _run(scope, result) if inspect.iscoroutine(result) else result

    return call


async def _run(scope: track, coroutine: Coroutine[Any, Any, Any]) -> Any:
    with scope:
        return await coroutine


def _awaited(scope: track, function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return await function(*args, **kwargs)

    return call


def steps_inside(
    scope: track | entered, function: Callable[..., Any]
) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a generator function that makes each step of `function`'s inside of `scope`.

    Between the steps, whoever iterates is outside.
    """

    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = function(*args, **kwargs)
        step = partial(steps.send, None)
        try:
            while True:
                try:
                    with scope:
                        value = step()
                except StopIteration as end:
                    return end.value
                try:
                    sent = yield value
                except BaseException as error:
                    step = partial(steps.throw, error)
                else:
                    step = partial(steps.send, sent)
        finally:
            del step  # holds an error that holds this frame: left to the garbage collector

    return call


def async_steps_inside(
    scope: track | entered, function: Callable[..., Any]
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return the same for a function that returns an async generator."""

    async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        steps = function(*args, **kwargs)
        step = partial(steps.asend, None)
        try:
            while True:
                try:
                    with scope:
                        value = await step()
                except StopAsyncIteration:
                    return
                try:
                    sent = yield value
                except BaseException as error:
                    step = partial(steps.athrow, error)
                else:
                    step = partial(steps.asend, sent)
        finally:
            del step  # holds an error that holds this frame: left to the garbage collector

    return call
