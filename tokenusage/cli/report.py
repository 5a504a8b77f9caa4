"""``tokenusage report``: who spends what, on which model, for which operation."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from tokenusage.analyse.chart import check_chart
from tokenusage.analyse.period import compared_period
from tokenusage.analyse.query import Query, check_dimensions, check_means
from tokenusage.cli import options
from tokenusage.cli.answering import MACHINE, ask, check_strict, finish
from tokenusage.cli.completion import complete_dimensions, words
from tokenusage.cli.output import emit
from tokenusage.cli.report_text import Printing
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import load_settings
from tokenusage.errors import WrongUseError
from tokenusage.show.columns import drawable, find_column, row_model
from tokenusage.show.report.arrange import Order
from tokenusage.show.words import BEFORE, command_text

By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="DIM,...",
        help="Group by hour, day, week, month, year, user, email, operation, model, provider, "
        "session, task, batch, cache, success or tag.NAME; several make one table.",
        autocompletion=complete_dimensions,
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        "--sort",
        metavar="COLUMN",
        help="Largest first by a column as csv names it: cost, calls, total_tokens, ...",
        rich_help_panel=options.OUTPUT,
        autocompletion=words(tuple(column.name for column in row_model(percentiles=True))),
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


ChartFlag = Annotated[
    bool,
    typer.Option(
        "--chart",
        help="Bars along time, for --by day or day,model: of the cost, or of what --sort names.",
    ),
]
Compare = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="previous|FROM..TO",
        help="Beside another period: dates such as 2026-10-01..2026-10-31, or the one before; "
        "of that as much as has passed of a period that is not over.",
        autocompletion=words(("previous",)),
    ),
]


@selecting
def report(
    *,
    by: By = None,
    cost: options.Cost = "logged",
    percentiles: Percentiles = False,
    mean: options.Mean = None,
    chart: ChartFlag = False,
    compare: Compare = None,
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
      tokenusage report --by day,model --chart
      tokenusage report --month 2026-11 --compare previous --format markdown
    """
    now = datetime.now(UTC)
    query = Query(
        period=selection.period(now),
        filters=selection.filters(),
        by=check_dimensions(options.dimensions(by)),
        cost=options.cost_mode(cost),
        percentiles=percentiles,
        means=check_means(tuple(mean or ())),
    )
    options.choose("--format", format_, options.FORMATS)
    order = _order(query, sort, ascending=ascending, limit=limit)
    if chart:
        _check_chart(query, order, format_, compare)
    earlier = None if compare is None else compared_period(compare, query.period, now)
    settings = load_settings()
    logs = selection.directory(settings.logs)
    answers = [ask(query, logs, settings, now)]
    if earlier is not None:
        answers.append(ask(replace(query, period=earlier), logs, settings, now))
    printing = Printing(format_, order, now, command_text("report", selection.logs), output)
    text = printing.charted(*answers) if chart else printing.text(*answers)
    emit(text, output, is_page=format_ not in MACHINE)
    sides = list(zip(answers, ("", BEFORE), strict=False))
    for answered, side in sides:
        finish(answered.ledger, answered.totals.unpriced, format_, of=side)
    if strict:
        for answered, side in sides:
            check_strict(answered.ledger, answered.totals.unpriced, side)


def _order(query: Query, sort: str | None, *, ascending: bool, limit: int | None) -> Order:
    if limit is not None and limit < 1:
        raise WrongUseError(f"--limit must be 1 or more, not {limit}.")
    if sort is None:
        if ascending:
            raise WrongUseError("--ascending needs a --sort COLUMN.")
        return Order(limit=limit)
    column = find_column(sort, percentiles=query.percentiles, means=query.means)
    return Order(column, ascending, limit)


def _check_chart(query: Query, order: Order, format_: str, compare: str | None) -> None:
    if format_ in MACHINE:
        raise WrongUseError(
            f"--chart is drawn for people: leave it out of --format {format_}, whose rows are "
            "the same, or use --format table or markdown."
        )
    if compare is not None:
        raise WrongUseError("--chart and --compare don't go together: give one of them.")
    if query.percentiles or query.means:
        raise WrongUseError("--chart has no place for --percentiles and --mean: leave them out.")
    if order.ascending:
        raise WrongUseError("--chart is in order of time: --ascending has no place in it.")
    check_chart(query.by)
    if order.column:
        drawable(order.column)
