"""What a program remembers between two runs: a small document and the hashes of ids, in one file.

The file is a cache. Whatever is wrong with it, it is as if there were none, and a place
that can't be written to is no error.
"""

import json
import os
from array import array
from bisect import bisect_left
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final
from zlib import crc32

_RECENT: Final = 8192
"""So many hashes are kept behind the sorted ones, which are not sorted anew for each."""

_HASH: Final = 8


class Ids:
    """A set of 64-bit hashes that is read from a file and written to it without a loop."""

    def __init__(self, in_order: bytes = b"", recent: bytes = b"") -> None:
        self._in_order = array("Q", in_order)
        self._recent = set(array("Q", recent))

    def add(self, day: int, name: str) -> bool:
        """Add the id of a record of a UTC day; return whether it was not there yet."""
        digest = blake2b(f"{day} {name}".encode("utf-8", "surrogatepass"), digest_size=_HASH)
        number = int.from_bytes(digest.digest(), "little")
        place = bisect_left(self._in_order, number)
        known = place < len(self._in_order) and self._in_order[place] == number
        if known or number in self._recent:
            return False
        self._recent.add(number)
        return True

    def packed(self) -> tuple[bytes, bytes]:
        """Return the arguments that make it again."""
        if len(self._recent) > _RECENT:
            self._in_order = array("Q", sorted([*self._in_order, *self._recent]))
            self._recent = set()
        return self._in_order.tobytes(), array("Q", self._recent).tobytes()


def recall(path: Path, about: list[str]) -> tuple[dict[str, Any], Ids] | None:
    """Return what `remember` has put at `path`; None where it is about something else, or damaged.

    Args:
        path: of the file.
        about: what it has to be about.
    """
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
        if checksum != _checksum(content):
            return None
        header, _, body = content.partition(b"\n")
        document = json.loads(header)
        if document["about"] != about:
            return None
        length = document["in_order"]
        return document["document"], Ids(body[:length], body[length:])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remember(path: Path, about: list[str], document: dict[str, Any], ids: Ids) -> None:
    """Put a document and ids at `path`, at once: of two writers one has its way."""
    in_order, recent = ids.packed()
    # Not orjson: names of files and directories need not be UTF-8.
    header = json.dumps({"about": about, "in_order": len(in_order), "document": document})
    content = b"%s\n%s%s" % (header.encode(), in_order, recent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with open(temporary, "wb", opener=lambda name, _: os.open(name, flags, 0o600)) as file:
            file.write(b"%s\n%s" % (_checksum(content), content))
        temporary.replace(path)


def _checksum(content: bytes) -> bytes:
    return b"%08x" % crc32(content)
