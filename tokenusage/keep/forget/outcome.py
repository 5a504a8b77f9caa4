"""What is found of a person, and what became of it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Form(StrEnum):
    """A form of days, as people call it."""

    LOG = "log files"
    SEALED = "sealed days"
    SUMS = "sums of removed days"


@dataclass(frozen=True, slots=True)
class Found:
    """What one form of a day holds of a person."""

    form: Form
    day: date
    records: int
    """Their records; of sums, those that were added up."""
    rejected: int = 0
    """Lines, or torn parts of lines, that are no records and name them."""


@dataclass(frozen=True, slots=True)
class Left:
    """A file that could not be looked at, or not be changed."""

    why: str
    """A sentence without its end that names the file."""
    records: int = 0
    """Their records that stay in it, or in its sums, as far as that is known."""
    rejected: int = 0
    """Lines that are no records, name them and stay."""
    sums: int = 0
    """Days whose sums name them and stay."""

    @property
    def holds_them(self) -> bool:
        """Whether anything of them was found in it."""
        return bool(self.records or self.rejected or self.sums)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of a person: what is forgotten, and what stays."""

    found: tuple[Found, ...]
    """What is forgotten."""
    stale: tuple[date, ...]
    """Days whose sums named the person too, and are made anew by the next rotation."""
    left: tuple[Left, ...]
    """In order of name."""
    addressed: int = 0
    """Records of other users, or of nobody, that carry one of their addresses and stay."""
    unknown: tuple[str, ...] = ()
    """Names like those of days and sums that no reader looks at, in order."""

    @property
    def forms(self) -> dict[Form, list[Found]]:
        """What was found in each form that holds something."""
        found = {form: [one for one in self.found if one.form is form] for form in Form}
        return {form: some for form, some in found.items() if some}

    @property
    def records(self) -> int:
        """Records in all forms."""
        return sum(found.records for found in self.found)

    @property
    def rejected(self) -> int:
        """Lines that are no records, in all forms."""
        return sum(found.rejected for found in self.found)
