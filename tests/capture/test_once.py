"""When two sightings of a call are one, and when they are not."""

import weakref

from tokenusage.capture.once import LIFETIME, MOST, Once

HOST = "api.openai.com"


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return them."""
        return self.now


def test_call_seen_by_two_hooks_is_one() -> None:
    """The second hook is told so, whichever of them it is."""
    once = Once()
    assert once.first("a", HOST, "openai")
    assert not once.first("a", HOST, "litellm")
    assert once.first("b", HOST, "litellm")
    assert not once.first("b", HOST, "openai")


def test_calls_of_one_hook_are_two() -> None:
    """Compatible servers give every response the same id; each is paired once."""
    once = Once()
    assert all(once.first("same", HOST, "openai") for _ in range(3))
    assert [once.first("same", HOST, "litellm") for _ in range(4)] == [False, False, False, True]


def test_other_host_is_another_call() -> None:
    """An id means something only at its host."""
    once = Once()
    assert once.first("a", HOST, "openai")
    assert once.first("a", "localhost:8000", "litellm")


def test_sighting_is_forgotten_after_a_while() -> None:
    """What comes later is a call of its own."""
    clock = Clock()
    once = Once(clock)
    once.first("a", HOST, "openai")
    clock.now = LIFETIME
    assert once.first("a", HOST, "litellm")


def test_sightings_have_a_bound() -> None:
    """A program with one hook alone keeps no more than the newest."""
    once = Once(Clock())
    for number in range(MOST + 5):
        once.first(str(number), HOST, "openai")
    assert once.first("0", HOST, "litellm")
    assert not once.first(str(MOST), HOST, "litellm")


class RefusedError(Exception):
    """An SDK's."""


def test_error_raised_from_a_known_one_is_the_same_failure() -> None:
    """LiteLLM raises an error of its own from the SDK's, with or without ``from``."""
    once = Once()
    inner, outer = RefusedError(), RuntimeError("mapped")
    outer.__context__ = inner
    assert once.first_error(inner)
    assert not once.first_error(outer)
    assert once.first_error(RefusedError())


def test_error_is_not_kept() -> None:
    """Its traceback holds the application's objects."""
    once = Once()
    error = RefusedError()
    once.first_error(error)
    reference = weakref.ref(error)
    del error
    assert reference() is None
