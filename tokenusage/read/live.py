"""The records of a log directory as they are written, whatever becomes of its files meanwhile.

Files stay open while they are followed. So a file that is renamed is still the same
one, and of one that is removed (because its day was sealed, or kept long enough)
the last lines are still read.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from tokenusage.errors import LogsError
from tokenusage.logs import DayFile, list_logs
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import extra_fields
from tokenusage.read.follow import Appended, Mark, mark_at, read_on
from tokenusage.read.forms import Plan
from tokenusage.read.ledger import MAX_REJECTIONS, Account, Rejection
from tokenusage.read.lines import Lines, read_lines, schema
from tokenusage.read.scan import Part, Scan, accounted
from tokenusage.read.segments import LONGEST_LINE, ListingChangedError, Segment, open_regular
from tokenusage.read.shape import columns_of

Found = tuple[pa.Table, Account]
"""Records, as `shape.columns_of` has shaped them, and what became of their lines."""

_AHEAD: Final = 4


@dataclass(slots=True)
class _Followed:
    """An open log file."""

    file: DayFile
    descriptor: int
    mark: Mark
    lines: int = 0
    """How many lines of it were read."""
    gone: bool = False
    """Whether it was missing at the last look."""

    @property
    def size(self) -> int:
        return os.fstat(self.descriptor).st_size


class Live:
    """A log directory that is being followed until `close`.

    Args:
        logs: the directory, which may not be there yet.
        plan: which fields are read, and the first UTC day whose files are.
    """

    def __init__(self, logs: Path, plan: Plan) -> None:
        self.logs = logs
        self._plan = replace(plan, last=None, summaries=False)
        self._extra = extra_fields(plan.fields)
        self._clean = CleanReader(self._extra, plan.naive_zone)
        self._followed: dict[int, _Followed] = {}
        self.files = 0
        """How many files were read so far."""
        self.bytes = 0
        """How much of them."""
        self.refused: list[str] = []
        """A sentence for everything that can't be read."""
        self.unanswered: list[date] = []
        """Days of which only summaries are left."""
        self._damaged: list[str] = []
        self._sealed: set[DayFile] = set()

    def close(self) -> None:
        """Close all files."""
        for followed in self._followed.values():
            os.close(followed.descriptor)
        self._followed.clear()

    def catch_up(self) -> Iterator[Found]:
        """Yield what is there already; called once, first.

        Raises:
            ListingChangedError: a file is gone, or another, since it was listed: begin anew.
            LogsError: the directory or a file can't be read.
        """
        if self._is_missing():
            return
        with Scan(self.logs, self._plan, ahead=_AHEAD) as scan:
            for file in scan.forms.listed:
                if file.name.endswith(".jsonl"):
                    self._begin_behind(file)
                else:
                    self._sealed.add(file)
            by_name = {followed.file.name: followed for followed in self._followed.values()}
            self.files = scan.forms.files
            for part, account in accounted(map(_without_torn_line, scan.parts())):
                self.bytes += part.size
                if isinstance(part.piece, Segment):
                    by_name[part.piece.file.name].lines += sum(x.lines for x in part.found)
                yield (part.shaped[0] if part.shaped else scan.nothing()), account
            yield scan.nothing(), scan.forms.account
            scan.check_unchanged()
            self._damaged, self.refused = scan.forms.damaged, scan.forms.refused
            self.unanswered = scan.forms.unanswered

    def look(self, first: date) -> Iterator[Found]:
        """Yield what was appended since the last look.

        Args:
            first: the UTC day whose files, and those of later ones, are followed.

        Raises:
            ListingChangedError: what was read of a file was changed: begin anew.
            LogsError: the directory or a file can't be read.
        """
        if self._is_missing():
            return
        listing = list_logs(self.logs)
        self.refused = [*self._damaged, *listing.refused]
        if not {x for x in listing.sealed.values() if x.day >= first} <= self._sealed:
            # It may hold what was never in a file that is followed, or lack who was forgotten.
            raise ListingChangedError(str(self.logs))
        listed = {file.inode: file for file in listing.raw if file.day >= first}
        gone = {inode: self._followed[inode] for inode in self._followed.keys() - listed.keys()}
        try:
            for inode, followed in gone.items():
                yield from self._read_on(followed)
                # A writer may have been about to write when it went: it is looked at once more.
                if followed.gone:
                    os.close(self._followed.pop(inode).descriptor)
                followed.gone = True
            for inode, file in listed.items():
                if inode not in self._followed and not self._open(file, gone):
                    continue
                followed = self._followed[inode]
                followed.file = file
                if file.size != followed.mark.offset:
                    yield from self._read_on(followed)
        except OSError as error:
            raise LogsError(f"{str(self.logs)!r} can't be read: {error.strerror}.") from error

    def _is_missing(self) -> bool:
        if self.logs.is_dir():
            return False
        self.refused = [f"there is no directory {str(self.logs)!r} yet"]
        return True

    def _begin_behind(self, file: DayFile) -> None:
        """Follow a file from the end that it had when it was listed."""
        try:
            descriptor = open_regular(str(file.path), os.O_RDONLY)
        except FileNotFoundError as error:
            raise ListingChangedError(file.name) from error
        except OSError as error:
            raise LogsError(f"{str(file.path)!r} can't be read: {error.strerror}.") from error
        self._followed[file.inode] = _Followed(file, descriptor, Mark())
        if os.fstat(descriptor).st_ino != file.inode:
            raise ListingChangedError(file.name)
        self._followed[file.inode].mark = mark_at(descriptor, file.size)

    def _open(self, file: DayFile, gone: dict[int, _Followed]) -> bool:
        """Follow a new file from its beginning; return whether it is still there."""
        try:
            descriptor = open_regular(str(file.path), os.O_RDONLY)
        except FileNotFoundError:
            return False
        if os.fstat(descriptor).st_ino != file.inode:
            os.close(descriptor)
            return False
        self._followed[file.inode] = _Followed(file, descriptor, Mark())
        self.files += 1
        for old in gone.values():
            if old.file.name != file.name:
                continue
            if not os.fstat(old.descriptor).st_nlink:
                # Replaced, not moved away: this one holds what is left of it.
                raise ListingChangedError(file.name)
            if old.mark.before:
                self._check_is_new(self._followed[file.inode], old.mark)
        return True

    @staticmethod
    def _check_is_new(followed: _Followed, old: Mark) -> None:
        """Raise where a file holds the last line of the one in whose place it stands."""
        line = old.before.rstrip(b"\n").rpartition(b"\n")[2]
        for appended in read_on(followed.descriptor, Mark(), followed.size):
            if line in appended.lines:
                raise ListingChangedError(followed.file.name)

    def _read_on(self, followed: _Followed) -> Iterator[Found]:
        for appended in read_on(followed.descriptor, followed.mark, followed.size):
            found = self._find(appended)
            yield columns_of(found.table, self._plan.fields), _account(found, followed)
            self.bytes += appended.mark.offset - followed.mark.offset
            followed.mark = appended.mark
            followed.lines += found.lines

    def _find(self, appended: Appended) -> Lines:
        if appended.too_long:
            reason = f"is longer than {LONGEST_LINE >> 20} MiB"
            return Lines(schema(self._extra).empty_table(), 1, rejections=[(1, reason)])
        data = memoryview(appended.lines)
        zone = self._plan.naive_zone
        return self._clean.read(data) or read_lines(appended.lines, self._extra, zone)


def _without_torn_line(part: Part) -> Part:
    """Leave out a file's last line where it has no newline: it comes when it has one."""
    piece = part.piece
    if not isinstance(piece, Segment) or piece.end < piece.file.size:
        return part
    return replace(part, shaped=part.shaped[:1], found=part.found[:1])


def _account(found: Lines, followed: _Followed) -> Account:
    """Return what became of lines that were appended to a file."""
    return Account(
        lines=found.lines + found.salvaged,
        blank=found.blank,
        rejected=len(found.rejections),
        rejections=[
            Rejection(followed.file.name, followed.lines + number, reason)
            for number, reason in found.rejections[:MAX_REJECTIONS]
        ],
    )
