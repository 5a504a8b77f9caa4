"""Taking a person out of a sealed day, and out of the lines that were no records in it."""

import hashlib
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.errors import LogsError
from tokenusage.files import put_in_place, sync, temporary_path
from tokenusage.keep.forget.outcome import Form
from tokenusage.keep.forget.scrub import Scrub, Seen, owned, seen_in
from tokenusage.keep.seal.decode import to_lines
from tokenusage.keep.seal.file import SealedFile, digest_of_lines
from tokenusage.keep.seal.intake import TOO_LONG, too_long_line
from tokenusage.keep.seal.rejected import RejectedFile
from tokenusage.keep.seal.rows import rows_of
from tokenusage.logs import DayFile, rejected_name
from tokenusage.read.arrays import from_numpy
from tokenusage.read.decode import parse
from tokenusage.read.judge import judge
from tokenusage.read.ledger import Account
from tokenusage.read.parquet import ParquetFile
from tokenusage.read.reader import Reader
from tokenusage.read.sealed import FORMAT, SCHEMA, Footer, open_sealed
from tokenusage.read.segments import Chunk, Segment

_ROWS: Final = 16_384
"""Rows that are taken over at a time."""

_UNKNOWN: Final = "is a piece of a line"
"""Why a piece was rejected that would be a record if it stood alone."""


class SealedPlace:
    """A sealed day that may name a person, with its rejected lines.

    Args:
        file: as it was listed.
        reader: reads the rejected lines.
        pool: for the rest of the work.

    Raises:
        NotOursError: it is damaged, or not what tokenusage writes.
        ListingChangedError: it is gone, or another one stands in its place.
        LogsError: what stands in the place of the rejected lines is no regular file.
        OSError: they can't be looked at.
    """

    form = Form.SEALED

    def __init__(self, file: DayFile, reader: Reader, pool: ThreadPoolExecutor) -> None:
        self.file = file
        self.footer, _ = open_sealed(file)
        self._reader = reader
        self._pool = pool
        self._target = file.path.with_name(rejected_name(file.day))
        rejected = rejected_file(self._target, file.day)
        size = rejected.size if rejected else 0
        # A killed run has left them so, for all that it was about to forget.
        self.has_to_change = size != self.footer.rejected_bytes
        size = min(size, self.footer.rejected_bytes)
        self._rejected = replace(rejected, size=size) if rejected else None

    def look(self, scrub: Scrub) -> Seen:
        """Return what the day holds of the person.

        Raises:
            NotOursError: the file is damaged.
            ListingChangedError: a file is gone, or another one stands in its place.
            OSError: one can't be read.
        """
        seen = Seen()
        with ParquetFile(self.file, FORMAT, SCHEMA) as parquet:
            for number in range(parquet.metadata.num_row_groups):
                table = parquet.read([number], ["user_id", "user_email"])
                seen.add(seen_in(table, scrub.person))
        if self._rejected:
            seen.add(_look(self._rejected, scrub, self._reader))
        return seen

    def rewrite(self, scrub: Scrub) -> None:
        """Put a day without the person in its place, once it was read back and compared.

        Raises:
            SealError: the new form is damaged; the old one is unchanged.
            NotOursError: the old form is damaged.
            ListingChangedError: a file is gone, or another one stands in its place.
            OSError: it can't be done; the old form is whole.
        """
        logs = self.file.path.parent
        sealed_at, rejected_at = temporary_path(logs), temporary_path(logs)
        try:
            rejected = RejectedFile(rejected_at, self._target.name)
            try:
                sealed = SealedFile(sealed_at)
                try:
                    self._write(sealed, rejected, scrub)
                finally:
                    sealed.close()
            finally:
                rejected.close()
            # First: a killed run leaves fewer than the sealed file calls its own, which
            # the next one sees. More would be taken for its own by the next sealing.
            _put_rejected(rejected, self._target)
            put_in_place(sealed_at, self.file.path, self.file.path.stat())
        finally:
            for path in (sealed_at, rejected_at):
                path.unlink(missing_ok=True)

    def _write(self, sealed: SealedFile, rejected: RejectedFile, scrub: Scrub) -> None:
        """Write the new files, durably, and read them back."""
        footer, before, after = self.footer, 0, 0
        with ParquetFile(self.file, FORMAT, SCHEMA) as parquet:
            for number in range(parquet.metadata.num_row_groups):
                table = parquet.read([number], SCHEMA.names)
                for start in range(0, len(table), _ROWS):
                    rows = table.slice(start, _ROWS).cast(SCHEMA)
                    rest, digest, size = _scrubbed(rows, scrub)
                    sealed.add(rest, digest, size)
                    before, after = before + len(rows), after + len(rest)
        kept = _take_over(self._rejected, rejected, scrub, self._reader)
        old = footer.account
        account = Account(
            lines=old.lines - (before - after) - (old.rejected - kept),
            blank=old.blank,
            rejected=kept,
            rejections=rejected.rejections,
        )
        sealed.finish(Footer(footer.sources, account, rejected.size))
        rejected.finish()
        rejected.check()
        sealed.verify(self._pool)


