"""Who is forgotten: how they are known in a line, and what becomes of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from tokenusage.read.lines import as_text
from tokenusage.record import FIELDS, Record

_KEPT: Final = frozenset(FIELDS) - {"user_email", "session_id", "tags"}
_NULLED: Final = frozenset({"query", "error_message"})

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]')
"""What the structure of JSON is made of, and strings, in which it means nothing."""

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)

_LONGEST_ESCAPE: Final = 12
"""Bytes of a character that JSON writes as two surrogates."""

_OVERLAP: Final = 100
"""Bytes around a name that are searched once more with the next piece of a long line."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user who is forgotten.

    Args:
        user: their id as text: 123 and "123" are one.
        pseudonym: what stands in its place; None drops their records instead.
        emails: the addresses that stand in their records.
    """

    user: str
    pseudonym: str | None
    emails: frozenset[str] = frozenset()

    def owns(self, record: Record) -> bool:
        """Return whether a record is theirs."""
        return as_text(record.get("user_id")) == self.user

    def replaced(self, line: bytes) -> bytes:
        """Return the line of a record of theirs without anything that tells who they are.

        Values that stay do so byte for byte.
        """
        members = []
        for name, value in _members(line):
            if name == "user_id":
                members.append((name, orjson.dumps(self.pseudonym)))
            elif name in _NULLED:
                members.append((name, b"null"))
            elif name in _KEPT:
                members.append((name, value))
        return b"{" + b",".join(orjson.dumps(name) + b":" + value for name, value in members) + b"}"

    def is_named_in(self, pieces: Iterable[bytes]) -> bool:
        """Return whether they are named in what is no record.

        That is their id as the value of `user_id` or as any quoted string, or one of
        their addresses, with or without the escapes of JSON. A name that the end has
        cut off is nobody's.

        Args:
            pieces: one line, in any number of pieces.
        """
        overlap = _OVERLAP + _LONGEST_ESCAPE * max(map(len, (self.user, *self.emails)))
        searched = b""
        for piece in pieces:
            searched = searched[-overlap:] + piece
            if any(map(self._is_in, _readings(searched))):
                return True
        return False

    def _is_in(self, text: str) -> bool:
        quoted = any(f'"{name}"' in text for name in (self.user, *self.emails))
        if quoted or any("@" in email and email in text for email in self.emails):
            return True
        user = rf"""["']?user_id["']?\s*[:=]\s*["']?{re.escape(self.user)}(?!\w|[.@-]\w)"""
        return re.search(user, text) is not None


def _members(line: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the value, as it is written, of each member of a valid JSON object."""
    depth = start = 0
    name = None
    for token in _TOKEN.finditer(line):
        kind = token[0][:1]
        depth += (kind in b"{[") - (kind in b"}]")
        if depth == 1 and name is None and kind == b'"':
            name = orjson.loads(token[0])
        elif depth == 1 and not start and kind == b":":
            start = token.end()
        elif name is not None and kind in b",}" and depth == (kind == b","):
            yield name, line[start : token.start()].strip()
            name, start = None, 0


def _readings(piece: bytes) -> Iterator[str]:
    """Yield the text of a piece as it stands there and, where it has some, without escapes."""
    text = piece.decode(errors="replace")
    yield text
    if "\\" in text:
        plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
        # Through UTF-16, where a pair of surrogates is a character again.
        yield plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
