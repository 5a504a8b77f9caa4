"""What the tests of the writing half share: a pricer, processes that log, what they left."""

import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

DAY = date(2026, 11, 20)


class LinearPricer:
    """A pricer of one rate: a microdollar a token, whoever asks."""

    def price(self, record: Mapping[str, Any], at: datetime) -> tuple[float | None, str | None]:
        """Return the cost in US dollars and the list's name; models called "unknown" have none."""
        assert at.tzinfo is not None
        if record["model_name"] == "unknown":
            return None, None
        return record["total_tokens"] / 1_000_000, "linear"


class BrokenHandler(logging.Handler):
    """A handler of the application's log that fails at everything it hears."""

    def emit(self, record: logging.LogRecord) -> None:
        """Raise what no handler should let out."""
        raise OSError(f"Nobody listens to {record.name}.")


@contextmanager
def broken_handler(level: int = logging.DEBUG) -> Iterator[None]:
    """Give the product's logger a handler that raises."""
    logger, handler = logging.getLogger("tokenusage"), BrokenHandler()
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def python(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start `code` in a process of its own, with pipes; it can import this module."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )


def finish(process: subprocess.Popen[str], timeout: float = 60) -> str:
    """Wait for `process`, make sure that it succeeded, and return what it printed."""
    output, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors
    return output


def run_python(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """Run `code` as `python` does and return what it printed."""
    return finish(python(code, *arguments, prefix=prefix))


def lines(logs: Path) -> list[bytes]:
    """Return all lines of all log files in `logs`, torn ones and blank ones too."""
    return [
        line
        for path in sorted(logs.glob("token_usage_*.jsonl"))
        for line in path.read_bytes().removesuffix(b"\n").split(b"\n")
        if path.stat().st_size
    ]


def records(logs: Path) -> list[dict[str, Any]]:
    """Return every line in `logs` that is a whole record."""
    found = []
    for line in lines(logs):
        try:
            found.append(orjson.loads(line))
        except orjson.JSONDecodeError:
            continue
    return found
