"""Generators inside of `track`: their own scope holds while they run, and nowhere else."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import Any

import pytest

from tokenusage.context import current, track


def user() -> Any:
    return current().get("user_id")


def test_generator_runs_inside_and_its_consumer_outside() -> None:
    """Between two values the scope is left; sent values, errors and results pass."""
    closed: list[Any] = []

    @track(user_id=1)
    def numbers() -> Generator[Any, Any, str]:
        try:
            sent = yield user()
            try:
                yield sent
            except ValueError as error:
                yield str(error)
            return "end"
        finally:
            closed.append(user())

    steps = numbers()
    assert (next(steps), user()) == (1, None)
    assert (steps.send("hello"), user()) == ("hello", None)
    assert steps.throw(ValueError("boom")) == "boom"
    with pytest.raises(StopIteration, match="end"):
        next(steps)
    abandoned = numbers()
    next(abandoned)
    abandoned.close()
    assert closed == [1, 1]


def test_generator_that_is_closed_may_clean_up_and_return() -> None:
    """Closing passes through as if the generator were not decorated, as far as Python has it."""

    def numbers() -> Generator[Any, Any, Any]:
        try:
            yield 1
        except GeneratorExit:
            return user()

    plain, decorated = numbers(), track(user_id=1)(numbers)()
    assert next(plain) == next(decorated) == 1
    with track(user_id=1):
        result: Any = plain.close()  # type: ignore[func-returns-value] # it does since Python 3.13
    assert decorated.close() == result  # type: ignore[func-returns-value] # as above


def test_async_generator_runs_inside_and_its_consumer_outside() -> None:
    """The same for what is iterated with ``async for``, closed early or not."""
    closed: list[Any] = []

    @track(user_id=1)
    async def numbers() -> AsyncGenerator[Any, Any]:
        try:
            sent = yield user()
            try:
                yield sent
            except ValueError as error:
                yield str(error)
        finally:
            closed.append(user())

    async def consume() -> None:
        steps = numbers()
        assert (await anext(steps), user()) == (1, None)
        assert await steps.asend("hello") == "hello"
        assert await steps.athrow(ValueError("boom")) == "boom"
        with pytest.raises(StopAsyncIteration):
            await anext(steps)
        async with aclosing(numbers()) as abandoned:
            await anext(abandoned)

    asyncio.run(consume())
    assert closed == [1, 1]


def test_generator_that_ends_in_somebody_elses_block_leaves_it_on() -> None:
    """Only its own level goes, and the others hold as if it had never been there."""

    def numbers() -> Generator[Any, None, None]:
        with track(user_id=1, items=9):
            yield user()

    with track(user_id="outer"):
        steps = numbers()
        assert next(steps) == 1
        with track(session_id="s"), track(tags={"a": 1}):
            steps.close()
            assert dict(current()) == {"user_id": "outer", "session_id": "s", "tags": {"a": 1}}
        assert dict(current()) == {"user_id": "outer"}
    assert dict(current()) == {}


class Held:
    """Something that a generator holds."""


def test_generator_that_is_left_lets_go_at_once() -> None:
    """A connection in it is closed then, not when the garbage collector comes."""
    held: list[weakref.ref[Held]] = []

    @track(user_id=1)
    def numbers() -> Generator[int, None, None]:
        mine = Held()
        held.append(weakref.ref(mine))
        yield 1

    gc.disable()
    try:
        steps = numbers()
        next(steps)
        steps.close()
        assert held[0]() is None
    finally:
        gc.enable()
