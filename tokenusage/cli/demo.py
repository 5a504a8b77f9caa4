"""``tokenusage demo``: samples to try the reports on."""

from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from tokenusage.cli import options
from tokenusage.config import load_settings
from tokenusage.errors import WrongUseError
from tokenusage.show.inert import inert

DEFAULT_DAYS: Final = 30
DEFAULT_CALLS: Final = 1200
DEFAULT_SEED: Final = 1
MAX_DAYS: Final = 3660
MAX_CALLS: Final = 1_000_000

Days = Annotated[
    int,
    typer.Option("--days", metavar="N", help="Of the last N calendar days, today included."),
]
Calls = Annotated[int, typer.Option("--calls", metavar="N", help="How many calls.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="Another seed makes other samples.")]


def demo(
    *,
    days: Days = DEFAULT_DAYS,
    calls: Calls = DEFAULT_CALLS,
    seed: Seed = DEFAULT_SEED,
    logs: options.Logs = None,
) -> None:
    """Write believable sample calls that end now; a log that holds records is refused.

    Examples:
      tokenusage demo --logs logs/demo
      tokenusage demo --logs logs/demo --days 90 --calls 5000 --seed 7
    """
    _check("--days", days, MAX_DAYS)
    _check("--calls", calls, MAX_CALLS)
    settings = load_settings()
    directory = logs or settings.logs

    # The price list comes with it.
    from random import Random

    from tokenusage.ingest.demo import write_demo
    from tokenusage.price.pricer import Pricer
    from tokenusage.write.appender import Appender

    write_demo(
        directory,
        now=datetime.now(UTC),
        days=days,
        calls=calls,
        rng=Random(seed),  # noqa: S311 - samples, no secrets
        pricer=Pricer(settings.prices),
        appender=Appender(
            directory, file_mode=settings.file_mode, directory_mode=settings.directory_mode
        ),
    )
    typer.echo(f"{calls:,} sample calls written to {inert(str(directory))}")


def _check(option: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise WrongUseError(f"{option} must be from 1 to {most:,}, not {value}.")
