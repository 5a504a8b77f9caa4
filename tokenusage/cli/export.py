"""``tokenusage export``: the records as they were logged."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from tokenusage.analyse.period import make_period
from tokenusage.cli import options
from tokenusage.cli.output import progress, whole_file
from tokenusage.config import load_settings
from tokenusage.errors import TokenUsageError
from tokenusage.show.inert import inert, inert_json
from tokenusage.show.numbers import count, counted

if TYPE_CHECKING:
    from tokenusage.keep.export import Exported

FORMATS = ("jsonl",)

Format = Annotated[str, options.format_option(FORMATS, "One JSON object a line (the default).")]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        metavar="N",
        help="The last N days, today included.",
        rich_help_panel=options.PERIOD,
    ),
]
Everything = Annotated[
    bool,
    typer.Option("--all", help="All days (the default).", rich_help_panel=options.PERIOD),
]


def export(
    *,
    logs: options.Logs = None,
    days: Days = None,
    month: options.Month = None,
    everything: Everything = False,
    since: options.Since = None,
    until: options.Until = None,
    format_: Format = "jsonl",
    output: options.Output = None,
) -> None:
    """Give the records back as they were logged, byte for byte, sealed days too.

    Days are the UTC days in the names of the log files, each of them whole. Without a
    period it is all of them. Lines that are no records are left out, and counted on
    stderr; what stands there twice comes out twice.

    Examples:
      tokenusage export --month 2026-11 --output november.jsonl
      tokenusage export --days 1 | jq .model_name
    """
    options.choose("--format", format_, FORMATS)
    now = datetime.now(UTC)
    named = (days, month, since, until) != (None, None, None, None)
    period = make_period(
        now=now,
        days=days,
        month=month,
        everything=everything or not named,
        since=since,
        until=until,
    )
    settings = load_settings()

    # pyarrow comes with them.
    from tokenusage.keep.export import export as export_logs
    from tokenusage.read.forms import Plan

    plan = Plan(
        first=period.start.date() if period.start else None,
        last=period.end.date() - timedelta(days=1) if period.end else None,
        fields=(),
        naive_zone=settings.naive_timezone,
        today=now.date(),
    )
    directory = logs or settings.logs
    if output is None:
        exported = export_logs(directory, plan, _to_stdout())
    else:
        with whole_file(output) as file:
            watch = partial(progress, "Exporting")
            exported = export_logs(directory, plan, file.write, watch)
    for line in _account(exported):
        typer.echo(line, err=True)


def _to_stdout() -> Callable[[bytes | memoryview], object]:
    """Return what writes lines to stdout; those for a terminal are inert, of the same value."""
    stdout = sys.stdout.buffer
    on_terminal = stdout.isatty()

    def write(text: bytes | memoryview) -> None:
        if on_terminal:
            text = inert_json(bytes(text).decode()).encode()
        try:
            stdout.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TokenUsageError(f"stdout can't be written: {error.strerror}.") from error

    return write


def _account(exported: "Exported") -> list[str]:
    """Return what came out and what didn't, as lines."""
    lines = [f"{counted(exported.records, 'record')} · {count(exported.rejected)} rejected"]
    if days := sorted(exported.summary_only):
        named = ", ".join(map(str, days[:5]))
        more = f" and {count(len(days) - 5)} more" if len(days) > 5 else ""
        lines.append(f"records were removed, only sums are left: {named}{more}")
    return lines + [f"not read: {inert(sentence)}" for sentence in exported.refused]
