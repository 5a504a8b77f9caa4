"""``tokenusage summary``: the page that one looks at in the morning."""

from datetime import UTC, datetime
from pathlib import Path

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Query, check_means
from tokenusage.analyse.summary.page import Summary
from tokenusage.cli import options
from tokenusage.cli.answering import MACHINE, finish, watched
from tokenusage.cli.output import draws_on_terminal, emit, width
from tokenusage.config import Settings, load_settings
from tokenusage.show.summary.facts import notes
from tokenusage.show.words import command_text


def summary(
    *,
    mean: options.Mean = None,
    cost: options.Cost = "logged",
    strict: options.Strict = False,
    logs: options.Logs = None,
    tz: options.Tz = "UTC",
    user: options.User = None,
    operation: options.Operation = None,
    model: options.Model = None,
    where: options.Where = None,
    format_: options.Format = "table",
    output: options.Output = None,
) -> None:
    """Show what was spent lately, against the time before, and what it comes to.

    The last hour, the last 24 hours, today, this month and all time; under them averages
    per operation, item, session and task, caches, and this month at the current pace.

    --strict minds calls, tokens and costs: days of which rotate has left only sums are in them.

    Examples:
      tokenusage summary
      tokenusage summary --user 123 --tz Europe/Berlin --format markdown
    """
    now = datetime.now(UTC)
    query = Query(
        period=make_period(now=now, everything=True, tz=tz),
        filters=options.filters(user, operation, model, where),
        cost=options.cost_mode(cost),
        means=check_means(tuple(mean or ())),
    )
    options.choose("--format", format_, options.FORMATS)
    settings = load_settings()
    answered = _ask(query, logs or settings.logs, settings, now)
    is_page = format_ not in MACHINE
    emit(_render(answered, format_, command_text("report", logs), output), output, is_page=is_page)
    unpriced = answered.totals.unpriced
    finish(answered.ledger, unpriced, format_, strict=strict, notes=notes(answered))


def _ask(query: Query, logs: Path, settings: Settings, now: datetime) -> Summary:
    """Answer a query of all time with the summary, with a bar where that takes long."""
    from tokenusage.analyse.summary.plan import plan_summary
    from tokenusage.read.scan import Scan

    plan = plan_summary(query, naive_zone=settings.naive_timezone, now=now)
    with Scan(logs, plan) as scan:
        from tokenusage.analyse.summary.answer import summarise

        with watched(scan):
            return summarise(query, scan, prices=settings.prices, now=now)


def _render(summary: Summary, format_: str, command: str, output: Path | None) -> str:
    # Each format comes with its own libraries, and only one of them is wanted.
    if format_ in MACHINE:
        from tokenusage.show.summary.machine import render_csv, render_json

        return render_json(summary) if format_ == "json" else render_csv(summary)
    if format_ == "markdown":
        from tokenusage.show.summary.markdown import render_markdown

        return render_markdown(summary, command=command)
    from tokenusage.show.summary.table import render_table

    terminal = output is None and draws_on_terminal()
    return render_table(summary, width=width(), terminal=terminal, command=command)
