"""``tokenusage export``: the calls as they were logged or as rows, and the rows of a report."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, cast

import typer

from tokenusage.analyse.query import Query, check_dimensions
from tokenusage.cli import options
from tokenusage.cli.answering import account_aside, ask
from tokenusage.cli.output import Stdout, progress, whole_file
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import Settings, load_settings
from tokenusage.errors import WrongUseError
from tokenusage.show.inert import inert, inert_json
from tokenusage.show.numbers import count, counted

if TYPE_CHECKING:
    from tokenusage.keep.export.lines import Exported

FORMATS: Final = ("jsonl", "csv", "parquet", "xlsx")

OVERVIEW: Final = "overview"
"""What ``--by`` calls the sections of a report that has none."""

Format = Annotated[
    str, options.format_option(FORMATS, "jsonl: the lines as they were logged (the default).")
]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="DIM,...",
        help="The rows of a report with this --by instead of calls; overview: its sections.",
    ),
]
Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        metavar="N",
        help="The last N calendar days, today included.",
        rich_help_panel=options.PERIOD,
    ),
]
Everything = Annotated[
    bool,
    typer.Option(
        "--all",
        help="From the first record to the last (the default).",
        rich_help_panel=options.PERIOD,
    ),
]


@partial(selecting, days=Days, everything=Everything)
def export(
    *,
    selection: Selection,
    by: By = None,
    cost: options.Cost = "logged",
    format_: Format = "jsonl",
    output: options.Output = None,
) -> None:
    """Hand on the calls, or the rows of a report; without a period all of them.

    jsonl gives the lines back as they were logged, byte for byte, sealed days too, and
    twice what stands there twice: a backup. The other formats have a row for each call
    that counts, cache hits among them, whose columns are the fields of the record; with
    --cost, cost_estimate is computed anew. Lines that are no records are left out, and
    counted on stderr.

    With --by it is the rows of a report, and --by overview is all sections of one, in
    xlsx a sheet each: the monthly report to hand on.

    Examples:
      tokenusage export --month 2026-11 --output november.jsonl
      tokenusage export --month 2026-11 --by overview --format xlsx --output november.xlsx
    """
    options.choose("--format", format_, FORMATS)
    now = datetime.now(UTC)
    if not selection.names_period:
        selection = replace(selection, everything=True)
    dimensions = options.dimensions(by)
    query = Query(
        period=selection.period(now),
        filters=selection.filters(),
        by=() if dimensions == (OVERVIEW,) else check_dimensions(dimensions),
        cost=options.cost_mode(cost),
    )
    _check_use(format_, output, query, of_calls=not dimensions)
    settings = load_settings()
    asked = _Asked(query, selection.directory(settings.logs), settings, now, output)
    if dimensions:
        _export_rows(asked, format_)
    elif format_ == "jsonl":
        _export_lines(asked)
    else:
        _export_calls(asked, format_)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is exported, and where to."""

    query: Query
    logs: Path
    settings: Settings
    now: datetime
    output: Path | None

    def place(self) -> AbstractContextManager[BinaryIO]:
        """Return where the data goes: a file that is there whole or not at all, or stdout."""
        return whole_file(self.output) if self.output else nullcontext(cast(BinaryIO, Stdout()))

    def watch(self, total: int) -> AbstractContextManager[Callable[[int], None] | None]:
        """Return what tells of progress; whoever reads stdout may draw on the terminal too."""
        return progress("Exporting", total) if self.output else nullcontext()


def _check_use(format_: str, output: Path | None, query: Query, *, of_calls: bool) -> None:
    """Raise where a format has no place to go to, or nothing to do with an option."""
    if output is None and (format_ == "xlsx" or (format_ == "parquet" and sys.stdout.isatty())):
        raise WrongUseError(f"--format {format_} is no text: add --output calls.{format_}.")
    if of_calls and format_ == "jsonl" and query.cost != "logged":
        raise WrongUseError(
            f"--cost {query.cost} changes lines, and jsonl gives them as they were logged: "
            "add --format csv, parquet or xlsx, or --by."
        )


