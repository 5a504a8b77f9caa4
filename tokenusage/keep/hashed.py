"""Files that are written once and know what should be in them."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

from tokenusage.errors import SealError
from tokenusage.files import sync
from tokenusage.read.sources import digest_of


class HashedFile(io.FileIO):
    """A new file that only its owner can read, with the digest of all that was written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(os.fspath(path), "xb", opener=_open_private)
        self.path = path
        self.size = 0
        """Bytes by now."""
        self._sha = hashlib.sha256()

    def write(self, data: Any, /) -> int:
        """Write all of `data`."""
        with memoryview(data) as view:
            done = 0
            while done < len(view):
                done += super().write(view[done:])
            self._sha.update(view)
            self.size += done
            return done

    def finish(self) -> None:
        """Close the file when it is durable."""
        self.close()
        sync(self.path)

    def check(self) -> None:
        """Read the file once more.

        Raises:
            SealError: it does not hold what was written.
        """
        size = self.path.stat().st_size
        if size != self.size or digest_of(self.path, size) != self._sha.hexdigest():
            raise SealError(
                f"The new file {self.path.name} is damaged on the disk; nothing was replaced."
            )


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
