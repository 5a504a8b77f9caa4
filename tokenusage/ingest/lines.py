"""The lines of a file, as a stream in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MAX_LINE: Final = 16 * 1024 * 1024
"""The longest line that is read, in bytes; longer ones are a fault."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, and where it ends."""

    number: int
    """From 1."""
    raw: bytes
    """Its bytes, with the newline where there is one and without a byte order mark."""
    end: int
    """Bytes of the file up to its end."""
    fault: str = ""
    """Why it was not read, where it was not."""


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of a file that stands at its beginning; only a line feed ends one."""
    number = end = 0
    while raw := file.readline(MAX_LINE):
        number += 1
        end += len(raw)
        fault = ""
        while len(raw) == MAX_LINE and not raw.endswith(b"\n"):
            fault = f"is longer than {MAX_LINE:,} bytes"
            raw = file.readline(MAX_LINE)
            end += len(raw)
        if number == 1:
            raw = raw.removeprefix(_BOM)
        yield Line(number, b"" if fault else raw, end, fault)
