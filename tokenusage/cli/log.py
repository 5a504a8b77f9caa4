"""``tokenusage log``: one record from a shell script."""

import logging
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from tokenusage.cli import options
from tokenusage.config import Settings, load_settings
from tokenusage.errors import LogsError, RecordError, WrongUseError
from tokenusage.ingest.times import parse_moment

Model = Annotated[str, typer.Option("--model", metavar="NAME", help="Model that answered.")]
Operation = Annotated[
    str, typer.Option("--operation", metavar="NAME", help="What for: rag_answer, embedding, ...")
]
PromptTokens = Annotated[
    int, typer.Option("--prompt-tokens", metavar="N", help="Tokens in, cached ones included.")
]
CompletionTokens = Annotated[
    int,
    typer.Option("--completion-tokens", metavar="N", help="Tokens out, reasoning included."),
]
User = Annotated[str | None, typer.Option("--user", metavar="ID", help="Who asked.")]
Query = Annotated[str | None, typer.Option("--query", metavar="TEXT", help="Prompt or label.")]
ResponseTime = Annotated[
    float | None, typer.Option("--response-time", metavar="SECONDS", help="How long it took.")
]
Failed = Annotated[bool, typer.Option("--failed", help="The call failed.")]
Error = Annotated[
    str | None, typer.Option("--error", metavar="MESSAGE", help="The call failed, and why.")
]
Provider = Annotated[
    str | None, typer.Option("--provider", metavar="NAME", help="Who sold it: openai, azure, ...")
]
Session = Annotated[
    str | None, typer.Option("--session", metavar="ID", help="Session it belongs to.")
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="NAME=VALUE", help="A dimension of your own (repeatable)."),
]
Timestamp = Annotated[
    str | None,
    typer.Option(
        "--timestamp",
        metavar="TIME",
        help="When it ended, as ISO 8601 or Unix time (default: now).",
    ),
]


def log(
    *,
    model: Model,
    operation: Operation,
    prompt_tokens: PromptTokens,
    completion_tokens: CompletionTokens = 0,
    user: User = None,
    query: Query = None,
    response_time: ResponseTime = None,
    failed: Failed = False,
    error: Error = None,
    provider: Provider = None,
    session: Session = None,
    tags: Tags = None,
    timestamp: Timestamp = None,
    logs: options.Logs = None,
) -> None:
    """Log one call from a shell script, and print the id of its record.

    Examples:
      tokenusage log --model gpt-4o-mini --operation summary --prompt-tokens 1250
      tokenusage log --model gpt-4o --operation cron --prompt-tokens 0 --error "timed out"
    """
    settings = load_settings()
    fields = {
        "model_name": model,
        "operation_type": operation,
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "user_id": user,
        "query": query,
        "response_time": response_time,
        "success": not failed and error is None,
        "error_message": error,
        "timestamp": None if timestamp is None else _moment(timestamp, settings.naive_timezone),
        "provider": provider,
        "session_id": session,
        "tags": _tags(tags) if tags else None,
    }
    typer.echo(_record(logs or settings.logs, fields, settings))


def _record(logs: Path, fields: dict[str, Any], settings: Settings) -> str:
    """Write one record and return its id."""
    # The price list comes with them.
    from tokenusage.price.pricer import Pricer
    from tokenusage.write.tracker import Tracker

    drops = _Drops(logging.WARNING)
    logger = logging.getLogger("tokenusage")
    logger.addHandler(drops)
    try:
        with Tracker(
            logs,
            pricer=Pricer(settings.prices),
            query_chars=settings.query_chars,
            file_mode=settings.file_mode,
            directory_mode=settings.directory_mode,
            sync=settings.sync,
        ) as tracker:
            record = tracker.record(**fields)
    except RecordError as error:
        raise WrongUseError(str(error)) from error
    finally:
        logger.removeHandler(drops)
    if record is None:
        raise LogsError(f"The call was not logged to {str(logs)!r}: {drops.reason}.")
    return str(record["id"])


class _Drops(logging.Handler):
    """Keeps what the tracker says of a record that it had to drop."""

    reason = "the record was dropped"

    def emit(self, record: logging.LogRecord) -> None:
        """Take the cause of a drop; other warnings carry no OSError."""
        for argument in record.args or ():
            if isinstance(argument, OSError):
                self.reason = argument.strerror or str(argument)


def _moment(text: str, zone: tzinfo) -> datetime:
    try:
        return parse_moment(text, zone)
    except ValueError as error:
        raise WrongUseError(f"--timestamp: {error}.") from error


def _tags(pairs: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise WrongUseError(f"--tag takes NAME=VALUE, not {pair!r}.")
        tags[name] = value
    return tags
