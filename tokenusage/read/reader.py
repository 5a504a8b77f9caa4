"""Reading log files in the threads of a pool."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from tokenusage.logs import DayFile
from tokenusage.read.pool import in_order
from tokenusage.read.segments import BUFFER_BYTES, Chunk, Segment, read_segment, segments

_Result = TypeVar("_Result")


class Reader:
    """Reads log files segment by segment; each thread of `pool` has a buffer of its own."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._own = threading.local()

    def each(
        self, work: Callable[[Segment, Chunk], _Result], file: DayFile, first: int = 0
    ) -> Iterator[_Result]:
        """Yield ``work(segment, chunk)`` for the lines of a file from byte `first` on, in order.

        Raises:
            ListingChangedError: the file is gone, or another one stands in its place.
            OSError: it can't be read, or is no regular file.
        """
        return in_order(self._pool, partial(self.read, work), segments(file, first))

    def read(self, work: Callable[[Segment, Chunk], _Result], segment: Segment) -> _Result:
        """Return ``work(segment, chunk)``, in the thread that asks; raises as `each` does."""
        if not hasattr(self._own, "buffer"):
            self._own.buffer = bytearray(BUFFER_BYTES)
        return work(segment, read_segment(segment, self._own.buffer))
