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
    rotations: int
    """Beside live writers and readers."""
    forgets: int
    killed_runs: int
    """Rotations and forgets that are killed at random moments beside live writers."""
    rivals: int
    """How often two rotations start at once."""
    kill_steps: tuple[int, int]
    """Keeping is killed before one in so many writes, and one in so many other calls."""
    error_steps: tuple[int, int]
    """The same for calls that fail."""
    errors: tuple[str, ...]
    """How they do."""
    pages: int
    """Steps in which a full disk has more room, of 4 kB each."""
    power_losses_every: int
    """One in so many states of the disk is looked at."""
    day_records: int
    """Of one day that is summed up and sealed."""


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
    rotations=6,
    forgets=4,
    killed_runs=8,
    rivals=8,
    kill_steps=(100, 4),
    error_steps=(400, 24),
    errors=("ENOSPC",),
    pages=4,
    power_losses_every=3,
    day_records=20_000,
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
    rotations=1_000,
    forgets=50,
    killed_runs=200,
    rivals=100,
    kill_steps=(1, 1),
    error_steps=(61, 5),
    errors=("EIO", "ENOSPC", "EDQUOT"),
    pages=1,
    power_losses_every=1,
    day_records=10_000_000,
)
