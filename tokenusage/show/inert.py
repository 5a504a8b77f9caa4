"""Text that users wrote, made harmless for whatever shows it.

User ids, model names, operations and tags come from outside. On a terminal
they could move the cursor, change colours or turn text around; in a
spreadsheet they could be formulas; in Markdown, links.
"""

import json
import re
from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection)."""

_MARKDOWN = str.maketrans({character: f"\\{character}" for character in "\\|`*[]<>~&$"})
_MARKDOWN_PLACES: Final = re.compile(r"(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""What is markup in some places alone: ``_`` at the edge of a word, and in bare addresses."""
_MENTION: Final = re.compile(r"(?<!\w)@(?=\w)")


def inert(text: str) -> str:
    r"""Return `text` with every character that isn't printable written as an escape.

    `str.isprintable` is false for exactly what can do harm: controls (C0 and
    C1), format characters (bidi, zero-width), line and paragraph separators,
    surrogates and unassigned code points. ESC becomes ``\x1b``.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def inert_name(text: str) -> str:
    """Return a name as it prints: inert, and in quotes where one would not see it whole."""
    shown = inert(text)
    return shown if shown and shown == shown.strip() else f'"{shown}"'


def inert_csv(text: str) -> str:
    """Return `text` for a cell of a CSV: inert, and never a formula."""
    return f"'{inert(text)}" if text.startswith(FORMULA_STARTS) else inert(text)


def escape_markdown(text: str) -> str:
    """Return inert `text` for a cell of a Markdown table: no markup, HTML, link or mention."""
    escaped = _MARKDOWN_PLACES.sub(r"\\\g<0>", text.translate(_MARKDOWN))
    # Who is mentioned gets a mail. Forges look for that behind all escapes, so a blank
    # without width stands in its way.
    return _MENTION.sub("@&#8203;", escaped)


def inert_json(document: str) -> str:
    r"""Return a JSON document with unprintable characters in its strings as ``\u`` escapes.

    It decodes to the same values as before; only a terminal sees a difference.
    """
    hostile = {character for character in set(document) if not character.isprintable()}
    escapes = {ord(character): json.dumps(character)[1:-1] for character in hostile - {"\n"}}
    return document.translate(escapes) if escapes else document
