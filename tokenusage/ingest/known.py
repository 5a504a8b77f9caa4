"""The ids that the log already holds."""

from datetime import UTC, date
from pathlib import Path

from tokenusage.errors import LogsError
from tokenusage.read.forms import Plan
from tokenusage.read.scan import Scan
from tokenusage.read.segments import ListingChangedError


def known_ids(directory: Path, day: date) -> set[str] | None:
    """Return the ids of the records in the files of a UTC day, as text.

    They are the records that every report counts: a torn or otherwise broken
    line has no id, so that its record is brought in again. None where only a summary
    of the day is left, which has no ids.

    Raises:
        LogsError: a file can't be read.
    """
    if not directory.exists():
        return set()
    ids: set[str] = set()
    plan = Plan(first=day, last=day, fields=(), naive_zone=UTC, today=day)
    with Scan(directory, plan, lambda table, _: table["id"].drop_null()) as scan:
        if scan.forms.unanswered:
            return None
        try:
            for part in scan.parts():
                for found in part.shaped:
                    ids.update(map(str, found.to_pylist()))
            scan.check_unchanged()
        except ListingChangedError as error:
            raise LogsError(f"{error} has changed meanwhile: run the import again.") from error
    return ids
