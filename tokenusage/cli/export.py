"""``tokenusage export``: the calls as they were logged or as rows, and the rows of a report."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, TypeVar, cast

import typer

from tokenusage.analyse.query import Query, check_dimensions
from tokenusage.cli import options
from tokenusage.cli.answering import account_aside, ask
from tokenusage.cli.output import Stdout, progress, whole_file
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import Settings, load_settings
from tokenusage.errors import ReplacedError, WrongUseError
from tokenusage.read.segments import LISTINGS
from tokenusage.show.inert import inert, inert_json
from tokenusage.show.numbers import count, counted

if TYPE_CHECKING:
    from tokenusage.keep.export.lines import Exported
    from tokenusage.read.ledger import Ledger

_T = TypeVar("_T")

FORMATS: Final = ("jsonl", "csv", "parquet", "xlsx")

OVERVIEW: Final = "overview"
"""What ``--by`` calls the sections of a report that has none."""

Format = Annotated[
    str | None,
    options.format_option(FORMATS, "Default: as --output ends, else jsonl, the lines as logged."),
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
    format_: Format = None,
    output: options.Output = None,
) -> None:
    """Hand on the calls, or the rows of a report; without a period all of them.

    jsonl gives the lines back as they were logged, byte for byte, sealed days too, and
    twice what stands there twice: a backup. The other formats have a row for each call
    that counts, cache hits among them, whose columns are the fields of the record; with
    --cost, cost_estimate is computed anew. Fields that tokenusage does not know are in
    jsonl alone. Lines that are no records are left out, and counted on stderr.

    With --by it is the rows of a report, and --by overview is all sections of one, in
    xlsx a sheet each: the monthly report to hand on.

    Examples:
      tokenusage export --month 2026-11 --output november.jsonl
      tokenusage export --month 2026-11 --by overview --output november.xlsx
    """
    chosen = _format(format_, output)
    now = datetime.now(UTC)
    if not selection.names_period:
        selection = replace(selection, everything=True)
    dimensions = _dimensions(by)
    query = Query(
        period=selection.period(now),
        filters=selection.filters(),
        by=() if dimensions == (OVERVIEW,) else dimensions,
        cost=options.cost_mode(cost),
    )
    _check_use(chosen, output, query, of_calls=not dimensions)
    settings = load_settings()
    asked = _Asked(query, selection.directory(settings.logs), settings, now, output)
    if dimensions:
        _export_rows(asked, chosen)
    elif chosen == "jsonl":
        _export_lines(asked)
    else:
        _export_calls(asked, chosen)


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

    def spool(self) -> Path | None:
        """Return how the path of the directory begins in which a workbook is put together.

        It lies beside the workbook, on the disk that has to have room for it.
        """
        if self.output is None:
            return None
        target = self.output.resolve()
        return target.with_name(f".{target.name[:80]}.sheets-")

    def whole(self, write: Callable[[BinaryIO], _T]) -> _T:
        """Call `write` with the place; with a new file once more where logs were replaced.

        Raises:
            ReplacedError: they were so often, or some of what stood in them is on stdout.
        """
        tries = LISTINGS if self.output else 1
        while True:
            try:
                with self.place() as file:
                    return write(file)
            except ReplacedError:
                tries -= 1
                if not tries:
                    raise

    def watch(self, total: int) -> AbstractContextManager[Callable[[int], None] | None]:
        """Return what tells of progress; whoever reads stdout may draw on the terminal too."""
        return progress("Exporting", total) if self.output else nullcontext()


def _format(given: str | None, output: Path | None) -> str:
    """Return the format: the one that is given, else the one that the file's name ends in."""
    ending = output.suffix.removeprefix(".").lower() if output else ""
    if given is None:
        return ending if ending in FORMATS else "jsonl"
    options.choose("--format", given, FORMATS)
    if output and ending in FORMATS and ending != given:
        raise WrongUseError(
            f"--format {given} does not go with --output {str(output)!r}: leave out --format, "
            f"or let the name end in .{given}."
        )
    return given


def _dimensions(by: list[str] | None) -> tuple[str, ...]:
    """Return what ``--by`` names: dimensions, or `OVERVIEW` alone."""
    names = options.dimensions(by)
    if names == (OVERVIEW,):
        return names
    if OVERVIEW in names:
        raise WrongUseError(f"--by {OVERVIEW} stands alone: it has sections of its own.")
    return check_dimensions(names, (OVERVIEW,))


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

    def export_to(file: BinaryIO) -> "Exported":
        def write(text: bytes | memoryview) -> None:
            # On a terminal a line is inert, of the same value.
            file.write(inert_json(bytes(text).decode()).encode() if on_terminal else text)

        return export_lines(asked.logs, wanted, Choice.of(query), write, asked.watch)

    for line in _account(asked.whole(export_to)):
        typer.echo(line, err=True)


def _export_calls(asked: _Asked, format_: str) -> None:
    # Each format comes with its own library, and only one of them is wanted.
    from tokenusage.keep.export.calls import export_calls

    query, zone = asked.query, asked.query.period.zone
    give_to = partial(
        export_calls,
        asked.logs,
        query,
        prices=asked.settings.prices,
        naive_zone=asked.settings.naive_timezone,
        now=asked.now,
        watch=asked.watch,
    )

    def export_to(file: BinaryIO) -> "tuple[Ledger, int]":
        if format_ == "csv":
            from tokenusage.show.export.csv import CsvCalls

            return give_to(CsvCalls(file.write, zone).add)
        if format_ == "parquet":
            from tokenusage.show.export.parquet import ParquetCalls

            with ParquetCalls(file) as parquet:
                return give_to(parquet.add)
        from tokenusage.show.export.account import Account, add_account
        from tokenusage.show.export.workbook import Book
        from tokenusage.show.export.xlsx import XlsxCalls

        with Book(file, spool=asked.spool()) as book:
            calls = XlsxCalls(book, zone, query.period.zone_name)
            ledger, unpriced = give_to(calls.add)
            add_account(book, Account(query, str(asked.logs), ledger, unpriced, asked.now))
        return ledger, unpriced

    account_aside(*asked.whole(export_to), counts=True)


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
            from tokenusage.show.export.workbook import Book
            from tokenusage.show.export.xlsx import write_report

            account = Account(asked.query, str(asked.logs), ledger, unpriced, asked.now)
            with Book(file, spool=asked.spool()) as book:
                write_report(report, account, book)
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
