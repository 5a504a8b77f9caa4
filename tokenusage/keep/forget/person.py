"""Who is forgotten, and what becomes of a record of theirs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from tokenusage.keep.forget.naming import names_any
from tokenusage.read.decode import as_text
from tokenusage.record import FIELDS, Record

_KEPT: Final = frozenset(FIELDS) - {"user_email", "session_id", "tags"}
_NULLED: Final = frozenset({"query", "error_message"})

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]')
"""What the structure of JSON is made of, and strings, in which it means nothing."""


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
        """Return whether what is no record names them, as `names_any` decides.

        Args:
            pieces: one line, in any number of pieces.
        """
        return names_any(pieces, self.user, self.emails)


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
