"""What a workbook's figures are of, on a sheet of its own: question and ledger."""

from dataclasses import dataclass
from datetime import datetime

from tokenusage.analyse.query import Query
from tokenusage.read.ledger import Ledger
from tokenusage.show.document import question
from tokenusage.show.export.workbook import MAX_TEXT, Book, Cell, Heading
from tokenusage.show.words import caption, ledger_notes


@dataclass(frozen=True, slots=True)
class Account:
    """What stands there."""

    query: Query
    logs: str
    """The directory as the user named it."""
    ledger: Ledger
    unpriced: int
    """Calls without a cost."""
    now: datetime
    """When it was exported."""


def add_account(book: Book, account: Account) -> None:
    """Add the sheet; it is the last one, because it tells of the others."""
    asked = question(account.query)
    ledger = account.ledger.as_dict()
    rows: list[tuple[str, Cell]] = [
        ("exported", account.now.isoformat(timespec="seconds")),
        ("of", " · ".join(caption(account.query, account.logs))),
        ("start", asked["period"]["start"]),
        ("end (not included)", asked["period"]["end"]),
        ("timezone", asked["period"]["timezone"]),
        *((name, ", ".join(values)) for name, values in asked["filters"].items()),
        ("cost", asked["cost"]),
        *((name, cell) for name, cell in ledger.items() if not isinstance(cell, list)),
        ("unpriced", account.unpriced),
        *(("note", note) for note in ledger_notes(account.ledger)),
    ]
    if book.cut:
        rows.append((f"texts cut at {MAX_TEXT:,} characters", book.cut))
    sheet = book.sheet("account", [Heading("what", 30), Heading("value", 60, "#,##0")])
    sheet.add(rows)
