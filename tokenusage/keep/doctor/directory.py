"""The directory itself: permissions, what stands in it, its file system and its disk."""

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tokenusage.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX
from tokenusage.keep.doctor.finding import Finding, Setup, Weight
from tokenusage.keep.doctor.names import check_names, is_regular
from tokenusage.logs import Listing
from tokenusage.write.mounts import locks_work

MISSING: Final = "directory-missing"
"""The check that finds nothing to check."""

_MB: Final = 10**6
_FULL: Final = 100 * _MB
_LITTLE: Final = 1000 * _MB
_DAYS_LEFT: Final = 7
"""Days of logs, each like the largest one, for which there had better be room."""


def check_directory(setup: Setup, listing: Listing, open_days: frozenset[date]) -> list[Finding]:
    """Return what is wrong with a directory that exists and can be listed."""
    return [
        *_access(setup, listing, open_days),
        *_modes(setup, listing),
        *_links(listing),
        *_temporaries(setup.logs),
        *check_names(setup.logs),
        *check_file_system(has_locks=locks_work(setup.logs)),
        *check_disk(shutil.disk_usage(setup.logs).free, _largest_day(listing)),
    ]


def missing(logs: Path) -> Finding:
    """Return that there is no log directory, and whether it can be made."""
    if logs.is_symlink():
        return Finding(
            MISSING,
            Weight.WRONG,
            f"The log directory {str(logs)!r} is a link that leads nowhere: to "
            f"{os.fspath(logs.readlink())!r}",
            help="Make the directory that it leads to, or mount what holds it.",
        )
    parent = next(parent for parent in logs.absolute().parents if parent.exists())
    makeable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
    return Finding(
        MISSING,
        Weight.WRONG,
        f"There is no log directory {str(logs)!r}: is it the one that your applications log to?",
        help="Name another one with --logs, TOKENUSAGE_LOGS or logs in tokenusage.toml."
        if makeable
        else f"It can't be made: this user may not write to {str(parent)!r}.",
        fixable=makeable,
    )


def check_file_system(*, has_locks: bool) -> list[Finding]:
    """Return what a file system means for logging, by whether its locks can be trusted."""
    if has_locks:
        return []
    return [
        Finding(
            "network-file-system",
            Weight.WARNING,
            "The directory is on a file system whose locks can't be trusted (NFS, SMB, FUSE), so "
            "that each process writes files of its own",
            help="Log to a local disk, one directory for each host.",
        )
    ]


def check_disk(free: int, largest_day: int) -> list[Finding]:
    """Return whether the disk will do.

    Args:
        free: bytes that this user may still write.
        largest_day: bytes of the day that took most.
    """
    enough = max(_LITTLE, _DAYS_LEFT * largest_day)
    if free >= enough:
        return []
    full = free < max(_FULL, largest_day)
    return [
        Finding(
            "disk-space",
            Weight.WRONG if full else Weight.WARNING,
            f"Little room is left on the disk: {free / _MB:,.0f} MB, "
            f"where the largest day took {largest_day / _MB:,.1f} MB",
            help="`tokenusage rotate --seal-after 7` makes old days small, --keep-days N removes "
            "them; records that find no room are dropped.",
        )
    ]


@dataclass(frozen=True, slots=True)
class WrongMode:
    """Permissions that are not as configured."""

    path: Path
    now: int
    wanted: int
    fixable: bool
    """Whether this user may change them."""
    name: str
    """What it is called."""

    @property
    def change(self) -> str:
        """What is to become of them: ``0644 → 0600``."""
        return f"{self.now & 0o777:04o} → {self.wanted & 0o777:04o}"


def wrong_modes(setup: Setup, listing: Listing) -> Iterator[WrongMode]:
    """Yield what has other permissions than are configured, the directory first."""
    wanted = [(setup.logs, setup.directory_mode)]
    wanted += [(path, setup.file_mode) for path in _own_files(setup.logs, listing)]
    for path, mode in wanted:
        with suppress(FileNotFoundError):
            status = path.lstat()
            now = stat.S_IMODE(status.st_mode)
            if now & 0o777 != mode:
                name = "the directory" if path == setup.logs else path.name
                # Set-group-ID of a team's directory is not what the configuration is about.
                yield WrongMode(path, now, now & ~0o777 | mode, _may_change(status), name)


