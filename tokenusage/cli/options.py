"""The options that commands share, so that they mean the same in each of them."""

from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from tokenusage.analyse.query import CostMode, Filters
from tokenusage.cli.completion import (
    complete_field,
    complete_model,
    complete_operation,
    complete_user,
    words,
)
from tokenusage.errors import WrongUseError, nearest

FORMATS = ("table", "json", "csv", "markdown")

PERIOD = "Period"
FILTERS = "Filters"
OUTPUT = "Output"

Logs = Annotated[
    Path | None,
    typer.Option(
        "--logs",
        metavar="DIR",
        help="Log directory (also TOKENUSAGE_LOGS or tokenusage.toml; default: logs).",
    ),
]

Days = Annotated[
    int | None,
    typer.Option(
        "--days",
        metavar="N",
        help="The last N calendar days, today included (default: 7).",
        rich_help_panel=PERIOD,
    ),
]
Hours = Annotated[
    int | None,
    typer.Option("--hours", metavar="N", help="The last N hours.", rich_help_panel=PERIOD),
]
Month = Annotated[
    str | None,
    typer.Option("--month", metavar="YYYY-MM", help="A month.", rich_help_panel=PERIOD),
]
Everything = Annotated[
    bool,
    typer.Option("--all", help="From the first record to the last.", rich_help_panel=PERIOD),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="YYYY-MM-DD", help="From this day on.", rich_help_panel=PERIOD),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="YYYY-MM-DD", help="Up to and with this day.", rich_help_panel=PERIOD
    ),
]
Tz = Annotated[
    str,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Zone in which days begin: UTC (default), local or an IANA name.",
        show_default=False,
        rich_help_panel=PERIOD,
    ),
]

User = Annotated[
    list[str] | None,
    typer.Option(
        "--user",
        metavar="ID",
        help="Only this user (repeatable).",
        rich_help_panel=FILTERS,
        autocompletion=complete_user,
    ),
]
Operation = Annotated[
    list[str] | None,
    typer.Option(
        "--operation",
        metavar="NAME",
        help="Only this operation (repeatable).",
        rich_help_panel=FILTERS,
        autocompletion=complete_operation,
    ),
]
Model = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Only this model; takes globs such as 'gpt-4o*' (repeatable).",
        rich_help_panel=FILTERS,
        autocompletion=complete_model,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE",
        help="Only where a field, or tag.NAME, has this value (repeatable, all must hold).",
        rich_help_panel=FILTERS,
        autocompletion=complete_field,
    ),
]


def format_option(formats: tuple[str, ...], text: str = "How to print it (default: table).") -> Any:
    """Return ``--format`` of a command that knows these formats."""
    return typer.Option(
        "--format",
        metavar="|".join(formats),
        help=text,
        show_default=False,
        rich_help_panel=OUTPUT,
        autocompletion=words(formats),
    )


Format = Annotated[str, format_option(FORMATS)]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Write it to a file, whole or not at all.",
        rich_help_panel=OUTPUT,
    ),
]


COSTS: Final = ("logged", "effective", "current")

Cost = Annotated[
    str,
    typer.Option(
        "--cost",
        metavar="|".join(COSTS),
        help="Cost as logged (default), at the price of the call's date, or at today's.",
        show_default=False,
        autocompletion=words(COSTS),
    ),
]
Mean = Annotated[
    list[str] | None,
    typer.Option(
        "--mean",
        metavar="tag.NAME",
        help="Add the average of a numeric tag over the calls that carry one (repeatable).",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Exit 1 when anything is rejected, unpriced, dropped or unanswered."
    ),
]


def cost_mode(word: str) -> CostMode:
    """Return what ``--cost`` names.

    Raises:
        WrongUseError: it is none of `COSTS`.
    """
    return cast(CostMode, choose("--cost", word, COSTS))


def dimensions(by: list[str] | None) -> tuple[str, ...]:
    """Return the names in ``--by``, which may be given more than once."""
    return tuple(name.strip() for names in by or () for name in names.split(","))


def filters(
    user: list[str] | None,
    operation: list[str] | None,
    model: list[str] | None,
    where: list[str] | None,
) -> Filters:
    """Return the filters that the options name.

    Raises:
        WrongUseError: a ``--where`` has no field or no ``=``.
    """
    pairs = []
    for condition in where or ():
        field, equals, value = condition.partition("=")
        if not field or not equals:
            raise WrongUseError(f"--where takes FIELD=VALUE, not {condition!r}.")
        pairs.append((field, value))
    return Filters(tuple(user or ()), tuple(operation or ()), tuple(model or ()), tuple(pairs))


def choose(option: str, word: str, known: tuple[str, ...]) -> str:
    """Return `word` if it is one of the `known` ones.

    Raises:
        WrongUseError: it is none of them; names the nearest.
    """
    if word in known:
        return word
    raise WrongUseError(f"{option} {word!r} is none of {', '.join(known)}.{nearest(word, known)}")
