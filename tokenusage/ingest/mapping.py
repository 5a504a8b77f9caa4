"""Which column of a source becomes which field of a record.

A field takes the constant that ``--set`` gives it, else the column that
``--map`` names, else the column of its own name where a row has one. So the
JSON lines of tokenusage itself need no mapping at all, and without any ``--map``
the fields of a JSON row that no record knows are kept, as they are everywhere.
With one, nothing but fields of the record is taken: a foreign row may hold
anything, and prompts among it.

A column is its whole name, or a path with dots into nested JSON objects; a
column whose own name has dots is found first.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import blake2b
from typing import Any, Final

import orjson

from tokenusage.errors import WrongUseError, nearest
from tokenusage.ingest.source import BadRow, Row, Source
from tokenusage.ingest.values import convert
from tokenusage.record import FIELDS

_TAG: Final = "tags."
_FIELDS: Final = frozenset(FIELDS)
_MAX_KNOWN: Final = 500
"""Columns among which the nearest one to a wrong name is looked for."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where the fields of a record come from, and which rows become one."""

    columns: dict[str, str]
    """Column by field, as ``--map`` gave them."""
    constants: dict[str, Any]
    """Value by field, as ``--set`` gave them; None leaves the field unset."""
    only: tuple[tuple[str, str], ...]
    """(column, value as text) pairs; a row that differs in one of them is skipped."""
    zone: tzinfo
    """Of times that name none."""

    def selects(self, row: Row) -> bool:
        """Return whether `row` has every value that ``--only`` asks for."""
        return all(_as_text(find(row.values, column)) == text for column, text in self.only)

    def fields(self, row: Row) -> dict[str, Any]:
        """Return the fields that `row` gives, converted; unknown ones are left out.

        A cost that was mapped or set is the provider's own, as one that is
        given to a Tracker, unless a ``cost_source`` says otherwise.

        Raises:
            ValueError: a field can't have the value that the row has for it.
        """
        fields: dict[str, Any] = {}
        for name in FIELDS:
            if name in self.constants:
                fields[name] = self.constants[name]
            elif name in self.columns:
                fields[name] = convert(name, find(row.values, self.columns[name]), self.zone)
            elif name in row.values:
                fields[name] = convert(name, row.values[name], self.zone)
        tags = {**(fields.get("tags") or {}), **self._tags(row)}
        if tags:
            fields["tags"] = tags
        fields = {name: value for name, value in fields.items() if value is not None}
        given = "cost_estimate" in self.columns or "cost_estimate" in self.constants
        if given and "cost_estimate" in fields:
            fields.setdefault("cost_source", "provider")
        return fields

    def extras(self, row: Row) -> dict[str, Any]:
        """Return what else a row of our own form holds, to be kept as it is."""
        if self.columns:
            return {}
        return {name: value for name, value in row.values.items() if name not in _FIELDS}

    def digest(self, header: bytes) -> bytes:
        """Return 32 bytes that stand for what this mapping makes of rows under `header`.

        Two imports of a row give it the same id where these bytes are the same.
        ``--only`` is not part of them, for it chooses rows and changes none.
        """
        parts = (sorted(self.columns.items()), sorted(self.constants.items()), str(self.zone))
        return blake2b(orjson.dumps(parts) + header, digest_size=32).digest()

    def check_columns(self, source: Source) -> None:
        """Do nothing where `source` has every column that is named.

        A row of JSON lines may lack one, a whole file may not: a slip in a
        column's name would else be found only in the sums.

        Raises:
            WrongUseError: a column is in no row; the nearest one is named.
        """
        wanted = dict.fromkeys([*self.columns.values(), *(column for column, _ in self.only)])
        known: dict[str, None] = dict.fromkeys(source.columns or ())
        missing = [column for column in wanted if column not in known]
        if source.columns is None:
            missing = _missing_in_rows(missing, source.rows(), known)
        if missing:
            raise WrongUseError(
                f"{str(source.path)!r} has no column {missing[0]!r}.{nearest(missing[0], known)}"
            )

    def _tags(self, row: Row) -> dict[str, Any]:
        found = {
            name: convert(name, find(row.values, column), self.zone)
            for name, column in self.columns.items()
            if name.startswith(_TAG)
        }
        found |= {name: value for name, value in self.constants.items() if name.startswith(_TAG)}
        return {name[len(_TAG) :]: value for name, value in found.items() if value is not None}


