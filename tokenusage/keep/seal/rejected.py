"""The lines of a sealed day that are no records, byte for byte, while they are written."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenusage.keep.hashed import HashedFile
from tokenusage.read.ledger import MAX_REJECTIONS, Rejection
from tokenusage.read.segments import open_regular

_STEP: Final = 1 << 20


class RejectedFile(HashedFile):
    """A new ``rejected_`` file.

    Args:
        path: where to write it.
        name: what it is going to be called.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._name = name
        self._lines = 0
        self.rejections: list[Rejection] = []
        """Where the first of those are that were added."""

    def take_over(self, old: Path, length: int) -> None:
        """Copy the first `length` bytes of the file that is there, or what is left of them."""
        if not length or not old.exists():
            return
        with open(old, "rb", buffering=0, opener=open_regular) as file:
            while length and (data := file.read(min(length, _STEP))):
                self.write(data)
                self._lines += data.count(b"\n")
                length -= len(data)

    def add(self, line: Iterable[bytes], reason: str) -> None:
        """Add one line, in any number of pieces and without its newline."""
        for piece in line:
            self.write(piece)
        self.write(b"\n")
        self._lines += 1
        if len(self.rejections) < MAX_REJECTIONS:
            self.rejections.append(Rejection(self._name, self._lines, reason))
