"""From a question as it was typed to its answer, and the account beside it."""

from datetime import datetime
from pathlib import Path
from typing import Final

import typer

from tokenusage.analyse.query import Query
from tokenusage.analyse.report import Report
from tokenusage.cli.output import progress
from tokenusage.config import Settings
from tokenusage.errors import TokenUsageError
from tokenusage.read.ledger import Ledger
from tokenusage.show.words import ledger_notes, ledger_parts, shortfalls

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

        if scan.forms.size < WORTH_A_BAR:
            return answer(query, scan, prices=settings.prices, now=now)
        with progress("Reading", scan.forms.size) as scan.advance:
            return answer(query, scan, prices=settings.prices, now=now)


def account_aside(ledger: Ledger, unpriced: int, *, counts: bool, of: str = "") -> None:
    """Say on stderr what data in a machine's format has no place for.

    Args:
        ledger: of everything that was read.
        unpriced: calls without a cost among them.
        counts: whether the data lacks the counts too, and not only the sentences.
        of: what stands in front of each line, where there are several ledgers.
    """
    lines = ledger_notes(ledger)
    if counts:
        lines.insert(0, " · ".join(ledger_parts(ledger, unpriced)))
    for line in lines:
        typer.echo(f"{of}{line}", err=True)


def check_strict(ledger: Ledger, unpriced: int) -> None:
    """Raise where the figures are short of anything, for ``--strict``.

    Raises:
        TokenUsageError: something was rejected, unpriced, dropped, unanswered or not read.
    """
    if short := shortfalls(ledger, unpriced):
        raise TokenUsageError(f"The figures are short (--strict): {', '.join(short)}.")
