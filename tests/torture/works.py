"""What keeps a log directory, and directories with some of everything that it meets.

Each work returns whether all of it was done; it may also raise what says that it was not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from doctoring import fix
from forgetting import forgotten, people
from keeping import ago, every_form, fill, lines, totals, turn
from support import write_day


def rotate(logs: Path) -> bool:
    """Sum up, seal and remove."""
    return not turn(logs, keep_days=5, seal_after=2).failures


def forget(logs: Path) -> bool:
    """Take Ann out."""
    return not forgotten(logs).left


def delete(logs: Path) -> bool:
    """Drop Ann's records."""
    return not forgotten(logs, delete=True).left


def mend(logs: Path) -> bool:
    """Mend what the doctor finds."""
    return not fix(logs).failed


def neglected(logs: Path) -> Path:
    """Fill a directory with records in wrong files, a torn line and a killed run's leftover."""
    fill(logs, *map(ago, range(5)))
    write_day(logs, str(ago(5)), [*lines(ago(5)), *lines(ago(6)), *lines(ago(3), 1, start=50)])
    with (logs / f"token_usage_{ago(2)}.jsonl").open("ab") as file:
        file.write(b'{"timestamp": "torn')
    (logs / ".tokenusage-0123456789abcdef.tmp").write_bytes(b"half")
    return logs


@dataclass(frozen=True, slots=True)
class Work:
    """A work, and what tells that no other record was harmed."""

    do: Callable[[Path], bool]
    start: Callable[[Path], Path]
    """Fills the directory that it is done to."""
    figures: Callable[[Path], Any]
    """Has the same result before, while and after it is done."""


def _totals(logs: Path) -> Any:
    return totals(logs)["totals"]


def _totals_of_all(logs: Path) -> Any:
    found = totals(logs)["totals"]
    return {name: figure for name, figure in found.items() if name != "users"}  # pseudonyms


def _rows_of_bob(logs: Path) -> Any:
    return [row for row in totals(logs)["rows"] if row["user"] == "bob"]


WORKS: Final = {
    "rotate": Work(rotate, every_form, totals),
    "forget": Work(forget, people, _totals_of_all),
    "delete": Work(delete, people, _rows_of_bob),
    "mend": Work(mend, neglected, _totals),
}
