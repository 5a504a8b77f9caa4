"""``tokenusage top``: who and what comes first."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from tokenusage.analyse.query import First, Query
from tokenusage.analyse.ranking import MEASURES, RANKED, Ranking, rank
from tokenusage.cli import options
from tokenusage.cli.answering import MACHINE, ask, finish
from tokenusage.cli.completion import words
from tokenusage.cli.output import draws_on_terminal, emit, width, writes
from tokenusage.cli.selection import Selection, selecting
from tokenusage.config import load_settings
from tokenusage.errors import WrongUseError, nearest
from tokenusage.show.words import command_text

ROWS: Final = 10

What = Annotated[
    str,
    typer.Argument(
        metavar="|".join(RANKED),
        help="What to rank.",
        show_default=False,
        autocompletion=words(tuple(RANKED)),
    ),
]
By = Annotated[
    str,
    typer.Option(
        "--by",
        metavar="|".join(MEASURES),
        help="What decides (default: cost); response_time is the average of the calls.",
        show_default=False,
        autocompletion=words(MEASURES),
    ),
]
Limit = Annotated[
    int,
    typer.Option(
        "--limit",
        metavar="N",
        help=f"So many rows (default: {ROWS}).",
        show_default=False,
        rich_help_panel=options.OUTPUT,
    ),
]


@selecting
def top(
    what: What,
    *,
    by: By = "cost",
    cost: options.Cost = "logged",
    strict: options.Strict = False,
    selection: Selection,
    format_: options.Format = "table",
    limit: Limit = ROWS,
    output: options.Output = None,
) -> None:
    """Rank users, models, operations, sessions, tasks or queries, with their shares.

    Examples:
      tokenusage top users --days 30
      tokenusage top queries --by response_time --limit 5
    """
    now = datetime.now(UTC)
    _check(what, by, format_, limit)
    query = Query(
        period=selection.period(now),
        filters=selection.filters(),
        by=RANKED[what],
        cost=options.cost_mode(cost),
        first=First(by, limit),
    )
    settings = load_settings()
    answered = ask(query, selection.directory(settings.logs), settings, now)
    command = command_text(f"top {what}", selection.logs)
    text = _render(rank(answered, what, by, limit), format_, command, output)
    emit(text, output, is_page=format_ not in MACHINE)
    finish(answered.ledger, answered.totals.unpriced, format_, strict=strict)


def _check(what: str, by: str, format_: str, limit: int) -> None:
    if what not in RANKED:
        raise WrongUseError(
            f"There is no ranking of {what!r}: use {', '.join(RANKED)}.{nearest(what, RANKED)}"
        )
    options.choose("--by", by, MEASURES)
    options.choose("--format", format_, options.FORMATS)
    if limit < 1:
        raise WrongUseError(f"--limit must be 1 or more, not {limit}.")


def _render(ranking: Ranking, format_: str, command: str, output: Path | None) -> str:
    # rich comes with it, while pandas is loaded already.
    from tokenusage.show.bars import BLOCKS
    from tokenusage.show.ranking import render_csv, render_json, render_markdown, render_table

    match format_:
        case "json":
            return render_json(ranking)
        case "csv":
            return render_csv(ranking)
        case "markdown":
            return render_markdown(ranking, command=command)
    return render_table(
        ranking,
        width=width(),
        terminal=output is None and draws_on_terminal(),
        blocks=output is not None or writes(BLOCKS),
        command=command,
    )
