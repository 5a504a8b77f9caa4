"""One family of errors, each with the exit code that the command line gives it.

Whoever raises one writes the whole sentence for the person who reads it: what
is wrong, where, and what would be right. ``cli`` prints that sentence and
exits; nothing else in the package prints or exits.
"""

from collections.abc import Iterable


class TokenUsageError(Exception):
    """Something that a person can mend; the message is one sentence for them."""

    exit_code = 1


class LogsError(TokenUsageError):
    """A log directory or file is missing, can't be read, or is no regular file."""


class HeldError(TokenUsageError):
    """Another process keeps a log file locked."""


class ReplacedError(LogsError):
    """Files were replaced after a part of them was handed on: doing it again helps."""


class SealError(TokenUsageError):
    """A day could not be sealed; its records are where they were."""


class WrongUseError(TokenUsageError, ValueError):
    """An option, argument or filter has a value that it can't have."""

    exit_code = 2


class ConfigError(TokenUsageError):
    """``tokenusage.toml`` or the environment holds something that can't be."""

    exit_code = 2


class BusyError(TokenUsageError):
    """Somebody else is changing the log directory: try again later."""

    exit_code = 75
    """``EX_TEMPFAIL`` of sysexits.h."""


class RecordError(TokenUsageError, ValueError):
    """A field of a record has a value that it can't have: a programming error."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean X?"`` for the known word nearest to `word`, else ``""``."""
    # difflib costs a millisecond and is wanted only when something is wrong.
    from difflib import get_close_matches  # noqa: PLC0415

    options = {option.lower(): option for option in known}
    matches = get_close_matches(word.lower(), options, n=1, cutoff=0.5)
    return f" Did you mean {options[matches[0]]}?" if matches else ""
