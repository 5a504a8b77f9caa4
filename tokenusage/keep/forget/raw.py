"""Taking a person out of a log file that writers may be at."""

import os
from dataclasses import replace
from typing import Final

from tokenusage.files import put_in_place, temporary_path
from tokenusage.keep.forget.outcome import Form
from tokenusage.keep.forget.scrub import Scrub, Seen
from tokenusage.keep.hashed import HashedFile
from tokenusage.keep.hold import hold
from tokenusage.keep.seal.intake import too_long_line
from tokenusage.logs import DayFile
from tokenusage.read.reader import Reader
from tokenusage.read.segments import Segment

_LITTLE: Final = 1 << 20
"""Bytes that are copied while writers wait; they do so for a quarter of a second."""

_ROUNDS: Final = 5
"""How often what was appended meanwhile is copied before the writers are held off."""


class LogPlace:
    """A log file that may name a person.

    Args:
        file: as it was listed; it may grow.
        first: bytes at its beginning that a sealed file or a final summary has taken
            in already.
        reader: reads it.
    """

    form = Form.LOG

    def __init__(self, file: DayFile, first: int, reader: Reader) -> None:
        self.file = file
        self.has_to_change = first > 0
        self._first = first
        self._reader = reader

    def look(self, scrub: Scrub) -> Seen:
        """Return what the file holds of the person; raises as `Reader.each` does."""
        seen = Seen()
        for some in self._reader.each(scrub.look, self.file, self._first):
            seen.add(some)
        return seen

    def rewrite(self, scrub: Scrub) -> None:
        """Put a file without the person, and without what was taken in, in its place.

        All that is long is done beside the writers; their lock is held only while the
        last lines are copied and the new file takes its place.

        Raises:
            HeldError: another process keeps the file locked.
            ListingChangedError: another file stands in its place.
            SealError: the new file is damaged on the disk; the old one is unchanged.
            OSError: it can't be done; the old file is unchanged.
        """
        temporary = temporary_path(self.file.path.parent)
        try:
            new = HashedFile(temporary)
            try:
                file, done = self._copy_beside_writers(new, scrub)
                with hold([file], growing=True):
                    like = file.path.lstat()
                    grown = replace(file, size=like.st_size)
                    self._copy(new, grown, done, scrub, whole=True)
                    new.check()
                    new.close()
                    put_in_place(temporary, file.path, like)
            finally:
                new.close()
        finally:
            temporary.unlink(missing_ok=True)

    def _copy_beside_writers(self, new: HashedFile, scrub: Scrub) -> tuple[DayFile, int]:
        """Copy nearly all; return the file as it was last seen, and how far that went."""
        file, done = self.file, self._first
        for _ in range(_ROUNDS):
            file = replace(file, size=file.path.lstat().st_size)
            if self._first < done and file.size - done < _LITTLE:
                break
            done = self._copy(new, file, done, scrub)
        os.fsync(new.fileno())
        new.check()
        return file, done

    def _copy(
        self, new: HashedFile, file: DayFile, first: int, scrub: Scrub, *, whole: bool = False
    ) -> int:
        """Write the lines from byte `first` on without the person.

        Returns where the next line begins: the last one is left out while it has no
        newline, unless the `whole` file is wanted.
        """
        end = file.size
        for text, segment, chunk in self._reader.each(scrub.scrubbed, file, first):
            new.write(text)
            if chunk.too_long:
                _copy_long(new, segment, scrub)
            elif chunk.tail and whole:
                new.write(scrub.text(chunk.tail))
            elif chunk.tail:
                end -= len(chunk.tail)
        return end


def _copy_long(new: HashedFile, segment: Segment, scrub: Scrub) -> None:
    """Write the line across the end of a segment, which is too long to be a record."""
    if scrub.person.is_named_in(too_long_line(segment)):
        return
    for piece in too_long_line(segment):
        new.write(piece)
    new.write(b"\n")
