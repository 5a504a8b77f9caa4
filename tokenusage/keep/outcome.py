"""What a rotation did with each day."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Self

from tokenusage.keep.plan import Action, Step
from tokenusage.keep.sums.summarise import NotSummarisedError
from tokenusage.read.segments import ListingChangedError


@dataclass(frozen=True, slots=True)
class Result:
    """What was done with one day."""

    day: date
    done: Action
    before: int
    """Bytes of its files."""
    after: int
    records: int | None = None
    """Records that were summed up; None where none were."""
    why: str = ""
    """Why no more was done, as a sentence without its end."""
    failed: bool = False
    """Whether that was a failure, which the next run will meet again."""

    @classmethod
    def left(cls, step: Step) -> Self:
        """Return that a day was left alone, as it was planned."""
        return cls(step.day, Action.LEAVE, step.size, step.size, why=step.why)

    @classmethod
    def stopped(cls, day: date, size: int, error: Exception) -> Self:
        """Return that something came between, as it says itself."""
        if isinstance(error, ListingChangedError):
            why = "it was written to meanwhile, so the next run takes it"
            return cls(day, Action.LEAVE, size, size, why=why)
        if isinstance(error, NotSummarisedError):
            # Nothing went wrong: the day is read by its records, as it was before.
            return cls(day, Action.LEAVE, size, size, why=sentence(error))
        return cls(day, Action.LEAVE, size, size, why=sentence(error), failed=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rotation did, in order of day."""

    results: tuple[Result, ...]
    doubt: str = ""
    """As in `Plan`."""

    @property
    def failures(self) -> tuple[Result, ...]:
        """The days with which something went wrong."""
        return tuple(result for result in self.results if result.failed)


def sentence(error: Exception) -> str:
    """Return what went wrong with a file or a day, as a sentence without its end."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{Path(os.fsdecode(error.filename)).name}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return str(error).rstrip(".")
