"""What `track` says of the calls inside, and that it leaks nowhere."""

import asyncio
import inspect
import threading
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest

from tokenusage.context import current, entered, track
from tokenusage.errors import RecordError


def user() -> Any:
    return current().get("user_id")


def test_outside_of_any_nothing_is_said() -> None:
    """There is no scope before the first and behind the last."""
    assert dict(current()) == {}
    with track(user_id=1):
        pass
    assert dict(current()) == {}


def test_inner_values_win_and_the_others_stay() -> None:
    """Fields are merged level by level, and an unset one hides nothing."""
    with track(user_id=1, session_id="s"), track(user_id=2, session_id=None):
        assert dict(current()) == {"user_id": 2, "session_id": "s"}


def test_tags_are_merged_one_by_one() -> None:
    """An inner tag replaces the outer one of its name alone."""
    with track(tags={"team": "a", "x": 1}) as outer, track(tags={"team": "b"}):
        assert current()["tags"] == {"team": "b", "x": 1}
        with outer:
            assert current()["tags"] == {"team": "a", "x": 1}


def test_exception_leaves_the_scope() -> None:
    """Whatever ends the block, the outer scope holds again."""
    with track(user_id=1):
        with pytest.raises(ValueError, match="boom"), track(user_id=2):
            raise ValueError("boom")
        assert user() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [({"user": 1}, TypeError), ({"prompt_tokens": 1}, TypeError), ({"user_id": []}, RecordError)],
)
def test_wrong_field_is_said_at_once(fields: dict[str, Any], error: type[Exception]) -> None:
    """Not at the first call inside, where nobody would hear of it."""
    with pytest.raises(error):
        track(**fields)


def test_tags_are_those_that_were_given() -> None:
    """What the caller does to its own mapping afterwards is not said."""
    tags: dict[str, Any] = {"team": "a"}
    scope = track(tags=tags)
    tags["team"] = ["b"]
    with scope:
        assert current()["tags"] == {"team": "a"}


def test_who_is_asked_is_asked_when_somebody_wants_to_know() -> None:
    """Not when a block begins: by then the answer may be another one."""
    answers = [1, 2]
    with entered(lambda: {"user_id": answers.pop(0)}), track(session_id="s"), track(items=1):
        assert answers == [1, 2]
        first = current()
        assert dict(current()) == {"user_id": 2, "session_id": "s", "items": 1}
    assert first == {"user_id": 1, "session_id": "s", "items": 1}


def test_exact_scope_hides_the_outer_one() -> None:
    """What a call remembers holds as it was, wherever the call ends."""
    with track(user_id=1, session_id="s"), entered({"user_id": 2}):
        assert dict(current()) == {"user_id": 2}


def test_decorated_function_runs_inside() -> None:
    """Its arguments, result, name and signature are its own."""

    @track(user_id=1)
    def ask(question: str) -> tuple[str, Any]:
        """Ask."""
        return question, user()

    assert ask("why") == ("why", 1)
    assert (ask.__name__, ask.__doc__, user()) == ("ask", "Ask.", None)


def test_decorated_methods_stay_what_they_are() -> None:
    """Whichever of the two decorators stands above the other."""

    class Asker:
        @track(user_id=1)
        @staticmethod
        def static(argument: str) -> tuple[str, Any]:
            return argument, user()

        @track(user_id=2)
        @classmethod
        def of_class(cls) -> tuple[str, Any]:
            return cls.__name__, user()

        @classmethod
        @track(user_id=3)
        def usual(cls) -> tuple[str, Any]:
            return cls.__name__, user()

    assert Asker.static("a") == Asker().static("a") == ("a", 1)
    assert Asker.of_class() == Asker().of_class() == ("Asker", 2)
    assert Asker().usual() == ("Asker", 3)


@pytest.mark.parametrize("thing", [int, property(lambda _: 1), 7])
def test_what_is_no_function_is_refused(thing: Any) -> None:
    """A class would turn into a function, and its methods run outside."""
    with pytest.raises(TypeError, match="track decorates functions and methods"):
        track(user_id=1)(thing)


def test_coroutine_of_a_plain_function_runs_inside() -> None:
    """Where it was made by a lambda, a partial, or an object that is called."""

    async def ask(_question: str = "") -> Any:
        await asyncio.sleep(0)
        return user()

    class Asker:
        async def __call__(self) -> Any:
            return await ask()

    async def run() -> list[Any]:
        made = track(user_id=1)(lambda: ask("why"))()
        assert asyncio.iscoroutine(made)
        return [await made, await track(user_id=2)(Asker())(), await bound("why"), user()]

    bound = track(user_id=3)(partial(ask))
    assert inspect.iscoroutinefunction(bound)
    assert asyncio.run(run()) == [1, 2, 3, None]


def test_decorated_coroutines_keep_their_own_scope() -> None:
    """Tasks that run at once don't see each other's user."""

    async def ask(number: int) -> Any:
        with track(user_id=number):
            await asyncio.sleep(0.001 * (number % 3))
            return await asyncio.to_thread(user)

    @track(user_id=-1)
    async def everyone() -> list[Any]:
        answers = await asyncio.gather(*(ask(number) for number in range(50)))
        return [*answers, user()]

    assert asyncio.run(everyone()) == [*range(50), -1]


def test_one_scope_serves_many_threads() -> None:
    """A decorator or a shared `track` holds nothing of who has entered it."""
    shared = track(user_id=7)
    barrier = threading.Barrier(8)
    seen: list[tuple[Any, Any]] = []

    def work() -> None:
        with shared, shared:
            barrier.wait()
            inside = user()
        seen.append((inside, user()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [(7, None)] * 8


def test_block_left_in_another_context_changes_nothing_there() -> None:
    """An async generator may be closed by another task than the one that began it."""
    scope = track(user_id=1)
    copy_context().run(scope.__enter__)
    with track(user_id=2):
        scope.__exit__(None, None, None)
        assert user() == 2
