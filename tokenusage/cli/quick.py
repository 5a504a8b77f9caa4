"""``tokenusage statusline`` without the libraries of the command line: a prompt waits for it."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tokenusage.analyse.period import make_period
from tokenusage.analyse.today import Today
from tokenusage.config import load_settings
from tokenusage.errors import TokenUsageError
from tokenusage.show.statusline import render_statusline

_OPTIONS: Final = ("--logs", "--tz")


def run_statusline(words: Sequence[str]) -> bool:
    """Print the line and return True, where the words behind the command are its plain options.

    Anything else is left to the whole program: help, wrong options, and saying what is wrong.
    """
    given = _plain_options(words)
    if given is None or sys.stdout is None:
        return False
    gc.disable()
    try:
        logs = given.get("--logs")
        line = statusline_text(Path(logs) if logs else None, given.get("--tz", "UTC"))
    except TokenUsageError:
        return False
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError as error:
        # Python flushes stdout once more as it exits, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            sys.exit(f"tokenusage: stdout can't be written: {error.strerror}.")
    gc.freeze()
    return True


def statusline_text(logs: Path | None, tz: str) -> str:
    """Return the line for a log directory; None is the configured one.

    Raises:
        TokenUsageError: the configuration, the zone or the directory is wrong.
    """
    settings = load_settings()
    directory = logs or settings.logs
    period = make_period(now=datetime.now(UTC), days=1, tz=tz)
    cache = cache_path(directory, period.zone_name, os.environ)
    sums = Today(directory, period, settings.naive_timezone, cache).sums()
    return render_statusline(sums.calls, sums.cost_pico, sums.unpriced)


def cache_path(logs: Path, zone: str, environ: Mapping[str, str]) -> Path:
    """Return where the state of a log directory and a zone is kept."""
    roots = (Path(environ.get("XDG_CACHE_HOME", "")), Path(environ.get("HOME", ""), ".cache"))
    # Nothing can be kept by whoever has no home.
    root = next((root for root in roots if root.is_absolute()), Path(os.devnull))
    key = blake2b(os.fsencode(f"{logs.resolve()}\n{zone}"), digest_size=8).hexdigest()
    return root / "tokenusage" / f"statusline-{key}"


def _plain_options(words: Sequence[str]) -> dict[str, str] | None:
    """Return the options by name, None where there is anything but an option and its value."""
    given: dict[str, str] = {}
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in _OPTIONS or (not equals and not rest):
            return None
        value = value if equals else rest.pop(0)
        if not value or value.startswith("-"):
            return None
        given[name] = value
    return given
