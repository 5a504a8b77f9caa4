"""``tokenusage calls``: single calls, the newest first."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokenusage.analyse.page import ORDERS, PAGE_CALLS, Page
from tokenusage.analyse.query import Filters, Query
from tokenusage.cli import options
from tokenusage.cli.answering import MACHINE, finish, watched
from tokenusage.cli.completion import words
from tokenusage.cli.output import draws_on_terminal, emit, progress, width
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import Settings, load_settings
from tokenusage.errors import TokenUsageError, WrongUseError
from tokenusage.show.words import command_text, period_text

if TYPE_CHECKING:
    from tokenusage.analyse.calls import Calls
    from tokenusage.keep.lookup import Found

Limit = Annotated[
    int,
    typer.Option(
        "--limit",
        metavar="N",
        help=f"So many calls on a page (default: {PAGE_CALLS}).",
        show_default=False,
        rich_help_panel=options.OUTPUT,
    ),
]
PageNumber = Annotated[
    int,
    typer.Option(
        "--page",
        metavar="N",
        help="Which page (default: 1).",
        show_default=False,
        rich_help_panel=options.OUTPUT,
    ),
]
Order = Annotated[
    str,
    typer.Option(
        "--order",
        metavar="|".join(ORDERS),
        help="What comes first: the newest (default), or the largest.",
        show_default=False,
        autocompletion=words(ORDERS),
        rich_help_panel=options.OUTPUT,
    ),
]
Failed = Annotated[
    bool,
    typer.Option("--failed", help="Only calls that failed.", rich_help_panel=options.FILTERS),
]
Id = Annotated[
    str | None,
    typer.Option("--id", metavar="ID", help="One call whole: every field as it was logged."),
]


@selecting
def calls(
    *,
    id_: Id = None,
    failed: Failed = False,
    selection: Selection,
    format_: options.Format = "table",
    order: Order = "date",
    limit: Limit = PAGE_CALLS,
    page: PageNumber = 1,
    output: options.Output = None,
) -> None:
    """List single calls, the newest first.

    Large logs are read from the end, as far as the page needs: then the number of calls and
    pages is an estimate, a record that was written long after its call may be missing from
    its place, and one that was written again hours later is listed as a call of that time.
    Any other --order reads everything.

    Examples:
      tokenusage calls --failed --limit 20
      tokenusage calls --days 1 --order cost --format csv
    """
    now = datetime.now(UTC)
    options.choose("--format", format_, options.FORMATS)
    options.choose("--order", order, ORDERS)
    wanted = Page(order, page, limit)
    filters = selection.filters()
    settings = load_settings()
    if id_ is not None:
        if not id_:
            raise WrongUseError("--id is empty: give the id of a call.")
        if failed or filters != Filters():
            raise WrongUseError("--id names one call: leave the filters out.")
        if wanted != Page():
            raise WrongUseError("--id names one call: leave --order, --limit and --page out.")
        found = _find(id_, selection, settings, now)
        emit(_render_one(found, str(selection.directory(settings.logs)), format_, output), output)
        return
    if failed:
        filters = replace(filters, where=(*filters.where, ("success", "false")))
    query = Query(selection.period(now), filters)
    logs = selection.directory(settings.logs)
    listed = _list(query, logs, wanted, settings, now)
    command = command_text("calls", selection.logs)
    text = _render(listed, format_, command, output)
    emit(text, output, is_page=format_ not in MACHINE)
    finish(listed.ledger, listed.unpriced, format_)


def _list(query: Query, logs: Path, page: Page, settings: Settings, now: datetime) -> "Calls":
    from tokenusage.analyse.calls import FIELDS, list_calls, shape
    from tokenusage.analyse.plan import plan
    from tokenusage.read.scan import Scan

    wanted = plan(query, naive_zone=settings.naive_timezone, now=now, also=FIELDS)
    with Scan(logs, wanted, shape, ahead=4) as scan, watched(scan):
        return list_calls(query, scan, page)


def _render(listed: "Calls", format_: str, command: str, output: Path | None) -> str:
    # Each format comes with its own libraries, and only one of them is wanted.
    if format_ in MACHINE:
        from tokenusage.show.calls.machine import render_csv, render_json

        return render_json(listed) if format_ == "json" else render_csv(listed)
    if format_ == "markdown":
        from tokenusage.show.calls.markdown import render_markdown

        return render_markdown(listed, command=command)
    from tokenusage.show.calls.table import render_table

    terminal = output is None and draws_on_terminal()
    return render_table(listed, width=width(), terminal=terminal, command=command)


def _find(id_: str, selection: Selection, settings: Settings, now: datetime) -> "Found":
    """Return the call with an id; a period says in which days' files it is searched for."""
    from tokenusage.analyse.period import make_period
    from tokenusage.analyse.plan import plan
    from tokenusage.keep.lookup import look_up

    chosen = selection.period(now)
    period = chosen if selection.names_period else make_period(now=now, everything=True)
    logs = selection.directory(settings.logs)
    wanted = plan(Query(period), naive_zone=settings.naive_timezone, now=now, also=("id",))
    found = look_up(logs, wanted, id_, partial(progress, "Searching"))
    if found is None:
        where = f" in the files of {period_text(period)}" if selection.names_period else ""
        raise TokenUsageError(f"There is no call with the id {id_!r} in {str(logs)!r}{where}.")
    return found


def _render_one(found: "Found", logs: str, format_: str, output: Path | None) -> str:
    if format_ == "table":
        from tokenusage.show.calls.whole import render_table

        terminal = output is None and draws_on_terminal()
        return render_table(found, logs, width=width(), terminal=terminal)
    from tokenusage.show.calls.single import render_csv, render_json, render_markdown

    match format_:
        case "json":
            return render_json(found)
        case "csv":
            return render_csv(found)
        case _:
            return render_markdown(found, logs)
