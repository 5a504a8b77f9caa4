"""``tokenusage report``: who spends what, on which model, for which operation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tokenusage.analyse.query import Query, check_dimensions
from tokenusage.analyse.report import Report
from tokenusage.cli import options
from tokenusage.cli.answering import account_aside, ask, check_strict
from tokenusage.cli.output import draws_on_terminal, emit, width
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import load_settings
from tokenusage.errors import WrongUseError
from tokenusage.show.columns import find_column
from tokenusage.show.report.arrange import Order
from tokenusage.show.words import command_text

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
Percentiles = Annotated[
    bool, typer.Option("--percentiles", help="Add p50, p95 and p99 of the response time.")
]


@selecting
def report(
    *,
    by: By = None,
    cost: options.Cost = "logged",
    percentiles: Percentiles = False,
    strict: options.Strict = False,
    selection: Selection,
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
        period=selection.period(now),
        filters=selection.filters(),
        by=check_dimensions(options.dimensions(by)),
        cost=options.cost_mode(cost),
        percentiles=percentiles,
    )
    options.choose("--format", format_, options.FORMATS)
    order = _order(sort, ascending=ascending, limit=limit, percentiles=percentiles)
    settings = load_settings()
    answered = ask(query, selection.directory(settings.logs), settings, now)
    command = command_text("report", selection.logs)
    emit(_render(answered, order, format_, now=now, command=command, output=output), output)
    ledger, unpriced = answered.ledger, answered.totals.unpriced
    if format_ in {"csv", "json"}:
        account_aside(ledger, unpriced, counts=format_ == "csv")
    if strict:
        check_strict(ledger, unpriced)


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
    command: str,
    output: Path | None,
) -> str:
    # Each format comes with its own libraries, and only one of them is wanted.
    if format_ in {"json", "csv"}:
        from tokenusage.show.report.machine import render_csv, render_json

        return render_json(report, order) if format_ == "json" else render_csv(report, order)
    today = now.astimezone(report.query.period.zone).date()
    if format_ == "markdown":
        from tokenusage.show.report.markdown import render_markdown

        return render_markdown(report, order, today=today, command=command)
    from tokenusage.show.report.table import render_table

    terminal = output is None and draws_on_terminal()
    return render_table(
        report, order, width=width(), terminal=terminal, today=today, command=command
    )
