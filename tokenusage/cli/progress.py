"""A progress bar for work that takes long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

from rich.console import Console
from rich.progress import Progress

PATIENCE: Final = 1.0
"""Seconds of work before there is anything to see."""


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how much of `total` was done since it was last told.

    After `PATIENCE` it draws a bar on stderr, which is gone when the work is done.
    """
    started = monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=total)
    shown = False

    def advance(done: int) -> None:
        nonlocal shown
        if not shown and monotonic() - started >= PATIENCE:
            shown = True
            bar.start()
        bar.advance(task, done)

    try:
        yield advance
    finally:
        if shown:
            bar.stop()
