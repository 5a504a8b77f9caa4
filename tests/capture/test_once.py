"""When two sightings of a call are one, and when they are not."""

import weakref

from tokenusage.capture.once import LIFETIME, MOST, Once

HOST = "api.openai.com"


def first(once: Once, response_id: str, hook: str, at: float = 0.0, host: str = HOST) -> bool:
    """See a call that took a second and ended at `at`."""
    return once.first(response_id, host, hook, at - 1, at)


def test_call_seen_by_two_hooks_is_one() -> None:
    """The second hook is told so, whichever of them it is."""
    once = Once()
    assert first(once, "a", "openai")
    assert not first(once, "a", "litellm")
    assert first(once, "b", "litellm")
    assert not first(once, "b", "openai")


def test_calls_of_one_hook_are_two() -> None:
    """Compatible servers give every response the same id; each is paired once."""
    once = Once()
    assert all(first(once, "same", "openai") for _ in range(3))
    assert [first(once, "same", "litellm") for _ in range(4)] == [False, False, False, True]


def test_calls_at_other_times_are_two() -> None:
    """One call can only be seen twice while it lasts."""
    once = Once()
    assert first(once, "same", "litellm", at=10)
    assert first(once, "same", "openai", at=12)
    assert not first(once, "same", "litellm", at=12.5)


def test_other_host_is_another_call() -> None:
    """An id means something only at its host."""
    once = Once()
    assert first(once, "a", "openai")
    assert first(once, "a", "litellm", host="localhost:8000")


def test_sighting_is_forgotten_after_a_while() -> None:
    """The long call that comes then has one of its own."""
    once = Once()
    first(once, "a", "openai", at=1)
    first(once, "b", "openai", at=1 + LIFETIME)
    assert once.first("a", HOST, "litellm", 0, 2 + LIFETIME)


def test_sightings_have_a_bound() -> None:
    """A program with one hook alone keeps no more than the newest."""
    once = Once()
    for number in range(MOST + 5):
        first(once, str(number), "openai")
    assert first(once, "0", "litellm")
    assert not first(once, str(MOST), "litellm")


class RefusedError(Exception):
    """An SDK's."""


def test_error_raised_from_a_known_one_is_the_same_failure() -> None:
    """LiteLLM raises an error of its own from the SDK's, with or without ``from``."""
    once = Once()
    inner, outer = RefusedError(), RuntimeError("mapped")
    outer.__context__ = inner
    assert once.first_error(inner, "openai", None)
    assert not once.first_error(outer, "litellm", None)
    assert once.first_error(RefusedError(), "litellm", None)


def test_failure_within_the_handling_of_another_is_one_of_its_own() -> None:
    """A fallback that fails too has the first failure in its chain."""
    once = Once()
    handled, fallback, again = RefusedError(), RefusedError(), RefusedError()
    fallback.__context__ = again.__context__ = handled
    assert once.first_error(handled, "openai", None)
    assert once.first_error(fallback, "litellm", id(handled))
    assert once.first_error(again, "openai", None)


def test_error_is_not_kept() -> None:
    """Its traceback holds the application's objects."""
    once = Once()
    error = RefusedError()
    once.first_error(error, "openai", None)
    reference = weakref.ref(error)
    del error
    assert reference() is None