def _may_change(status: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or os.geteuid() in {0, status.st_uid}


def temporaries(logs: Path) -> list[Path]:
    """Return the files that somebody is writing, or was when they were killed."""
    return sorted(logs.glob(f"{TEMPORARY_PREFIX}*{TEMPORARY_SUFFIX}"))


def _own_files(logs: Path, listing: Listing) -> list[Path]:
    files = (*listing.raw, *listing.parquet)
    rejected = (path for path in logs.glob("rejected_*.jsonl") if is_regular(path))
    return [*(file.path for file in files), *sorted(rejected)]


def _access(setup: Setup, listing: Listing, open_days: frozenset[date]) -> Iterator[Finding]:
    """Yield what this user may not do, that a logger or a report does."""
    if not os.access(setup.logs, os.W_OK | os.X_OK):
        yield Finding(
            "not-writable",
            Weight.WRONG,
            f"This user may not write to {str(setup.logs)!r}",
            help="If applications log as this user, each of their records is dropped; "
            "give them the directory (chown), or its group write permission.",
        )
    help_ = "Run it as the user that logs, or see file_mode in tokenusage.toml."
    paths = _own_files(setup.logs, listing)
    if unreadable := [path.name for path in paths if _is_shut(path, os.R_OK)]:
        what = "Files that this user may not read"
        yield Finding.at("not-readable", Weight.WRONG, what, unreadable, help_=help_)
    shut = [
        file.name for file in listing.raw if file.day in open_days and _is_shut(file.path, os.W_OK)
    ]
    if shut:
        what = "Log files that are still written, but not by this user"
        yield Finding.at("not-writable", Weight.WRONG, what, shut, help_=help_)


def _is_shut(path: Path, how: int) -> bool:
    """Return whether a file is there that this user may not read, or write."""
    return os.access(path, os.F_OK) and not os.access(path, how)


def _modes(setup: Setup, listing: Listing) -> Iterator[Finding]:
    """Yield what others may do, or can't do, against the configuration."""
    open_to_all, wider, narrower = [], [], []
    fixable = False
    for wrong in wrong_modes(setup, listing):
        place = f"{wrong.name}: {wrong.change}"
        fixable = fixable or wrong.fixable
        wider_by = wrong.now & ~wrong.wanted
        if wider_by & stat.S_IWOTH:
            open_to_all.append(place)
        elif wider_by:
            wider.append(place)
        else:
            narrower.append(place)
    help_ = "Others are let in, or kept out, by file_mode and directory_mode in tokenusage.toml."
    for weight, what, places in (
        (Weight.WRONG, "Anybody may write, and so forge or remove records", open_to_all),
        (Weight.WARNING, "More people may read or write than the configuration lets", wider),
        (Weight.WARNING, "Fewer people may read or write than the configuration lets", narrower),
    ):
        if places:
            yield Finding.at("permissions", weight, what, places, help_=help_, fixable=fixable)


def _links(listing: Listing) -> Iterator[Finding]:
    names = []
    for file in listing.raw:
        with suppress(FileNotFoundError):
            if file.path.lstat().st_nlink > 1:
                names.append(file.name)
    if names:
        yield Finding.at(
            "hard-links",
            Weight.WRONG,
            "Log files with a second name, to which loggers refuse to write",
            names,
            help_="Copy the file, and move the copy into its place.",
        )


def _temporaries(logs: Path) -> Iterator[Finding]:
    if found := temporaries(logs):
        yield Finding.at(
            "leftovers",
            Weight.NOTE,
            "Leftovers of a killed run, unless a rotate is at work just now",
            [path.name for path in found],
            help_="The next `tokenusage rotate` removes them.",
            fixable=True,
        )


def _largest_day(listing: Listing) -> int:
    days: Counter[date] = Counter()
    for file in listing.raw:
        days[file.day] += file.size
    return max(days.values(), default=0)
