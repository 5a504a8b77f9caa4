"""``tokenusage report``: who spends what, on which model, for which operation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import CostMode, Query, check_dimensions
from tokenusage.analyse.report import Report
from tokenusage.cli import options
from tokenusage.cli.output import draws_on_terminal, emit, progress, width
from tokenusage.config import Settings, load_settings
from tokenusage.errors import TokenUsageError, WrongUseError
from tokenusage.show.arrange import Order
from tokenusage.show.columns import find_column
from tokenusage.show.words import ledger_notes, ledger_parts, report_command, shortfalls

WORTH_A_BAR = 200 << 20
"""Bytes of logs that take long enough to wonder what goes on."""

COSTS = ("logged", "effective", "current")

By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="DIM,...",
        help="Group by hour, day, week, month, year, user, email, operation, model, provider, "
        "session, task, batch, cache, success or tag.NAME; several make one table.",
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="COLUMN",
        help="Largest first by a column as csv names it: cost, calls, total_tokens, ...",
        rich_help_panel=options.OUTPUT,
    ),
]
Ascending = Annotated[
    bool,
    typer.Option(
        "--ascending", help="With --sort: smallest first.", rich_help_panel=options.OUTPUT
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        help="So many rows (default: 50 in tables, all in json and csv).",
        rich_help_panel=options.OUTPUT,
    ),
]
Cost = Annotated[
    str,
    typer.Option(
        "--cost",
        metavar="|".join(COSTS),
        help="Cost as logged (default), at the price of the call's date, or at today's.",
        show_default=False,
        autocompletion=lambda: list(COSTS),
    ),
]
Percentiles = Annotated[
    bool, typer.Option("--percentiles", help="Add p50, p95 and p99 of the response time.")
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Exit 1 when anything is rejected, unpriced, dropped or unanswered."
    ),
]


def report(
    *,
    by: By = None,
    cost: Cost = "logged",
    percentiles: Percentiles = False,
    strict: Strict = False,
    logs: options.Logs = None,
    days: options.Days = None,
    hours: options.Hours = None,
    month: options.Month = None,
    everything: options.Everything = False,
    since: options.Since = None,
    until: options.Until = None,
    tz: options.Tz = "UTC",
    user: options.User = None,
    operation: options.Operation = None,
    model: options.Model = None,
    where: options.Where = None,
    format_: options.Format = "table",
    sort: Sort = None,
    ascending: Ascending = False,
    limit: Limit = None,
    output: options.Output = None,
) -> None:
    """Show who spends what, on which model, for which operation.

    Without --by an overview: totals, operations, models, days and users.

    Examples:
      tokenusage report --days 30
      tokenusage report --month 2026-11 --by user,model --format csv
    """
    now = datetime.now(UTC)
    query = Query(
        period=make_period(
            now=now,
            days=days,
            hours=hours,
            month=month,
            everything=everything,
            since=since,
            until=until,
            tz=tz,
        ),
        filters=options.filters(user, operation, model, where),
        by=check_dimensions(_dimensions(by)),
        cost=cast(CostMode, options.choose("--cost", cost, COSTS)),
        percentiles=percentiles,
    )
    options.choose("--format", format_, options.FORMATS)
    order = _order(sort, ascending=ascending, limit=limit, percentiles=percentiles)
    settings = load_settings()
    answered = _answer(query, logs or settings.logs, settings, now)
    emit(_render(answered, order, format_, now=now, logs=logs, output=output), output)
    if format_ in {"csv", "json"}:
        _account_aside(answered, format_)
    short = shortfalls(answered)
    if strict and short:
        raise TokenUsageError(f"The figures are short (--strict): {', '.join(short)}.")


def _answer(query: Query, logs: Path, settings: Settings, now: datetime) -> Report:
    from tokenusage.analyse.plan import plan
    from tokenusage.read.scan import Scan

    with Scan(logs, plan(query, naive_zone=settings.naive_timezone, now=now)) as scan:
        # pandas loads while the threads of the scan are reading.
        from tokenusage.analyse.answer import answer

        if scan.forms.size < WORTH_A_BAR:
            return answer(query, scan, prices=settings.prices, now=now)
        with progress("Reading", scan.forms.size) as scan.advance:
            return answer(query, scan, prices=settings.prices, now=now)


def _dimensions(by: list[str] | None) -> tuple[str, ...]:
    if by is None:
        return ()
    return tuple(name.strip() for names in by for name in names.split(","))


def _order(sort: str | None, *, ascending: bool, limit: int | None, percentiles: bool) -> Order:
    if limit is not None and limit < 1:
        raise WrongUseError(f"--limit must be 1 or more, not {limit}.")
    if sort is None:
        if ascending:
            raise WrongUseError("--ascending needs a --sort COLUMN.")
        return Order(limit=limit)
    return Order(find_column(sort, percentiles=percentiles), ascending, limit)


def _render(
    report: Report,
    order: Order,
    format_: str,
    *,
    now: datetime,
    logs: Path | None,
    output: Path | None,
) -> str:
    # Each format comes with its own libraries, and only one of them is wanted.
    if format_ in {"json", "csv"}:
        from tokenusage.show.machine import render_csv, render_json

        return render_json(report, order) if format_ == "json" else render_csv(report, order)
    today = now.astimezone(report.query.period.zone).date()
    command = report_command(None if logs is None else str(logs))
    if format_ == "markdown":
        from tokenusage.show.markdown import render_markdown

        return render_markdown(report, order, today=today, command=command)
    from tokenusage.show.table import render_table

    terminal = output is None and draws_on_terminal()
    return render_table(
        report, order, width=width(), terminal=terminal, today=today, command=command
    )


def _account_aside(report: Report, format_: str) -> None:
    """Say on stderr what the data itself has no place for."""
    lines = ledger_notes(report)
    if format_ == "csv":
        lines.insert(0, " · ".join(ledger_parts(report)))
    for line in lines:
        typer.echo(line, err=True)
