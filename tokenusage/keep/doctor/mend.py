"""What can be mended without a doubt: nothing is deleted that is not a leftover or made anew.

Everything is done under the lock of the directory, and each step by itself leaves the
directory sound; what one can't do stops none of the others.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from tokenusage.errors import BusyError, TokenUsageError
from tokenusage.keep.doctor.days import Days
from tokenusage.keep.doctor.directory import MISSING, temporaries, wrong_modes
from tokenusage.keep.doctor.examine import list_days
from tokenusage.keep.doctor.finding import Diagnosis, Setup
from tokenusage.keep.doctor.moves import Moves
from tokenusage.keep.doctor.repeats import find_repeats
from tokenusage.keep.lock import keeping
from tokenusage.keep.plan import Action, Wishes
from tokenusage.keep.rotate import rotate
from tokenusage.keep.sums.detailed import damaged_details
from tokenusage.logs import list_logs
from tokenusage.read.segments import ListingChangedError
from tokenusage.write.appender import PATIENCE, Appender
from tokenusage.write.logfile import LogFile
from tokenusage.write.place import Place

_FAILURES = (TokenUsageError, ListingChangedError, OSError)


@dataclass(slots=True)
class Mended:
    """What was mended, and what could not be, a sentence each without its end."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def mend(setup: Setup, diagnosis: Diagnosis) -> Mended:
    """Mend what a look at the directory has found and can be mended.

    Raises:
        BusyError: another process is changing the directory; nothing was done.
    """
    mended = Mended()
    if not any(finding.fixable for finding in diagnosis.findings):
        return mended
    if diagnosis.findings[-1].check == MISSING:
        _make_directory(setup, mended)
        return mended
    shut: list[str] = []
    try:
        if not os.access(setup.logs, os.W_OK | os.X_OK):
            _mend_modes(setup, mended)  # else it can't even be locked
        with keeping(setup.logs):
            shut = _mend_modes(setup, mended)
            _end_lines(setup, list_days(setup), mended)
            _move(setup, diagnosis, mended)
            _remove_damaged_details(setup, mended)
            # What was moved may be a new file, and its summary is bound to its permissions.
            shut = _mend_modes(setup, mended)
        _rotate(setup, mended)
        shut = _mend_modes(setup, mended)
    except BusyError:
        if not mended.done:
            raise
        mended.failed.append("Another rotate was faster: run it again for the rest")
    except _FAILURES as error:
        mended.failed.append(_sentence(error))
    mended.failed += shut
    return mended


def _make_directory(setup: Setup, mended: Mended) -> None:
    place = Place(
        setup.logs, file_mode=setup.file_mode, directory_mode=setup.directory_mode, sync=True
    )
    try:
        place.prepare()
    except OSError as error:
        mended.failed.append(_sentence(error))
    else:
        mended.done.append(f"Made the directory, with the permissions {setup.directory_mode:04o}")


def _mend_modes(setup: Setup, mended: Mended) -> list[str]:
    """Give everything the permissions that are configured, the directory first.

    Returns what could not be done, a sentence each: a later step may still make it right.
    """
    failed = []
    for wrong in list(wrong_modes(setup, list_days(setup).listing)):
        if not wrong.fixable:
            continue
        try:
            _set_mode(wrong.path, wrong.wanted)
        except OSError as error:
            failed.append(_sentence(error))
        else:
            mended.done.append(f"Permissions of {wrong.name}: {wrong.change}")
    return failed


def _set_mode(path: Path, mode: int) -> None:
    """Change the permissions of exactly this file or directory, never of what a link leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise OSError(None, "it has a second name elsewhere", os.fspath(path))
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def _end_lines(setup: Setup, days: Days, mended: Mended) -> None:
    """End lines that were torn, as the next append would."""
    for file in days.torn():
        if days.taken_in(file):
            continue  # it is going to be removed
        try:
            log = LogFile.open(file.path, file.day, setup.file_mode)
            # No line at all is appended, behind the end of the torn one.
            if log.append(b"", monotonic() + PATIENCE):
                mended.done.append(f"Ended the last line of {file.name}")
            else:
                mended.failed.append(f"{file.name} stays locked by another process")
        except OSError as error:
            mended.failed.append(_sentence(error))


def _move(setup: Setup, diagnosis: Diagnosis, mended: Mended) -> None:
    """Move records to the files of their own days."""
    names = {file.name for file in diagnosis.strays}
    if not names:
        return
    days = list_days(setup)
    files = [file for file in days.listing.raw if file.name in names and days.is_movable(file)]
    appender = Appender(
        setup.logs, file_mode=setup.file_mode, directory_mode=setup.directory_mode, sync=True
    )
    repeats = find_repeats(setup, days, files)
    moves = Moves(appender, setup.naive_zone, repeats, days.may_take)
    for name in [file.name for file in files]:
        try:
            # Listed anew each time: the last one's records may have come into this file.
            for file in list_days(setup).listing.raw:
                if file.name == name:
                    moved = moves.move(file)
                    mended.done.append(f"Records moved from {name} to their own days: {moved:,}")
        except _FAILURES as error:
            mended.failed.append(_sentence(error))


def _remove_damaged_details(setup: Setup, mended: Mended) -> None:
    """Remove details that can't be read: the rotation that follows makes them anew."""
    for file in damaged_details(list_logs(setup.logs)):
        try:
            file.path.unlink()
        except OSError as error:
            mended.failed.append(_sentence(error))
        else:
            mended.done.append(f"Removed damaged details: {file.name}")


def _rotate(setup: Setup, mended: Mended) -> None:
    """Remove leftovers and make summaries, as every rotation does."""
    left = temporaries(setup.logs)
    outcome = rotate(setup.logs, now=setup.now, naive_zone=setup.naive_zone, wishes=Wishes())
    if left:
        mended.done.append(f"Removed leftovers of a killed run: {len(left):,}")
    made = [result for result in outcome.results if result.done is Action.SUMMARISE]
    if made:
        mended.done.append(f"Made summaries of closed days: {len(made):,}")
    mended.failed += [f"{result.day}: {result.why}" for result in outcome.failures]


def _sentence(error: Exception) -> str:
    if isinstance(error, ListingChangedError):
        return f"{error} was written to meanwhile: try again"
    if isinstance(error, OSError):
        return f"{os.fsdecode(error.filename or '')}: {error.strerror}".removeprefix(": ")
    return str(error).rstrip(".")
