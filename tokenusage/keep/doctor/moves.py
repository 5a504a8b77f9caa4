"""Moving records that stand in the file of another day to where they belong.

They are put into the right file first, durably; only then does a new file without
them take the wrong one's place. Killed in between, both files hold them, and as they
have ids they count once.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from datetime import date, tzinfo
from errno import EIO
from pathlib import Path
from typing import Final

from tokenusage.files import put_in_place, sync, temporary_path
from tokenusage.keep.doctor.repeats import Repeats
from tokenusage.keep.doctor.strays import Line, read_apart
from tokenusage.keep.hold import hold
from tokenusage.logs import DayFile
from tokenusage.write.appender import Appender

_BATCH: Final = 1 << 20
"""Bytes that are collected, for all days together, before they are appended."""


class Moves:
    """Moves strays, byte for byte, out of log files into those of their own days.

    Args:
        appender: appends them durably (``sync``) to the files of their days.
        naive_zone: the zone of timestamps that have none.
        repeats: what is known of strays whose id stands elsewhere too.
        may_take: whether records may be put into the file of a day; only those that
            have an id are.
    """

    def __init__(
        self,
        appender: Appender,
        naive_zone: tzinfo,
        repeats: Repeats,
        may_take: Callable[[date], bool],
    ) -> None:
        self._appender = appender
        self._zone = naive_zone
        self._repeats = repeats
        self._may_take = may_take

    def move(self, file: DayFile) -> int:
        """Move the strays of a file of a closed day, and return how many they were.

        Raises:
            HeldError: another process keeps the file locked; nothing was moved.
            ListingChangedError: the file has changed since it was listed; likewise.
            OSError: it could not be done; each record is where it was, or in both places.
        """
        rest, strays = (temporary_path(file.path.parent) for _ in range(2))
        try:
            moved = self._part(file, rest, strays)
            if moved:
                # Before the first record is appended: nobody changes the file any more.
                with hold([file]):
                    self._append(strays)
                    put_in_place(rest, file.path, file.path.stat())
        finally:
            rest.unlink(missing_ok=True)
            strays.unlink(missing_ok=True)
        return moved

    def _part(self, file: DayFile, rest: Path, strays: Path) -> int:
        """Write what stays to one new file and the strays to another; return their number."""
        moved = 0
        with (
            open(rest, "xb", opener=_for_us_alone) as staying,
            open(strays, "xb", opener=_for_us_alone) as moving,
        ):
            for line in read_apart(file.path, self._zone):
                if self._moves(line, file):
                    staying.write(line.piece)
                    moving.write(line.record)
                    moved += 1
                else:
                    staying.write(line.whole)
        return moved

    def _append(self, strays: Path) -> None:
        """Append strays to the files of their days."""
        waiting: dict[date, bytearray] = defaultdict(bytearray)
        collected = 0
        arrived: set[Path] = set()
        for line in read_apart(strays, self._zone):
            if line.key is None:
                raise OSError(EIO, "it holds something else than was written", os.fspath(strays))
            if path := self._repeats.arrived.get(line.key):
                arrived.add(path)
                continue
            waiting[line.key.day] += line.record
            collected += len(line.record)
            if collected >= _BATCH:
                self._append_all(waiting)
                collected = 0
        self._append_all(waiting)
        for path in arrived:
            sync(path)  # whoever put them there may not have come to that

    def _append_all(self, waiting: dict[date, bytearray]) -> None:
        while waiting:
            day, lines = waiting.popitem()
            self._appender.append(day, bytes(lines))

    def _moves(self, line: Line, file: DayFile) -> bool:
        key = line.key
        return (
            key is not None
            and key.day != file.day
            and key not in self._repeats.differing
            and self._may_take(key.day)
        )


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
