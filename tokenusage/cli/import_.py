"""``tokenusage import``: calls from elsewhere into the log."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tokenusage.analyse.period import find_zone
from tokenusage.cli import options
from tokenusage.cli.output import progress
from tokenusage.config import Settings, load_settings
from tokenusage.errors import WrongUseError
from tokenusage.logs import day_of
from tokenusage.show.inert import inert

if TYPE_CHECKING:
    from tokenusage.ingest.importer import Importer, Outcome
    from tokenusage.ingest.mapping import Mapping
    from tokenusage.ingest.source import Source

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="CSV with a header, or JSON lines.", show_default=False),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Take a field of the record from a column; a path with dots reaches into "
        "nested JSON, tags.NAME is a field too (repeatable).",
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Give a field the same value in every row; no value leaves it unset (repeatable).",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only",
        metavar="COLUMN=VALUE",
        help="Only rows that have this value (repeatable, all must hold).",
    ),
]
Tz = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Zone of times that name none: local or an IANA name (default: naive_timezone "
        "of tokenusage.toml, else UTC).",
    ),
]


def import_(
    files: Files,
    *,
    maps: Maps = None,
    sets: Sets = None,
    only: Only = None,
    tz: Tz = None,
    logs: options.Logs = None,
) -> None:
    """Bring in calls from CSV or JSON lines; importing a row again changes nothing.

    A column that is called like a field of the record needs no --map: the log
    lines of tokenusage go in as they are. A time is ISO 8601 or Unix time.

    Examples:
      tokenusage import calls.csv --map timestamp=time --map prompt_tokens=input
      tokenusage import events.jsonl --only event=call --map model_name=request.model
    """
    settings = load_settings()
    directory = logs or settings.logs

    # They bring pyarrow: only the commands that read or write a log pay for it.
    from tokenusage.ingest.mapping import parse_mapping
    from tokenusage.ingest.source import Source

    zone = settings.naive_timezone if tz is None else find_zone(tz)[0]
    mapping = parse_mapping(maps or (), sets or (), only or (), zone)
    for file in files:
        _refuse_own(file, directory)
    sources = [Source(file) for file in files]
    for source in sources:
        mapping.check_columns(source)
    importer = _importer(directory, mapping, settings)
    _import_all(importer, sources)
    _tell(importer.outcome, directory)


def _refuse_own(file: Path, directory: Path) -> None:
    if day_of(file.name) and file.resolve().parent == directory.resolve():
        raise WrongUseError(f"{str(file)!r} is a file of the log that it would be imported into.")


def _importer(directory: Path, mapping: "Mapping", settings: Settings) -> "Importer":
    from tokenusage.ingest.importer import Importer
    from tokenusage.price.pricer import Pricer
    from tokenusage.write.appender import Appender

    appender = Appender(
        directory,
        file_mode=settings.file_mode,
        directory_mode=settings.directory_mode,
        sync=settings.sync == "record",
    )
    return Importer(
        directory,
        mapping,
        appender=appender,
        pricer=Pricer(settings.prices),
        query_chars=settings.query_chars,
    )


def _import_all(importer: "Importer", sources: "list[Source]") -> None:
    with progress("Importing", sum(source.size for source in sources)) as advance:
        for source in sources:
            importer.add(source, advance)


def _tell(outcome: "Outcome", directory: Path) -> None:
    for row in outcome.rejections:
        typer.echo(inert(f"{row.path}:{row.line}: {row.reason}"), err=True)
    more = outcome.rejected - len(outcome.rejections)
    if more:
        typer.echo(f"... and {more:,} more", err=True)
    rows = "row" if outcome.imported == 1 else "rows"
    counts = (
        f"{outcome.imported:,} {rows} imported into {inert(str(directory))}",
        f"{outcome.known:,} already there",
        f"{outcome.skipped:,} skipped",
        f"{outcome.rejected:,} rejected",
    )
    typer.echo(" · ".join(counts))
    if outcome.rejected and not outcome.imported and not outcome.known:
        raise typer.Exit(1)
