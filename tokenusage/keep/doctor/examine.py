"""A whole look at a log directory, in one pass over its records; it changes nothing."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import date
from typing import Final

from tokenusage.errors import LogsError
from tokenusage.keep.doctor.days import Days, check_days
from tokenusage.keep.doctor.directory import check_directory, missing
from tokenusage.keep.doctor.finding import Diagnosis, Finding, Setup, Weight
from tokenusage.keep.doctor.records import FIELDS, look_through, shape_for
from tokenusage.keep.doctor.repeats import find_repeats
from tokenusage.keep.doctor.verdicts import check_records, check_silence, movable
from tokenusage.keep.rotate import Watch
from tokenusage.keep.sums.detailed import detailed_days
from tokenusage.keep.sums.months import summarised_days
from tokenusage.logs import list_logs
from tokenusage.price.pricer import Pricer
from tokenusage.read.forms import Plan
from tokenusage.read.scan import Scan
from tokenusage.read.segments import LISTINGS, ListingChangedError

_AHEAD: Final = 6
"""Pieces that are read before the first one is added up."""


def examine(
    setup: Setup,
    *,
    first: date | None = None,
    watch: Watch = lambda _total: nullcontext(),
    also: Sequence[Finding] = (),
) -> Diagnosis:
    """Look at everything that usually goes wrong with a log directory.

    Args:
        setup: the directory, and what it is held against.
        first: the first UTC day whose records are looked at; None is all.
        watch: told of the progress.
        also: what was found elsewhere.

    Raises:
        LogsError: the directory does not hold still.
    """
    for _ in range(LISTINGS):
        try:
            return _examine(setup, first, watch, list(also))
        except ListingChangedError:
            continue
    raise LogsError(f"The files in {str(setup.logs)!r} change faster than they can be read.")


def list_days(setup: Setup) -> Days:
    """List the days of a directory.

    Raises:
        ListingChangedError: a file is gone, or another, since it was listed.
        LogsError: the directory can't be read.
    """
    listing = list_logs(setup.logs)
    return Days(setup, listing, summarised_days(listing), detailed_days(listing))


def _examine(setup: Setup, first: date | None, watch: Watch, found: list[Finding]) -> Diagnosis:
    try:
        days = list_days(setup)
    except LogsError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Diagnosis((*found, missing(setup.logs)))
        return Diagnosis(_in_order([*found, _unreadable("directory-unreadable", error)]))
    found += check_directory(setup, days.listing, days.open)
    found += check_days(days)
    pricer = Pricer(setup.prices)
    plan = Plan(
        first=first, last=None, fields=FIELDS, naive_zone=setup.naive_zone, today=setup.now.date()
    )
    try:
        with Scan(setup.logs, plan, shape_for(pricer, setup.now), ahead=_AHEAD) as scan:
            try:
                with watch(scan.forms.size) as scan.advance:
                    records = look_through(scan)
            finally:
                # That a sealed file is damaged comes out when its records are read.
                found += _refused(scan.forms.refused)
            files = scan.forms.files
        repeats = find_repeats(setup, days, movable(records, days))
    except LogsError as error:
        return Diagnosis(_in_order([*found, _unreadable("records-unreadable", error)]))
    found += check_records(records, days, repeats, setup, pricer)
    found += check_silence(records.newest, None if files else scan.newest_day, setup)
    return Diagnosis(
        _in_order(found),
        files=files,
        records=records.count,
        newest=records.newest,
        summary_only_days=len(days.final),
        strays=tuple(movable(records, days, repeats)),
    )


def _in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by weight; within one weight they stay in the order of the checks."""
    weights = list(Weight)
    return tuple(sorted(found, key=lambda finding: weights.index(finding.weight)))


def _unreadable(check: str, error: LogsError) -> Finding:
    """Return that what follows was not looked at."""
    return Finding(
        check,
        Weight.WRONG,
        str(error).rstrip("."),
        help="Nothing behind it was looked at, and reports fail in the same way.",
    )


def _refused(sentences: list[str]) -> list[Finding]:
    if not sentences:
        return []
    return [
        Finding.at(
            "not-read",
            Weight.WRONG,
            "Files that nobody reads, because they are not what their names say",
            sentences,
            help_="Move them away, or bring them back from a backup. `tokenusage rotate` sums up "
            "anew what a damaged summary held of days whose records are there.",
        )
    ]
