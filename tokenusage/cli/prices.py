"""``tokenusage prices``: which price applies to a model, why, and what a call costs."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tokenusage.cli import options
from tokenusage.cli.output import emit
from tokenusage.config import load_settings
from tokenusage.errors import WrongUseError
from tokenusage.logs import parse_day
from tokenusage.record import MAX_TOKENS

FORMATS = ("table", "json")
CALL = "A call"

Model = Annotated[
    str, typer.Argument(metavar="MODEL", help="Name as calls are logged under.", show_default=False)
]
Provider = Annotated[
    str | None, typer.Option("--provider", metavar="NAME", help="Who sells it: openai, azure, ...")
]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="DATE", help="Day, or ISO date and time (UTC if naive); default: now."
    ),
]
ServiceTier = Annotated[
    str | None, typer.Option("--service-tier", metavar="TIER", help="Such as flex or priority.")
]
Batch = Annotated[bool, typer.Option("--batch", help="Through the provider's batch interface.")]
Prompt = Annotated[
    int | None,
    typer.Option(
        "--prompt-tokens",
        metavar="N",
        help="Tokens in, cached ones included.",
        rich_help_panel=CALL,
    ),
]
Completion = Annotated[
    int | None,
    typer.Option(
        "--completion-tokens",
        metavar="N",
        help="Tokens out, reasoning included.",
        rich_help_panel=CALL,
    ),
]
CacheRead = Annotated[
    int | None,
    typer.Option(
        "--cache-read-tokens", metavar="N", help="Read from the cache.", rich_help_panel=CALL
    ),
]
CacheWrite = Annotated[
    int | None,
    typer.Option(
        "--cache-write-tokens", metavar="N", help="Written to the cache.", rich_help_panel=CALL
    ),
]
Reasoning = Annotated[
    int | None,
    typer.Option("--reasoning-tokens", metavar="N", help="Spent thinking.", rich_help_panel=CALL),
]
Format = Annotated[str, options.format_option(FORMATS)]


def prices(
    model: Model,
    *,
    provider: Provider = None,
    at: At = None,
    service_tier: ServiceTier = None,
    batch: Batch = False,
    prompt_tokens: Prompt = None,
    completion_tokens: Completion = None,
    cache_read_tokens: CacheRead = None,
    cache_write_tokens: CacheWrite = None,
    reasoning_tokens: Reasoning = None,
    format_: Format = "table",
) -> None:
    """Show which price applies to a model and why, and what a call costs.

    Exits with 1 where no price is known: such calls are logged with cost null.

    Examples:
      tokenusage prices gpt-4o-mini --prompt-tokens 1250 --completion-tokens 150
      tokenusage prices claude-sonnet-4-5 --provider anthropic --at 2026-01-31
    """
    options.choose("--format", format_, FORMATS)
    moment = datetime.now(UTC).replace(microsecond=0) if at is None else _moment(at)
    tokens = _tokens(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cache_read_tokens=cache_read_tokens,
        cache_write_tokens=cache_write_tokens,
        reasoning_tokens=reasoning_tokens,
    )
    settings = load_settings()

    # The price list comes with it: only once the question is known to be right.
    from tokenusage.price.explain import explain
    from tokenusage.price.pricer import Pricer
    from tokenusage.show.price import render_price, render_price_json

    price = explain(
        Pricer(settings.prices),
        model,
        moment,
        provider=provider,
        service_tier=service_tier,
        context={"processing": "batch"} if batch else None,
        tokens=tokens or None,
    )
    emit(render_price_json(price) if format_ == "json" else render_price(price), None)
    if price.source is None:
        raise typer.Exit(1)


def _moment(text: str) -> datetime:
    """Return the moment that ``--at`` names, in UTC; a day is its beginning.

    Raises:
        WrongUseError: it is no date.
    """
    if day := parse_day(text):
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    try:
        # Only what begins with a canonical day: fromisoformat alone takes 20260101T00 too.
        moment = datetime.fromisoformat(text) if parse_day(text[:10]) else None
        if moment is not None:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    raise WrongUseError(f"--at takes a date such as 2026-01-31, with a time or not, not {text!r}.")


def _tokens(**counts: int | None) -> dict[str, int]:
    given = {name: number for name, number in counts.items() if number is not None}
    for name, number in given.items():
        if not 0 <= number <= MAX_TOKENS:
            option = f"--{name.replace('_', '-')}"
            raise WrongUseError(f"{option} takes a number from 0 to {MAX_TOKENS}, not {number}.")
    return given
