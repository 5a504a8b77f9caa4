"""What became of every line: the account that stands beside every figure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

MAX_REJECTIONS: Final = 1000
"""How many rejected lines an account remembers by file and line."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A line, or the torn part of one, that is no record."""

    file: str
    """Name of the file in the log directory."""
    line: int
    """Line number, from 1."""
    reason: str


@dataclass(slots=True)
class Account:
    """What became of the lines of some files, whether or not they are still there."""

    lines: int = 0
    """A line that was salvaged counts as two."""
    blank: int = 0
    rejected: int = 0
    duplicates: int = 0
    """Only known of whole days."""
    rejections: list[Rejection] = field(default_factory=list)
    """Where the first rejected lines are (`MAX_REJECTIONS` at most)."""

    def add(self, other: "Account") -> None:
        """Add the lines of further files."""
        self.lines += other.lines
        self.blank += other.blank
        self.rejected += other.rejected
        self.duplicates += other.duplicates
        self.rejections += other.rejections[: MAX_REJECTIONS - len(self.rejections)]

    def as_json(self) -> dict[str, Any]:
        """Return it as the footers of Parquet files hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return what `as_json` has written."""
        rejections = [Rejection(**rejection) for rejection in document["rejections"]]
        return cls(**{**document, "rejections": rejections})


@dataclass(slots=True)
class Ledger:
    """Counts of what was read.

    lines = blank + rejected + duplicates + outside + filtered + records, where a
    line that was salvaged counts as two.
    """

    files: int = 0
    bytes: int = 0
    lines: int = 0
    blank: int = 0
    records: int = 0
    """What the figures are of: calls and cache hits."""
    rejected: int = 0
    duplicates: int = 0
    outside: int = 0
    """Records of other times than the period."""
    filtered: int = 0
    estimated: int = 0
    """Records whose tokens were estimated rather than reported."""
    dropped: int = 0
    """Records that writers announced as never written."""
    summary_only_days: list[str] = field(default_factory=list)
    unanswered_days: list[str] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    """Where the first rejected lines are (`MAX_REJECTIONS` at most); `rejected`
    counts them all."""
    refused: list[str] = field(default_factory=list)
    """A sentence for each file that was not read at all."""

    def take(self, account: Account) -> None:
        """Add what became of further lines."""
        self.lines += account.lines
        self.blank += account.blank
        self.rejected += account.rejected
        self.duplicates += account.duplicates
        self.rejections += account.rejections[: MAX_REJECTIONS - len(self.rejections)]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and days, as the machine formats show them."""
        counts = asdict(self)
        del counts["rejections"], counts["refused"]
        return counts
