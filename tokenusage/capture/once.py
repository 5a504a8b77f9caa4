"""A call that two stacked hooks have seen, LiteLLM's over OpenAI's, is written once."""

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from tokenusage.write.forks import renew_after_fork

LIFETIME: Final = 60.0
"""Seconds for which a call waits for the other hook."""

MOST: Final = 10_000
"""Calls that wait at most; the oldest make room."""

_CHAIN: Final = 20
"""Exceptions of a chain that are looked at."""

_Key = tuple[str, str]


class _Sighting(NamedTuple):
    key: _Key
    hook: str
    began: float
    ended: float


class Once:
    """Remembers for a short time which hook has seen which call.

    A call is known by its response's id and the host, where two hooks saw it at the
    same time. Never by the id alone, and never when reading: compatible servers give
    every response the same id. For the same reason two calls of *one* hook are
    always two.
    """

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Let a forked child begin anew: the parent's calls end in the parent."""
        # A signal handler may make a call while this very thread is here.
        self._lock = threading.RLock()
        self._waiting: OrderedDict[int, _Sighting] = OrderedDict()
        self._numbers: dict[_Key, dict[str, deque[int]]] = {}
        self._count = 0
        self._errors: WeakKeyDictionary[BaseException, str] = WeakKeyDictionary()

    def first(self, response_id: str, host: str, hook: str, began: float, ended: float) -> bool:
        """Say whether `hook` is the first to see this call; if so, it is remembered.

        `began` and `ended` are `time.perf_counter()`'s seconds.
        """
        seen = _Sighting((response_id, host), hook, began, ended)
        with self._lock:
            self._forget(ended)
            by_hook = self._numbers.setdefault(seen.key, {})
            for other, numbers in by_hook.items():
                if other == hook:
                    continue
                for number in reversed(numbers):
                    known = self._waiting[number]
                    if known.began <= ended and began <= known.ended:
                        self._take(number)
                        return False
            self._count += 1
            self._waiting[self._count] = seen
            by_hook.setdefault(hook, deque()).append(self._count)
            return True

    def first_error(self, error: BaseException, hook: str, handled: int | None) -> bool:
        """Say whether no other hook has seen `error`, or one that it was raised from.

        Args:
            error: What a call has failed with.
            hook: Who has seen it now.
            handled: The `id` of the exception that was being handled when the call began;
                from there on the chain is about earlier calls.
        """
        with self._lock:
            seen = [self._errors.get(one, hook) for one in _chain(error, handled) if _weak(one)]
            if _weak(error):
                self._errors[error] = hook
            return all(other == hook for other in seen)

    def _forget(self, now: float) -> None:
        while self._waiting:
            number, oldest = next(iter(self._waiting.items()))
            if len(self._waiting) < MOST and now - oldest.ended < LIFETIME:
                return
            self._take(number)

    def _take(self, number: int) -> None:
        seen = self._waiting.pop(number)
        by_hook = self._numbers[seen.key]
        by_hook[seen.hook].remove(number)
        if not by_hook[seen.hook]:
            del by_hook[seen.hook]
        if not by_hook:
            del self._numbers[seen.key]


def _chain(error: BaseException, handled: int | None) -> Iterator[BaseException]:
    one: BaseException | None = error
    for _ in range(_CHAIN):
        if one is None or id(one) == handled:
            return
        yield one
        one = one.__cause__ or one.__context__


def _weak(error: BaseException) -> bool:
    # Python's own exceptions can't be held weakly; SDKs raise theirs.
    return type(error).__weakrefoffset__ != 0
