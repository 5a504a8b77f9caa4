"""A call that two stacked hooks have seen, LiteLLM's over OpenAI's, is written once."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import monotonic
from typing import Final
from weakref import WeakSet

from tokenusage.write.forks import renew_after_fork

LIFETIME: Final = 60.0
"""Seconds for which a call waits for the other hook."""

MOST: Final = 10_000
"""Calls that wait at most; the oldest make room."""

_CHAIN: Final = 20
"""Exceptions of a chain that are looked at."""

_Key = tuple[str, str]


class Once:
    """Remembers for a short time which hook has seen which call.

    A call is known by its response's id and the host. Never by the id alone, and
    never when reading: compatible servers give every response the same id. For
    the same reason two calls of *one* hook are always two.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Let a forked child begin anew: the parent's calls end in the parent."""
        # A signal handler may make a call while this very thread is here.
        self._lock = threading.RLock()
        self._waiting: OrderedDict[int, tuple[_Key, str, float]] = OrderedDict()
        self._numbers: dict[_Key, dict[str, deque[int]]] = {}
        self._count = 0
        self._errors: WeakSet[BaseException] = WeakSet()

    def first(self, response_id: str, host: str, hook: str) -> bool:
        """Say whether `hook` is the first to see this call; if so, it is remembered."""
        key = (response_id, host)
        with self._lock:
            now = self._clock()
            self._forget(now)
            by_hook = self._numbers.setdefault(key, {})
            for other, numbers in by_hook.items():
                if other != hook:
                    self._take(numbers[0])
                    return False
            self._count += 1
            self._waiting[self._count] = (key, hook, now)
            by_hook.setdefault(hook, deque()).append(self._count)
            return True

    def first_error(self, error: BaseException) -> bool:
        """Say whether neither `error` nor one that it was raised from was seen before."""
        with self._lock:
            known = any(one in self._errors for one in _chain(error))
            with suppress(TypeError):  # Python's own can't be held weakly; SDKs raise theirs
                self._errors.add(error)
            return not known

    def _forget(self, now: float) -> None:
        while self._waiting:
            number, (_, _, since) = next(iter(self._waiting.items()))
            if len(self._waiting) < MOST and now - since < LIFETIME:
                return
            self._take(number)

    def _take(self, number: int) -> None:
        """Forget a call, which is the oldest of its key and hook."""
        key, hook, _ = self._waiting.pop(number)
        by_hook = self._numbers[key]
        by_hook[hook].popleft()
        if not by_hook[hook]:
            del by_hook[hook]
        if not by_hook:
            del self._numbers[key]


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_CHAIN):
        if one is None:
            return
        yield one
        one = one.__cause__ or one.__context__
