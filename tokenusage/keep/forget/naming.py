"""Whether what is no record names a person.

A name that is distinctive counts wherever it stands as a whole word. One that is short,
or a number, might stand for anything: it counts as the user, or as a string of its own.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, pairwise
from typing import Final
from unicodedata import normalize

from tokenusage.record import FIELDS

_FEWEST: Final = 4
"""Characters of a distinctive name."""

_WORDS_OF_JSON: Final = frozenset({"null", "true", "false"})

_KEY: Final = re.compile(rf"""(?<!\w)["']?(?:{"|".join(FIELDS)})\\?["']?\s*[:=]""")
"""A field of a record: in every line, so that it names nobody."""

_USER: Final = r"""["']?user_id\\?["']?\s*[:=]\s*"""

_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\(.)", re.DOTALL)

_CONTROLS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_LONGEST_ESCAPE: Final = 12
"""Bytes of a character that JSON writes as two surrogates."""

_MARGIN: Final = 50
"""Characters at a cut end of a piece by which a name may look like another one."""


def names_any(pieces: Iterable[bytes], user: str, emails: frozenset[str]) -> bool:
    """Return whether a user is named, by their id or by one of their addresses.

    A distinctive name (four or more characters, not only digits) counts wherever it is
    not flanked by letters or digits, but for the keys of a record. Any other counts as a
    quoted string that is no key, and the id also as the value of `user_id`. JSON's
    escapes and the normal forms of Unicode make no difference.

    Args:
        pieces: one line, in any number of pieces.
        user: the id.
        emails: the addresses.
    """
    overlap = _LONGEST_ESCAPE * (3 * _MARGIN + max(map(len, (user, *emails))))
    window, from_start = b"", True
    for piece, following in pairwise(chain(pieces, [None])):
        from_start = from_start and len(window) <= overlap
        window = window[-overlap:] + (piece or b"")
        for text in _readings(window):
            first = 0 if from_start else _MARGIN
            last = len(text) - (0 if following is None else _MARGIN)
            if any(first <= begin and end <= last for begin, end in _found(text, user, emails)):
                return True
    return False


def _found(text: str, user: str, emails: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Yield where the names stand in a text."""
    distinctive, others = _patterns(user, emails)
    if distinctive:
        # As long as before, so that places stay what they are.
        values = _KEY.sub(lambda key: " " * len(key[0]), text)
        yield from (found.span() for found in distinctive.finditer(values))
    if others:
        yield from (found.span() for found in others.finditer(text))


@lru_cache(maxsize=1)
def _patterns(
    user: str, emails: frozenset[str]
) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    """Return what finds the distinctive names, and what finds the others."""
    names = {normalize("NFC", name) for name in (user, *emails) if name}
    words = sorted(re.escape(name) for name in names if _is_distinctive(name))
    strings = sorted(re.escape(name) for name in names if not _is_distinctive(name))
    distinctive = rf"(?<![^\W_])(?:{'|'.join(words)})(?![^\W_])"
    others = [rf'"(?:{"|".join(strings)})"(?!\s*:)'] if strings else []
    if not _is_distinctive(user):
        # Without quotes, null is nobody.
        quote = """["']""" if user == "null" else """["']?"""
        others.append(rf"{_USER}{quote}{re.escape(normalize('NFC', user))}(?!\w|[.@-]\w)")
    return (
        re.compile(distinctive) if words else None,
        re.compile("|".join(others)) if others else None,
    )


def _is_distinctive(name: str) -> bool:
    return len(name) >= _FEWEST and not name.isdigit() and name not in _WORDS_OF_JSON


def _readings(piece: bytes) -> Iterator[str]:
    """Yield the text of a piece as it stands there and, where it has some, without escapes."""
    text = piece.decode(errors="replace")
    yield normalize("NFC", text)
    if "\\" in text:
        plain = _ESCAPE.sub(_character, text)
        # Through UTF-16, where a pair of surrogates is a character again.
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield normalize("NFC", plain)


def _character(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return _CONTROLS.get(escape[2], escape[2])