def parse_mapping(
    maps: Sequence[str], sets: Sequence[str], only: Sequence[str], zone: tzinfo
) -> Mapping:
    """Return the mapping that the options of ``tokenusage import`` write.

    Args:
        maps: ``FIELD=COLUMN`` texts.
        sets: ``FIELD=VALUE`` texts; an empty value leaves the field unset.
        only: ``COLUMN=VALUE`` texts.
        zone: the zone of times that name none.

    Raises:
        WrongUseError: one of them has no ``=``, names no field, names a field
            again, or sets it to a value that it can't have.
    """
    columns: dict[str, str] = {}
    constants: dict[str, Any] = {}
    for field, column in _pairs("--map", maps, "FIELD=COLUMN"):
        _check_field("--map", field, columns)
        columns[field] = column
    for field, value in _pairs("--set", sets, "FIELD=VALUE"):
        _check_field("--set", field, columns | constants)
        constants[field] = _constant(field, value, zone)
    return Mapping(columns, constants, tuple(_pairs("--only", only, "COLUMN=VALUE")), zone)


def find(values: dict[str, Any], path: str) -> Any:
    """Return what stands at `path` in nested objects, None where nothing does.

    At every level the rest of the path is tried as one name first.
    """
    if path in values:
        return values[path]
    head, _, rest = path.partition(".")
    inner = values.get(head)
    return find(inner, rest) if rest and isinstance(inner, dict) else None


def _pairs(option: str, texts: Iterable[str], form: str) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        left, equals, right = text.partition("=")
        if not equals or not left or (not right and option == "--map"):
            raise WrongUseError(f"{option} {text!r} is not {form}.")
        pairs.append((left.strip(), right))
    return pairs


def _check_field(option: str, field: str, taken: dict[str, Any]) -> None:
    if field not in _FIELDS and not (field.startswith(_TAG) and len(field) > len(_TAG)):
        known = (*FIELDS, "tags.NAME")
        raise WrongUseError(
            f"{option} names the field {field!r}, which no record has.{nearest(field, known)}"
        )
    if field == "tags.timestamp":
        raise WrongUseError("A tag may not be called timestamp.")
    if field in taken:
        raise WrongUseError(f"{option} names the field {field!r} a second time.")


def _constant(field: str, text: str, zone: tzinfo) -> Any:
    try:
        text.encode()
        value = convert(field, text or None, zone)
    except UnicodeEncodeError as error:
        raise WrongUseError(f"--set {field}: the value is not UTF-8.") from error
    except ValueError as error:
        raise WrongUseError(f"--set {field}: {error}.") from error
    if field == "id" and value is not None:
        raise WrongUseError("--set id would give all rows one id, and so count them once.")
    return value


def _as_text(value: Any) -> str | None:
    """Return a JSON value as ``--only`` writes it; None for what it can't write."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _missing_in_rows(
    wanted: list[str], rows: Iterable[Row | BadRow], known: dict[str, None]
) -> list[str]:
    """Return the columns that no row has; names of those that rows have go into `known`."""
    missing, empty = set(wanted), True
    for row in rows:
        if not missing:
            break
        if isinstance(row, Row):
            empty = False
            missing = {column for column in missing if not _has(row.values, column)}
            if len(known) < _MAX_KNOWN:
                known.update(dict.fromkeys(_paths(row.values)))
    return [] if empty else [column for column in wanted if column in missing]


def _has(values: dict[str, Any], path: str) -> bool:
    head, _, rest = path.partition(".")
    inner = values.get(head)
    return path in values or (bool(rest) and isinstance(inner, dict) and _has(inner, rest))


def _paths(values: dict[str, Any]) -> Iterator[str]:
    """Yield the columns of a row, and those of the objects directly in it."""
    for name, value in values.items():
        yield name
        if isinstance(value, dict):
            yield from (f"{name}.{inner}" for inner in value)
