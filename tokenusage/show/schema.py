"""The JSON Schemas (draft 2020-12) of what the commands print, and of a log line."""

import json
import textwrap
from importlib.resources import files
from typing import Final, NamedTuple

from tokenusage.errors import WrongUseError, nearest

_FOLDER: Final = files("tokenusage.show") / "schemas"
_SUFFIX: Final = ".json"


class Title(NamedTuple):
    """What a schema is of."""

    name: str
    document: str
    """What documents of this kind have as ``schema``; empty for those without one."""
    title: str


def schema_names() -> list[str]:
    """Return the names of all schemas, in order."""
    found = [file.name for file in _FOLDER.iterdir() if file.name.endswith(_SUFFIX)]
    return sorted(name.removesuffix(_SUFFIX) for name in found)


def schema_text(name: str) -> str:
    """Return a schema as JSON.

    Raises:
        WrongUseError: there is none of that name; names the nearest.
    """
    names = schema_names()
    if name not in names:
        raise WrongUseError(
            f"There is no schema {name!r}: use {', '.join(names)}.{nearest(name, names)}"
        )
    return (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")


def titles() -> list[Title]:
    """Return what each schema is of, in order of name."""
    return [_title(name) for name in schema_names()]


def render_titles(rows: list[Title], width: int) -> str:
    """Return the names of the schemas, what they are of and their titles, as text.

    Args:
        rows: what `titles` gives.
        width: columns of the terminal.
    """
    table = [Title("NAME", "SCHEMA", "TITLE"), *rows]
    names, documents, _ = (max(map(len, column)) for column in zip(*table, strict=True))
    lines = []
    for row in table:
        start = f"{row.name:{names}}  {row.document:{documents}}  "
        blank = " " * len(start)
        lines += textwrap.wrap(row.title, width, initial_indent=start, subsequent_indent=blank)
    return "\n".join(lines) + "\n"


def _title(name: str) -> Title:
    schema = json.loads(schema_text(name))
    document = schema["properties"].get("schema", {}).get("const", "")
    return Title(name, document, schema["title"])
