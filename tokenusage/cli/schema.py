"""``tokenusage schema``: what the JSON documents of the commands look like."""

from typing import Annotated

import typer

from tokenusage.cli.completion import complete_schema
from tokenusage.cli.output import emit, width

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="Schema to print; without one they are listed.",
        show_default=False,
        autocompletion=complete_schema,
    ),
]


def schema(name: Name = None) -> None:
    """Print the JSON Schema of what a command prints, or of a log line.

    Schemas are of draft 2020-12. Where a document changes in what it has, the number
    in its "schema" does too.

    Examples:
      tokenusage schema report
      tokenusage schema record
    """
    # A command that prints no schema has no use for what finds them.
    from tokenusage.show.schema import render_titles, schema_text, titles

    emit(render_titles(titles(), width()) if name is None else schema_text(name), None)
