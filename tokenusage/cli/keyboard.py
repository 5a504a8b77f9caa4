"""A terminal while a screen is live: keys as they are pressed, and everything back at the end."""

import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final, NoReturn, Self

_ENTER: Final = b"\x1b[?1049h\x1b[?25l\x1b[?7l"
"""Another screen, no cursor, and lines that are too long are cut."""
_LEAVE: Final = b"\x1b[?7h\x1b[?25h\x1b[?1049l"

Handler = Callable[[int, FrameType | None], Any] | int | None


class Keyboard:
    """The terminal's other screen, and the keys; a context manager that gives both back.

    It does so on an exception, on SIGTERM, SIGQUIT and SIGHUP, which become `SystemExit`
    as a terminal does that is gone, and while the program is stopped (Ctrl-Z).
    """

    def __init__(self) -> None:
        self._out = sys.stdout.fileno()
        self._in = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._before: list[Any] | None = None
        self._handlers: dict[int, Handler] = {}
        # A signal that came in before the wait for keys began still ends that wait.
        self._woken, self._wake = os.pipe()

    def __enter__(self) -> Self:
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        handlers: dict[int, Handler] = {
            signal.SIGWINCH: lambda *_: None,
            signal.SIGTERM: _exit,
            signal.SIGQUIT: _exit,
            signal.SIGHUP: _exit,
            signal.SIGTSTP: self._stop,
        }
        for number, handler in handlers.items():
            self._handlers[number] = signal.signal(number, handler)
        self._take()
        return self

    def __exit__(self, *_why: object) -> None:
        # One that is gone can't be given back.
        with suppress(OSError, termios.error):
            self._give_back()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(-1)
        os.close(self._woken)
        os.close(self._wake)

    def wait(self, seconds: float) -> str:
        """Return the keys that are pressed, after so many seconds at the latest.

        Nothing comes at once where the terminal has another size now.
        """
        ends = [self._woken] if self._in is None else [self._woken, self._in]
        ready = select.select(ends, [], [], max(seconds, 0))[0]
        if self._woken in ready:
            os.read(self._woken, 4096)
        if self._in is None or self._in not in ready:
            return ""
        try:
            keys = os.read(self._in, 64)
        except OSError:
            _exit(signal.SIGHUP)
        if not keys:
            self._in = None  # closed: there are no more
        # An arrow, say, comes as several characters, none of which is a key of its own.
        return "" if keys.startswith(b"\x1b") else keys.decode("ascii", "ignore")

    def draw(self, screen: str) -> None:
        """Put lines in the place of what is on the screen."""
        lines = screen.split("\n")
        try:
            sys.stdout.write("\x1b[H" + "\x1b[K\n".join(lines) + "\x1b[K\x1b[J")
            sys.stdout.flush()
        except OSError:
            # Python flushes stdout once more as it exits, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out)
            _exit(signal.SIGHUP)

    def _take(self) -> None:
        if self._in is not None:
            self._before = termios.tcgetattr(self._in)
            tty.setcbreak(self._in)
        os.write(self._out, _ENTER)

    def _give_back(self) -> None:
        os.write(self._out, _LEAVE)
        if self._in is not None and self._before is not None:
            termios.tcsetattr(self._in, termios.TCSADRAIN, self._before)

    def _stop(self, *_signal: object) -> None:
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()


def _exit(number: int, _frame: FrameType | None = None) -> NoReturn:
    sys.exit(128 + number)
