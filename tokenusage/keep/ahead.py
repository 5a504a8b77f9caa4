"""Working on days in threads, a little ahead of the one that is wanted."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Final, Self, TypeVar

from tokenusage.keep.plan import Step
from tokenusage.read.pool import threads

_THREADS: Final = 2
"""A small day has parts that keep one processor busy only; two of them keep two."""

_WAITING: Final = 3
_MOST_BYTES: Final = 512 << 20
"""What is worked on at the same time at most; a larger day has the memory for itself."""

_Result = TypeVar("_Result")


class _StoppedError(Exception):
    """Nobody wants the work any more."""


class DaysAhead:
    """Works on days, in order; a context manager that stops its threads.

    Args:
        advance: told, in any thread, how many bytes were read since it was last told.
    """

    def __init__(self, advance: Callable[[int], None] | None) -> None:
        self._advance = advance
        self._stopped = False
        # Beside a single processor's own thread another one gains nothing.
        self._pool = ThreadPoolExecutor(_THREADS) if threads() > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        # Ctrl-C is answered when the threads have read a piece more.
        self._stopped = True
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def each(
        self, steps: Sequence[Step], work: Callable[[date], _Result]
    ) -> Iterator[tuple[Step, Callable[[], _Result]]]:
        """Yield each step with what gives, or raises, what `work` makes of its day."""
        if self._pool is None:
            yield from ((step, partial(work, step.day)) for step in steps)
            return
        todo = deque(steps)
        waiting: deque[tuple[Step, Future[_Result]]] = deque()
        while todo or waiting:
            while todo and self._has_room([step for step, _ in waiting], todo[0]):
                step = todo.popleft()
                waiting.append((step, self._pool.submit(work, step.day)))
            step, future = waiting.popleft()
            yield step, future.result

    def tell(self, done: int) -> None:
        """Tell of bytes that were read; stops the thread where nobody wants its work any more."""
        if self._stopped:
            raise _StoppedError
        if self._advance:
            self._advance(done)

    def _has_room(self, waiting: Sequence[Step], step: Step) -> bool:
        size = sum(one.size for one in (*waiting, step))
        return not waiting or (len(waiting) < _WAITING and size <= _MOST_BYTES)
