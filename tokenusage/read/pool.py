"""Work in threads whose results come in order, and never many of them at once."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_MOST: Final = 4

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def threads() -> int:
    """Return how many threads read and convert as fast as more would."""
    return min(os.cpu_count() or 1, _MOST)


def in_order(
    pool: ThreadPoolExecutor,
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    ahead: int = 4,
) -> Iterator[_Result]:
    """Yield ``work(item)`` for each item, done in `pool`.

    `Executor.map` would finish all of them before the first is taken, however much
    memory they need; here only `ahead` are.
    """
    waiting: deque[Future[_Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