def _export_lines(asked: _Asked) -> None:
    # pyarrow comes with them.
    from tokenusage.analyse.plan import plan
    from tokenusage.keep.export.choice import Choice
    from tokenusage.keep.export.lines import export_lines

    query = asked.query
    wanted = plan(query, naive_zone=asked.settings.naive_timezone, now=asked.now)
    wanted = replace(wanted, summaries=False)
    on_terminal = asked.output is None and sys.stdout.isatty()
    with asked.place() as file:

        def write(text: bytes | memoryview) -> None:
            # On a terminal a line is inert, of the same value.
            file.write(inert_json(bytes(text).decode()).encode() if on_terminal else text)

        exported = export_lines(asked.logs, wanted, Choice.of(query), write, asked.watch)
    for line in _account(exported):
        typer.echo(line, err=True)


def _export_calls(asked: _Asked, format_: str) -> None:
    # Each format comes with its own library, and only one of them is wanted.
    from tokenusage.keep.export.calls import export_calls

    query, zone = asked.query, asked.query.period.zone
    export_to = partial(
        export_calls,
        asked.logs,
        query,
        prices=asked.settings.prices,
        naive_zone=asked.settings.naive_timezone,
        now=asked.now,
        watch=asked.watch,
    )
    with asked.place() as file:
        if format_ == "csv":
            from tokenusage.show.export.csv import CsvCalls

            ledger, unpriced = export_to(CsvCalls(file.write, zone).add)
        elif format_ == "parquet":
            from tokenusage.show.export.parquet import ParquetCalls

            with ParquetCalls(file) as parquet:
                ledger, unpriced = export_to(parquet.add)
        else:
            from tokenusage.show.export.account import Account, add_account
            from tokenusage.show.export.workbook import Book
            from tokenusage.show.export.xlsx import XlsxCalls

            with Book(file) as book:
                calls = XlsxCalls(book, zone, query.period.zone_name)
                ledger, unpriced = export_to(calls.add)
                add_account(book, Account(query, str(asked.logs), ledger, unpriced, asked.now))
    account_aside(ledger, unpriced, counts=True)


def _export_rows(asked: _Asked, format_: str) -> None:
    report = ask(asked.query, asked.logs, asked.settings, asked.now)
    ledger, unpriced = report.ledger, report.totals.unpriced
    with asked.place() as file:
        if format_ == "csv":
            from tokenusage.show.report.arrange import Order
            from tokenusage.show.report.machine import render_csv

            file.write(render_csv(report, Order()).encode())
        elif format_ == "jsonl":
            from tokenusage.show.export.rows import render_jsonl

            file.write(render_jsonl(report).encode())
        elif format_ == "parquet":
            from tokenusage.show.export.parquet import write_rows

            write_rows(report, file)
        else:
            from tokenusage.show.export.account import Account
            from tokenusage.show.export.xlsx import write_report

            account = Account(asked.query, str(asked.logs), ledger, unpriced, asked.now)
            write_report(report, account, file)
    account_aside(ledger, unpriced, counts=True)


def _account(exported: "Exported") -> list[str]:
    """Return what came out and what didn't, as lines."""
    parts = [counted(exported.records, "record"), f"{count(exported.rejected)} rejected"]
    for number, what in (
        (exported.filtered, "filtered out"),
        (exported.outside, "outside the period"),
    ):
        if number:
            parts.append(f"{count(number)} {what}")
    lines = [" · ".join(parts)]
    if days := sorted(exported.summary_only):
        named = ", ".join(map(str, days[:5]))
        more = f" and {count(len(days) - 5)} more" if len(days) > 5 else ""
        lines.append(f"records were removed, only sums are left: {named}{more}")
    return lines + [f"not read: {inert(sentence)}" for sentence in exported.refused]
