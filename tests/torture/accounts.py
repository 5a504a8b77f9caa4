"""What writers of all days have acknowledged, held against what a log directory gives back."""

import os
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forgetting import logged
from keeping import ago, totals
from torture.keepers import PERSON, SAID
from writing import python


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A record that a writer knows to be logged."""

    id: str
    user: str
    operation: str
    day: str
    tokens: int


def start(work: str, logs: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a process that does a work of `keepers` and prints what that returns."""
    code = f"import sys; from pathlib import Path; from torture.keepers import {work}\n"
    return python(code + f"print({work}(Path(sys.argv[1]), *sys.argv[2:]))", logs, *arguments)


def count(logs: Path) -> int:
    """Return how many records are known to be logged by now."""
    files = (logs.parent / "acknowledged").glob("*")
    return sum(path.stat().st_size // SAID for path in files)


def calls(logs: Path) -> int:
    """Return how many calls a report counts in the whole directory; it has to be sound."""
    document = totals(logs)
    ledger = document["ledger"]
    assert (ledger["rejected"], ledger["duplicates"], ledger["dropped"]) == (0, 0, 0)
    found: int = document["totals"]["calls"]
    return found


def acknowledged(logs: Path) -> list[Acknowledged]:
    """Return every record that is known to be logged."""
    found = []
    for path in (logs.parent / "acknowledged").iterdir():
        for line in path.read_text().splitlines():
            name, operation, days, tokens = line.split()
            day = str(ago(int(days)))
            found.append(Acknowledged(name, path.name, operation, day, int(tokens)))
    return found


def check(logs: Path, *, without: str | None = None) -> list[Acknowledged]:
    """Make sure that every figure and every record is as it was acknowledged.

    Args:
        logs: the log directory, which nobody writes to any more.
        without: a user whose records may be there or not.

    Returns:
        Every record that is known to be logged.
    """
    everything = acknowledged(logs)
    assert _found(logs, "user", without) == _sums(everything, lambda one: one.user, without)
    if without is None:
        assert _found(logs, "operation", None) == _sums(everything, lambda one: one.operation, None)
    ids = [record["id"] for record in logged(logs)]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= {one.id for one in everything}
    recent = {str(ago(0)), str(ago(1))}  # no rotation removes records of these
    assert {one.id for one in everything if one.day in recent and one.user != without} <= set(ids)
    return everything


def _sums(
    records: list[Acknowledged], key: Callable[[Acknowledged], str], without: str | None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Return calls and tokens by key and day."""
    number: Counter[tuple[str, str]] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for one in records:
        if one.user != without:
            number[key(one), one.day] += 1
            tokens[key(one), one.day] += one.tokens
    return {group: (number[group], tokens[group]) for group in number}


def _found(logs: Path, by: str, without: str | None) -> dict[tuple[str, str], tuple[int, int]]:
    """Return calls and tokens by key and day, as a report has them; pseudonyms are the `PERSON`."""
    number: Counter[tuple[str, str]] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for row in totals(logs, by)["rows"]:
        key = PERSON if row[by].startswith("forgotten-") else row[by]
        if key != without:
            number[key, row["day"]] += row["calls"]
            tokens[key, row["day"]] += row["prompt_tokens"]
            assert row["cost"] == round(row["prompt_tokens"] / 1_000_000, 9)
    return {group: (number[group], tokens[group]) for group in number}


def stop(writers: list[subprocess.Popen[str]]) -> None:
    """End writers as they like to be ended, and make sure that all was well with them."""
    for process in writers:
        process.terminate()
    for process in writers:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == os.EX_OK, errors
