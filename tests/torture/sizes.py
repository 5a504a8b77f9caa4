"""How much of everything: little inside of `make test`, very much in `make torture`."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of one form of the suite."""

    records: int
    """Of all writers of the crowd together."""
    large_every: int
    """One record in so many has any size up to 256 KiB."""
    kills: int
    kills_a_round: int
    """After so many, everything is looked at and thrown away."""
    forks: int
    stops: int
    """How often a process is stopped while it holds the lock."""
    reading_seconds: float
    """How long a file grows under its readers."""
    cut_every: int
    """Bytes between the places at which a file is cut."""
    fuzzing_seconds: float


SHORT: Final = Sizes(
    records=16 * 12 * 40,
    large_every=50,
    kills=100,
    kills_a_round=100,
    forks=100,
    stops=1,
    reading_seconds=1,
    cut_every=7,
    fuzzing_seconds=1,
)

LONG: Final = Sizes(
    records=10_000_000,
    large_every=10_000,
    kills=10_000,
    kills_a_round=500,
    forks=5_000,
    stops=50,
    reading_seconds=60,
    cut_every=1,
    fuzzing_seconds=120,
)
