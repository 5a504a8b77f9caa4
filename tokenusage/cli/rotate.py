"""``tokenusage rotate``: sums of closed days, and what becomes of their records."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tokenusage.cli import options
from tokenusage.cli.output import emit, progress, width
from tokenusage.config import load_settings
from tokenusage.errors import TokenUsageError
from tokenusage.show.numbers import counted

KeepDays = Annotated[
    int | None,
    typer.Option(
        "--keep-days",
        metavar="N",
        help="Remove records of days before the last N; their sums stay (default: keep all).",
    ),
]
SealAfter = Annotated[
    int | None,
    typer.Option(
        "--seal-after",
        metavar="N",
        help="Turn days older than N into one Parquet file each (default: none).",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only show what would be done, and why no more.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Trust the clock, even where it may have jumped.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say it in one line.")]


def rotate(
    *,
    keep_days: KeepDays = None,
    seal_after: SealAfter = None,
    dry_run: DryRun = False,
    force: Force = False,
    quiet: Quiet = False,
    logs: options.Logs = None,
) -> None:
    """Sum up closed days, so that reports are fast; seal or remove old records if asked to.

    Made for cron, beside running loggers. Records are removed only with --keep-days or
    keep_days in tokenusage.toml, and only once their sums are safe. Exits with 75 where
    another rotate is at work.

    Examples:
      tokenusage rotate --keep-days 30 --quiet
      tokenusage rotate --keep-days 365 --seal-after 7 --dry-run
    """
    settings = load_settings()
    directory = logs or settings.logs
    now = datetime.now(UTC)

    # pyarrow comes with them.
    from tokenusage.keep.plan import Wishes
    from tokenusage.keep.rotate import plan_rotation
    from tokenusage.keep.rotate import rotate as rotate_logs
    from tokenusage.show.rotation import render_outcome, render_plan

    wishes = Wishes(
        keep_days=settings.keep_days if keep_days is None else keep_days,
        seal_after=settings.seal_after if seal_after is None else seal_after,
        force=force,
    )
    zone = settings.naive_timezone
    if dry_run:
        plan = plan_rotation(directory, now=now, naive_zone=zone, wishes=wishes)
        emit(render_plan(plan, str(directory), width=width(), quiet=quiet), None)
        return
    outcome = rotate_logs(
        directory,
        now=now,
        naive_zone=zone,
        wishes=wishes,
        watch=lambda total: progress("Rotating", total),
    )
    emit(render_outcome(outcome, str(directory), width=width(), quiet=quiet), None)
    if failures := outcome.failures:
        named = "; ".join(f"{failure.day}: {failure.why}" for failure in failures[:3])
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        raise TokenUsageError(f"{counted(len(failures), 'day')} failed: {named}{more}.")