class OrphanPlace:
    """Rejected lines of a day that is not sealed: a killed sealing has left them.

    Args:
        file: the file of them.
        reader: reads it.
    """

    form = Form.LOG
    has_to_change = False

    def __init__(self, file: DayFile, reader: Reader) -> None:
        self.file = file
        self._reader = reader

    def look(self, scrub: Scrub) -> Seen:
        """Return how many lines name the person; raises as `Reader.each` does."""
        return _look(self.file, scrub, self._reader)

    def rewrite(self, scrub: Scrub) -> None:
        """Put the other lines in the place of all.

        Raises:
            SealError: the new file is damaged; the old one is unchanged.
            ListingChangedError: the file is gone, or another one stands in its place.
            OSError: it can't be done.
        """
        temporary = temporary_path(self.file.path.parent)
        try:
            rejected = RejectedFile(temporary, self.file.name)
            try:
                _take_over(self.file, rejected, scrub, self._reader)
                rejected.finish()
                rejected.check()
            finally:
                rejected.close()
            _put_rejected(rejected, self.file.path)
        finally:
            temporary.unlink(missing_ok=True)


def rejected_file(path: Path, day: date) -> DayFile | None:
    """Return a file of rejected lines as it is now; None where there is none.

    Raises:
        LogsError: something else than a regular file stands there.
        OSError: it can't be looked at.
    """
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        link = stat.S_ISLNK(status.st_mode)
        raise LogsError(f"{path.name} is {'a symbolic link' if link else 'not a regular file'}.")
    return DayFile.of(path, day, status)


def _scrubbed(rows: pa.Table, scrub: Scrub) -> tuple[pa.Table, bytes, int]:
    """Return rows without the person, and digest and length of the lines that they must give."""
    person = scrub.person
    theirs = from_numpy(owned(rows, person))
    if not scrub.records or not pc.any(theirs).as_py():
        return rows, *digest_of_lines(rows)
    if person.pseudonym is None:
        rest = rows.filter(pc.invert(theirs))
        return rest, *digest_of_lines(rest)
    lines = to_lines(rows).cast(pa.binary())
    old = lines.filter(theirs).to_pylist()
    replaced = [person.replaced(line.removesuffix(b"\n")) for line in old]
    with_newline = pa.array([line + b"\n" for line in replaced], pa.binary())
    text = b"".join(pc.replace_with_mask(lines, theirs, with_newline).to_pylist())
    new = rows_of(replaced, list(map(parse, replaced)), scrub.naive_zone)
    columns = {
        name: pc.replace_with_mask(rows[name].combine_chunks(), theirs, new[name].combine_chunks())
        for name in SCHEMA.names
    }
    return pa.table(columns, SCHEMA), hashlib.sha256(text).digest(), len(text)


def _look(file: DayFile, scrub: Scrub, reader: Reader) -> Seen:
    """Return how many lines of a file of rejected ones name the person."""
    seen = Seen()
    for lines in reader.each(_lines, file):
        for line in lines:
            named = scrub.person.is_named_in(line.pieces())
            seen.add(Seen(named=named, unnamed=not named))
    return seen


def _put_rejected(new: RejectedFile, target: Path) -> None:
    """Put rejected lines in the place of the older ones; none are no file."""
    if new.size:
        put_in_place(new.path, target, target.stat())
    elif target.exists():
        target.unlink()
        sync(target.parent)


def _take_over(old: DayFile | None, new: RejectedFile, scrub: Scrub, reader: Reader) -> int:
    """Copy the rejected lines that don't name the person; return how many they are."""
    kept = 0
    for lines in reader.each(_lines, old) if old else ():
        for line in lines:
            if not scrub.person.is_named_in(line.pieces()):
                new.add(line.pieces(), line.reason(scrub.naive_zone))
                kept += 1
    return kept


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file of rejected ones."""

    text: bytes = b""
    segment: Segment | None = None
    """Across whose end it goes, if it is too long to be held."""

    def pieces(self) -> Iterable[bytes]:
        """Return its text in one or more pieces."""
        return [self.text] if self.segment is None else too_long_line(self.segment)

    def reason(self, naive_zone: tzinfo) -> str:
        """Return why it is no record."""
        if self.segment is not None:
            return TOO_LONG
        return judge(self.text, naive_zone).reason or _UNKNOWN


def _lines(segment: Segment, chunk: Chunk) -> list[_Line]:
    """Return the lines of a segment."""
    lines = [*bytes(chunk.data).split(b"\n")[:-1], *filter(None, [chunk.tail])]
    return [*map(_Line, lines), *([_Line(segment=segment)] if chunk.too_long else [])]
