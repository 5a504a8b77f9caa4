"""What was found in a log directory, and how much it weighs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from tokenusage.logs import DayFile
from tokenusage.price.table import PriceTable

MAX_PLACES: Final = 100
"""How many places a finding names; the rest is counted."""


class Weight(StrEnum):
    """How much a finding matters; the heaviest first."""

    WRONG = "wrong"
    """Records are lost or can't be read, figures are false, or logging fails."""
    WARNING = "warning"
    """Figures are incomplete, or something will go wrong."""
    NOTE = "note"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it could be."""

    check: str
    """A name for programs, which stays the same: ``rejected-lines``."""
    weight: Weight
    what: str
    """What it is, without its end; a number may follow it."""
    count: int | None = None
    """How many there are, where they are counted."""
    where: tuple[str, ...] = ()
    """The first places where it is."""
    more: int = 0
    """Further places that are not named."""
    help: str = ""
    """What would be right, or which command helps, as sentences."""
    fixable: bool = False
    """Whether ``doctor --fix`` mends it."""

    @classmethod
    def at(
        cls,
        check: str,
        weight: Weight,
        what: str,
        places: Sequence[str],
        *,
        help_: str,
        fixable: bool = False,
        count: int | None = None,
    ) -> Self:
        """Return a finding that has places, of which it names the first.

        Args:
            check: as in `Finding`, like `weight`, `what` and `fixable`.
            weight: likewise.
            what: likewise.
            places: all places, or the first ones where `count` says how many there are.
            help_: as `help`.
            fixable: likewise.
            count: how many there are, if not as many as `places`.
        """
        total = len(places) if count is None else count
        named = tuple(places[:MAX_PLACES])
        more = total - len(named) if named else 0
        return cls(check, weight, what, total, named, more, help_, fixable)


@dataclass(frozen=True, slots=True)
class Setup:
    """What a log directory is held against: the clock, and what the configuration says."""

    logs: Path
    now: datetime
    """With its zone."""
    naive_zone: tzinfo
    """Of timestamps that have none."""
    file_mode: int
    directory_mode: int
    prices: PriceTable
    """The user's own prices."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a look at a log directory has found."""

    findings: tuple[Finding, ...]
    """The heaviest first."""
    files: int = 0
    """Log files and sealed files that were read."""
    records: int = 0
    newest: datetime | None = None
    """When the newest record was logged that is not in the future."""
    summary_only_days: int = 0
    """Days whose records are removed, as it was wished, and whose sums are left."""
    strays: tuple[DayFile, ...] = ()
    """Log files with records of other days that have an id."""

    def count(self, weight: Weight) -> int:
        """Return how many findings have this weight."""
        return sum(finding.weight is weight for finding in self.findings)
