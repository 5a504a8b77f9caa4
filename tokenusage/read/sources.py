"""What a Parquet file was made from, so that nothing in it is read a second time.

Sealed days and final summaries name each log file that they took in, with its
length and digest. Where such a file is still there, because whoever made them
was killed before removing it, a reader skips exactly that prefix; what was
appended behind it is a late record like any other.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenusage.logs import DayFile
from tokenusage.read.segments import open_regular

_STEP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """The first `length` bytes of a log file, as they were taken in."""

    name: str
    inode: int
    length: int
    digest: str
    """SHA-256 of those bytes, in hexadecimal."""

    def as_json(self) -> dict[str, Any]:
        """Return it as the footers of Parquet files hold it."""
        return {
            "name": self.name,
            "inode": self.inode,
            "length": self.length,
            "digest": self.digest,
        }


def digest_of(path: Path, length: int) -> str:
    """Return the SHA-256 of the first `length` bytes of a file, in hexadecimal.

    Raises:
        OSError: the file can't be read, is no regular file, or is shorter.
    """
    sha = hashlib.sha256()
    with open(path, "rb", buffering=0, opener=open_regular) as file:
        while length:
            data = file.read(min(length, _STEP))
            if not data:
                raise OSError(None, "it is shorter than it was", os.fspath(path))
            sha.update(data)
            length -= len(data)
    return sha.hexdigest()


def taken_in(file: DayFile, sources: Iterable[Source]) -> int:
    """Return how many bytes at the beginning of `file` are already in a Parquet file.

    An inode number is used again for another file, so the digest decides. A digest alone
    would not do: two calls without an id may be two equal files.

    Raises:
        OSError: the file can't be read.
    """
    for source in sources:
        same = (source.name, source.inode) == (file.name, file.inode)
        fits = same and source.length <= file.size
        if fits and digest_of(file.path, source.length) == source.digest:
            return source.length
    return 0
