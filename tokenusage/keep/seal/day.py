"""Sealing a day: its log files become one Parquet file that gives every line back.

The new form is written under temporary names, made durable, read back and compared
with its source. Only then, while the locks of the log files hold every writer off,
is it put in place, and only when that is durable are the log files removed. Killed
anywhere, it leaves the old form, the new one, or both; then the new one's footer
says which bytes of the old one it has taken in.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path
from typing import Final

from tokenusage.errors import SealError
from tokenusage.files import put_in_place, sync, temporary_path
from tokenusage.keep.hold import hold
from tokenusage.keep.seal.file import SealedFile, digest_of_lines
from tokenusage.keep.seal.intake import TOO_LONG, Intake, Part, too_long_line
from tokenusage.keep.seal.rejected import RejectedFile
from tokenusage.logs import DayFile, list_logs, rejected_name, sealed_name
from tokenusage.read.ledger import Account
from tokenusage.read.parquet import NotOursError, ParquetFile
from tokenusage.read.pool import threads
from tokenusage.read.sealed import FORMAT, SCHEMA, Footer, open_sealed
from tokenusage.read.segments import ListingChangedError
from tokenusage.read.sources import Source, digest_of, taken_in

_TRIES: Final = 3
"""How often a day is sealed anew because its files have changed meanwhile."""

_ROWS: Final = 16_384
"""Rows that are taken over at a time from the sealed file that is there."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """What sealing a day has done."""

    records: int
    """Records that were taken in."""
    rejected: int
    """Pieces that were taken in and are no records."""
    before: int
    """Bytes that the files of the day had."""
    after: int
    """Bytes that they have now."""


def seal(
    logs: Path,
    day: date,
    *,
    naive_zone: tzinfo,
    advance: Callable[[int], None] | None = None,
) -> Sealing | None:
    """Take the log files of a closed day into its sealed file, and remove them.

    Args:
        logs: the log directory, in which nobody else seals, rotates or forgets.
        day: the UTC day, long enough over that no line of it is in flight.
        naive_zone: the zone of timestamps that have none.
        advance: told how many bytes of log files were taken in since it was last told.

    Returns:
        What was done; None where the day has no log files.

    Raises:
        SealError: it can't be done, or the new form would not give back every line;
            what is there then holds every record, and can be sealed again.
        HeldError: another process keeps a log file locked.
        LogsError: the log directory can't be read.
    """
    for _ in range(_TRIES):
        try:
            return _seal(_Day.list(logs, day), naive_zone, advance)
        except ListingChangedError:
            continue
        except NotOursError as error:
            raise SealError(f"{day} can't be sealed: {error}.") from error
        except OSError as error:
            raise SealError(f"{day} can't be sealed: {error.strerror or error}.") from error
    raise SealError(f"{day} can't be sealed: its files change faster than they are taken in.")


@dataclass(frozen=True, slots=True)
class _Day:
    """The files of a day, as they were listed."""

    directory: Path
    day: date
    raw: list[DayFile]
    old: DayFile | None
    """The sealed file that is there."""
    footer: Footer
    """What that says of itself."""
    starts: list[int]
    """Where in each raw file what it has not taken in begins."""
    before: int
    """Bytes of all files."""

    @classmethod
    def list(cls, logs: Path, day: date) -> "_Day":
        listing = list_logs(logs)
        raw = [file for file in listing.raw if file.day == day]
        old = listing.sealed.get(day)
        footer = open_sealed(old)[0] if old else Footer(())
        starts = [taken_in(file, footer.sources) for file in raw]
        sizes = [file.size for file in raw]
        before = sum(sizes) + (old.size + footer.rejected_bytes if old else 0)
        return cls(logs, day, raw, old, footer, starts, before)

    @property
    def sealed(self) -> Path:
        return self.directory / sealed_name(self.day)

    @property
    def rejected(self) -> Path:
        return self.directory / rejected_name(self.day)


def _seal(day: _Day, naive_zone: tzinfo, advance: Callable[[int], None] | None) -> Sealing | None:
    if not day.raw:
        return None
    if day.starts == [file.size for file in day.raw]:
        # Whoever sealed them was killed before removing them; or they are empty.
        with hold(day.raw):
            sync(day.directory)  # the name of what took them in may not be on the disk yet
            _remove(day)
        return Sealing(0, 0, day.before, day.before - sum(day.starts))
    rejected_at, sealed_at = temporary_path(day.directory), temporary_path(day.directory)
    try:
        with (
            closing(RejectedFile(rejected_at, day.rejected.name)) as rejected,
            closing(SealedFile(sealed_at)) as sealed,
        ):
            taken = _write(day, sealed, rejected, naive_zone, advance)
        with hold(day.raw):
            _put_in_place(day, sealed_at, rejected_at if rejected.size else None)
            _remove(day)
    finally:
        for path in (sealed_at, rejected_at):
            path.unlink(missing_ok=True)
    return Sealing(taken.records, taken.account.rejected, day.before, sealed.size + rejected.size)


@dataclass(slots=True)
class _Taken:
    """What was taken in of raw files."""

    account: Account = field(default_factory=Account)
    records: int = 0


def _write(
    day: _Day,
    sealed: SealedFile,
    rejected: RejectedFile,
    naive_zone: tzinfo,
    advance: Callable[[int], None] | None,
) -> _Taken:
    """Write the new files of the day, durably, and read them back."""
    taken = _Taken()
    pool = ThreadPoolExecutor(threads())
    try:
        digests = [pool.submit(digest_of, file.path, file.size) for file in day.raw]
        _take_over(day, sealed)
        rejected.take_over(day.rejected, day.footer.rejected_bytes)
        intake = Intake(pool, naive_zone)
        for file, start in zip(day.raw, day.starts, strict=True):
            for part in intake.parts(file, start):
                _take_in(part, sealed, rejected, taken)
                if advance:
                    advance(part.segment.end - part.segment.start)
        taken.account.rejections = rejected.rejections
        sources = [
            Source(file.name, file.inode, file.size, digest.result())
            for file, digest in zip(day.raw, digests, strict=True)
        ]
        day.footer.account.add(taken.account)
        sealed.finish(Footer(tuple(sources), day.footer.account, rejected.size))
        rejected.finish()
        rejected.check()
        sealed.verify(pool)
    finally:
        pool.shutdown(cancel_futures=True)
    return taken


def _take_over(day: _Day, sealed: SealedFile) -> None:
    """Write what the sealed file that is there holds into the new one."""
    if day.old is None:
        return
    with ParquetFile(day.old, FORMAT, SCHEMA) as parquet:
        for number in range(parquet.metadata.num_row_groups):
            table = parquet.read([number], SCHEMA.names, [])
            for start in range(0, len(table), _ROWS):
                rows = table.slice(start, _ROWS)
                sealed.add(rows, *digest_of_lines(rows))


def _take_in(part: Part, sealed: SealedFile, rejected: RejectedFile, taken: _Taken) -> None:
    """Write what a part of a log file holds into the new files."""
    account = taken.account
    for encoded in part.encoded:
        sealed.add(encoded.table, encoded.digest, encoded.size)
        for piece, reason in encoded.rejected:
            rejected.add([piece], reason)
        account.lines += encoded.lines
        account.blank += encoded.blank
        account.rejected += len(encoded.rejected)
        taken.records += len(encoded.table)
    if part.too_long:
        rejected.add(too_long_line(part.segment), TOO_LONG)
        account.lines += 1
        account.rejected += 1


def _put_in_place(day: _Day, sealed: Path, rejected: Path | None) -> None:
    """Put the new files where they belong, with the owner, group and mode of the old ones."""
    like = (day.old or day.raw[0]).path.stat()
    if rejected:
        # First: that the sealed file says how much of it is its own makes it harmless.
        is_there = day.rejected.is_file() and not day.rejected.is_symlink()
        put_in_place(rejected, day.rejected, day.rejected.stat() if is_there else like)
    put_in_place(sealed, day.sealed, like)


def _remove(day: _Day) -> None:
    """Remove the log files, durably."""
    for file in day.raw:
        file.path.unlink()
    sync(day.directory)
