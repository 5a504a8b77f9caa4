"""Where data goes: to stdout, or whole into a file; and how wide it may be."""

import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from io import RawIOBase
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO, Final

from tokenusage.errors import TokenUsageError, WrongUseError
from tokenusage.logs import is_ours

LEAST_WIDTH: Final = 60
PIPE_WIDTH: Final = 200
"""Columns where there is no terminal: wide enough that nothing has to leave."""

_PLAIN: Final = {
    "≥ ": ">=",
    "± ": "+-",
    "≈": "~",
    "▲": "^",
    "▼": "v",
    "—": "-",
    "─": "-",
    "·": "-",
    "…": "~",
}
"""The marks of pages in ASCII, as wide as they are."""

_ENDINGS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""Signals that end a program without a word to it; Windows lacks one."""


def width() -> int:
    """Return the columns to fill: COLUMNS, else the terminal's, else 200."""
    return max(LEAST_WIDTH, shutil.get_terminal_size(fallback=(PIPE_WIDTH, 24)).columns)


def draws_on_terminal() -> bool:
    """Return whether stdout is a terminal that understands colour and rules."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown"}


def writes(characters: str) -> bool:
    """Return whether stdout's encoding has all of these characters."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def progress(what: str, total: int) -> AbstractContextManager[Callable[[int], None] | None]:
    """Return what tells of progress on stderr: a bar on a terminal, else nothing.

    The context gives a function that is told how much of `total` was done since
    it was last told, or None.
    """
    if not sys.stderr.isatty():
        return nullcontext()
    from tokenusage.cli.progress import progress_bar

    return progress_bar(what, total)


def emit(text: str, output: Path | None, *, is_page: bool = False) -> None:
    """Write `text` to stdout, or to the file that ``--output`` names.

    Args:
        text: what to write.
        output: the file; None is stdout.
        is_page: it is for people: on stdout its marks are such as the encoding has.

    Raises:
        BrokenPipeError: whoever read stdout has had enough.
        WrongUseError: something that is no regular file stands in the file's place, or it
            has a log's name.
        TokenUsageError: the file can't be written; what was there is unchanged.
    """
    if output is not None:
        write_whole(output, text)
        return
    if is_page:
        for mark, plain in _PLAIN.items():
            if not writes(mark):
                text = text.replace(mark, plain)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TokenUsageError(f"stdout can't be written: {error.strerror}.") from error


def write_whole(path: Path, text: str) -> None:
    """Put `text` in the place of `path` at once: a reader sees the old file or the new one.

    Raises:
        WrongUseError: something that is no regular file stands there, or it has a log's name.
        TokenUsageError: it can't be written; what was there is unchanged.
    """
    with whole_file(path) as file:
        file.write(text.encode())


class Stdout(RawIOBase):
    """Stdout as a file of bytes that knows how much was written to it."""

    def __init__(self) -> None:
        self._written = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._written

    def write(self, data: Any) -> int:
        """Write bytes.

        Raises:
            BrokenPipeError: whoever read stdout has had enough.
            TokenUsageError: it can't be written.
        """
        try:
            written = sys.stdout.buffer.write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TokenUsageError(f"stdout can't be written: {error.strerror}.") from error
        self._written += written
        return written


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a new file that takes the place of `path` at once, when the context ends well.

    While the context lasts, SIGTERM and SIGHUP are `SystemExit`, so that nothing stays
    behind; one that is ignored, as under nohup, stays ignored.

    Raises:
        WrongUseError: something that is no regular file stands there, or it has a log's name.
        TokenUsageError: it can't be written; what was there is unchanged.
    """
    target = _target(path)
    handled = [number for number in _ENDINGS if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, _exit)
    try:
        with _replacing(target, path) as file:
            yield file
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


def _target(path: Path) -> Path:
    """Return where a file that ``--output`` names stands; raises as `whole_file` does."""
    if path == Path():
        raise WrongUseError("--output needs the name of a file.")
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise WrongUseError(f"--output {str(path)!r} is not a regular file.")
    except (OSError, RuntimeError) as error:  # RuntimeError: a symlink to itself
        raise TokenUsageError(f"{str(path)!r} is no place to write to: {error}.") from error
    if is_ours(path.name) or is_ours(target.name):
        raise WrongUseError(
            f"--output {str(path)!r} has a name that log directories keep for their own files, "
            "which it could replace: choose another, such as november.jsonl."
        )
    return target


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def _replacing(target: Path, path: Path) -> Iterator[BinaryIO]:
    """Give the new file under a name of its own, and then put it in its place."""
    try:
        old = target.stat() if target.exists() else None
        mode = old.st_mode & 0o777 if old else 0o666 & ~_umask()
        # Named before it is there: a signal may come between any two steps.
        temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(8)}")
        try:
            with open(temporary, "xb", opener=_open_private) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if old:
                # So that root's cron locks nobody out; nobody else can, or need.
                with suppress(PermissionError):
                    os.chown(temporary, old.st_uid, old.st_gid)
            temporary.chmod(mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TokenUsageError(f"{str(path)!r} can't be written: {error.strerror}.") from error


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
