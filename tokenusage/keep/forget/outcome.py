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
class Outcome:
    """What was found of a person and, but for those `left`, forgotten."""

    found: tuple[Found, ...]
    stale: tuple[date, ...]
    """Days whose sums name the person too, and are made anew by the next rotation."""
    left: tuple[str, ...]
    """A sentence, without its end, for each file that could not be looked at or changed."""

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
