"""``tokenusage doctor``: what is wrong with a log directory, and what mends it."""

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tokenusage.cli import options
from tokenusage.cli.output import emit, progress, width
from tokenusage.config import LOGS_VARIABLE, Settings, load_settings
from tokenusage.errors import ConfigError, WrongUseError

FORMATS = ("table", "json")

Fix = Annotated[
    bool,
    typer.Option("--fix", help="Mend what can be mended safely, and say what was done."),
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        metavar="N",
        help="Look only at the records of the last N days, today included (default: all).",
    ),
]
Format = Annotated[str, options.format_option(FORMATS)]


def doctor(
    *,
    fix: Fix = False,
    days: Days = None,
    logs: options.Logs = None,
    format_: Format = "table",
) -> None:
    """Look at everything that usually goes wrong, and say it in order of weight.

    Changes nothing without --fix, which never deletes a record. Exits with 1 where
    something is wrong, with 0 where there are only warnings and notes, and with 75 where
    a rotate keeps --fix out.

    Examples:
      tokenusage doctor --days 30
      tokenusage doctor --fix --logs /var/log/llm
    """
    options.choose("--format", format_, FORMATS)
    if days is not None and days < 1:
        raise WrongUseError(f"--days must be 1 or more, not {days}.")
    settings, wrong = _settings(required=fix)
    directory = logs or settings.logs
    now = datetime.now(UTC)

    # pandas and the price list come with them.
    from tokenusage.keep.doctor.examine import examine
    from tokenusage.keep.doctor.finding import Finding, Setup, Weight
    from tokenusage.keep.doctor.mend import mend
    from tokenusage.show.doctor import render_diagnosis, render_diagnosis_json

    setup = Setup(
        logs=directory,
        now=now,
        naive_zone=settings.naive_timezone,
        file_mode=settings.file_mode,
        directory_mode=settings.directory_mode,
        prices=settings.prices,
    )
    also = [Finding("configuration", Weight.WRONG, wrong.rstrip("."))] if wrong else []
    first = None if days is None else now.date() - timedelta(days=days - 1)

    look = partial(
        examine, setup, first=first, also=also, watch=lambda total: progress("Looking", total)
    )
    diagnosis = look()
    mended = mend(setup, diagnosis) if fix else None
    if mended and (mended.done or mended.failed):
        diagnosis = look()
    if format_ == "json":
        text = render_diagnosis_json(diagnosis, mended, str(directory), now=now)
    else:
        text = render_diagnosis(diagnosis, mended, str(directory), now=now, width=width())
    emit(text, None)
    if diagnosis.count(Weight.WRONG) or (mended and mended.failed):
        raise typer.Exit(1)


def _settings(*, required: bool) -> tuple[Settings, str]:
    """Return the settings, and what is wrong with them, in which case they are the defaults.

    Raises:
        ConfigError: something is wrong, and they are `required`: what would be mended
            by the defaults may be as it was meant.
    """
    try:
        return load_settings(), ""
    except ConfigError as error:
        if required:
            raise
        logs = os.environ.get(LOGS_VARIABLE)
        return (Settings(logs=Path(logs)) if logs else Settings()), str(error)
