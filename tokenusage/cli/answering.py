"""From a question as it was typed to its answer, and the account beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Report
from tokenusage.cli.output import progress
from tokenusage.config import Settings
from tokenusage.errors import TokenUsageError
from tokenusage.read.ledger import Ledger
from tokenusage.show.words import ledger_notes, ledger_parts, shortfalls

if TYPE_CHECKING:
    from tokenusage.read.scan import Scan

MACHINE: Final = frozenset({"json", "csv"})
"""The formats for programs, whose account stands on stderr where they have no place for it."""

WORTH_A_BAR: Final = 200 << 20
"""Bytes of logs that take long enough to wonder what goes on."""


def ask(query: Query, logs: Path, settings: Settings, now: datetime) -> Report:
    """Answer a query, with a bar on a terminal where that takes long.

    Raises:
        LogsError: a file can't be read.
        WrongUseError: a filter compares a number with something that is none.
    """
    from tokenusage.analyse.plan import plan
    from tokenusage.read.scan import Scan

    with Scan(logs, plan(query, naive_zone=settings.naive_timezone, now=now)) as scan:
        # pandas loads while the threads of the scan are reading.
        from tokenusage.analyse.answer import answer

        with watched(scan):
            return answer(query, scan, prices=settings.prices, now=now)


@contextmanager
def watched(scan: "Scan") -> Iterator[None]:
    """Draw a bar on a terminal while a scan is being read, where that takes long."""
    if scan.forms.size < WORTH_A_BAR:
        yield
        return
    with progress("Reading", scan.forms.size) as scan.advance:
        yield


def finish(
    ledger: Ledger,
    unpriced: int,
    format_: str,
    *,
    strict: bool = False,
    of: str = "",
    notes: Sequence[str] | None = None,
) -> None:
    """Say on stderr what printed data has no place for; fail where it is short and may not be.

    Args:
        ledger: of everything that was read.
        unpriced: calls without a cost among them.
        format_: in which the data was printed.
        strict: ``--strict``.
        of: as in `account_aside`.
        notes: as in `account_aside`.

    Raises:
        TokenUsageError: something was rejected, unpriced, dropped, unanswered or not read.
    """
    if format_ in MACHINE:
        account_aside(ledger, unpriced, counts=format_ == "csv", of=of, notes=notes)
    if strict:
        check_strict(ledger, unpriced, of)


def check_strict(ledger: Ledger, unpriced: int, of: str = "") -> None:
    """Raise where figures are short; for the arguments see `finish`.

    Raises:
        TokenUsageError: something was rejected, unpriced, dropped, unanswered or not read.
    """
    if short := shortfalls(ledger, unpriced):
        raise TokenUsageError(f"The figures are short (--strict): {of}{', '.join(short)}.")


def account_aside(
    ledger: Ledger,
    unpriced: int,
    *,
    counts: bool,
    of: str = "",
    notes: Sequence[str] | None = None,
) -> None:
    """Say on stderr what data in a machine's format has no place for.

    Args:
        ledger: of everything that was read.
        unpriced: calls without a cost among them.
        counts: whether the data lacks the counts too, and not only the sentences.
        of: what stands in front of each line, where there are several ledgers.
        notes: what makes the figures short, where that is not what the ledger alone says.
    """
    lines = list(ledger_notes(ledger) if notes is None else notes)
    if counts:
        lines.insert(0, " · ".join(ledger_parts(ledger, unpriced)))
    for line in lines:
        typer.echo(f"{of}{line}", err=True)
