"""``tokenusage forget``: a person out of the logs, so that only figures stay."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from tokenusage.cli import options
from tokenusage.cli.output import emit, progress, width
from tokenusage.config import load_settings
from tokenusage.errors import TokenUsageError
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted

User = Annotated[
    str, typer.Option("--user", metavar="ID", help="Who it is: 123 and '123' are one.")
]
Delete = Annotated[
    bool, typer.Option("--delete", help="Drop their records, whose figures are missing then.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would be changed.")]


_SHOWN: Final = 3
"""Files that a sentence on stderr names."""


def forget(
    *, user: User, delete: Delete = False, dry_run: DryRun = False, logs: options.Logs = None
) -> None:
    """Take a person out of the logs: all days and forms, beside running loggers.

    The id becomes a pseudonym, another one in each run, that is written nowhere else.
    Query, error message, e-mail, session, tags and unknown fields of those records go;
    all other fields stay, and so do all totals. What is logged of them later is there
    again. Exits with 1 where a file had to be left alone, and with 75 where a rotate is
    at work: run it again then.

    Damaged lines that name the person go, too: those that hold one of their addresses
    or their id as a whole word; an id that is shorter than four characters, or a number,
    has to stand there as the user or as a quoted string.

    Examples:
      tokenusage forget --user ann --dry-run
      tokenusage forget --user 123 --delete --logs /var/log/llm
    """
    settings = load_settings()
    directory = logs or settings.logs

    # pyarrow comes with them.
    from tokenusage.keep.forget.run import forget as forget_person
    from tokenusage.show.forgetting import render_forgetting

    outcome = forget_person(
        directory,
        user,
        delete=delete,
        dry_run=dry_run,
        now=datetime.now(UTC),
        naive_zone=settings.naive_timezone,
        watch=progress,
    )
    text = render_forgetting(
        outcome, user, str(directory), delete=delete, dry_run=dry_run, width=width()
    )
    emit(text, None)
    if unknown := outcome.unknown:
        files = counted(len(unknown), "file")
        typer.echo(
            inert(f"Not looked at: {files} that no reader knows, {_some(unknown)}."), err=True
        )
    if left := outcome.left:
        named = _some([one.why for one in left])
        raise TokenUsageError(f"{counted(len(left), 'file')} had to be left alone: {named}.")


def _some(sentences: Sequence[str]) -> str:
    """Return the first of many, and how many more there are."""
    more = [f"and {count(len(sentences) - _SHOWN)} more"] if len(sentences) > _SHOWN else []
    return "; ".join([*sentences[:_SHOWN], *more])
