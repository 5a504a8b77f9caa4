"""Files that are written once and know what should be in them."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any, Final

from tokenusage.errors import SealError
from tokenusage.files import sync

_STEP: Final = 1 << 20


class HashedFile(io.FileIO):
    """A new file that only its owner can read, with the digest of all that was written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__(os.fspath(path), "xb", opener=_open_private)
        self.path = path
        self.size = 0
        """Bytes by now."""
        self._checked = 0
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
        """Read once more what was written since the last check.

        Raises:
            SealError: it is not what stands there.
        """
        sha = hashlib.sha256()
        with self.path.open("rb", buffering=0) as file:
            file.seek(self._checked)
            while data := file.read(_STEP):
                sha.update(data)
            size = file.tell()
        if size != self.size or sha.digest() != self._sha.digest():
            raise SealError(
                f"The new file {self.path.name} is damaged on the disk; nothing was replaced."
            )
        self._checked, self._sha = size, hashlib.sha256()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
