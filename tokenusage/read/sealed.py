"""Sealed days: one Parquet file a day that holds every record that was logged.

A row is a record, in the order of the lines that were sealed. Its columns are the
fields of the record, so that any program reads the file as it lies. The logger's
own lines follow from the columns; a line that does not is kept whole in `line`,
and its columns are there for other programs alone.

- `timestamp` is the moment; the logger writes it with microseconds and ``+00:00``.
- `usage`, `price_context`, `tags` and `truncated` are JSON as it was written.
- `extra` is a JSON object of the fields that the record does not know.
- `integers` has a bit for each number that was written without a decimal point
  though its column is text or a double: `USER_IS_INTEGER` and so on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.logs import DayFile
from tokenusage.read.arrays import from_numpy
from tokenusage.read.clean import CleanReader
from tokenusage.read.columns import COUNTS, PLAIN, REQUIRED, TAG, VITAL
from tokenusage.read.decode import as_text
from tokenusage.read.ledger import Account
from tokenusage.read.lines import Lines, read_lines, schema
from tokenusage.read.parquet import KEY, NotOursError, ParquetFile
from tokenusage.read.sources import Source

FORMAT: Final = "tokenusage.sealed/1"
USER_IS_INTEGER: Final = 1
COST_IS_INTEGER: Final = 2
RESPONSE_TIME_IS_INTEGER: Final = 4

SCHEMA: Final = pa.schema(
    [
        ("timestamp", pa.timestamp("us", "UTC")),
        ("user_id", pa.string()),
        ("operation_type", pa.string()),
        ("query", pa.string()),
        ("model_name", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("total_tokens", pa.int64()),
        ("cost_estimate", pa.float64()),
        ("response_time", pa.float64()),
        ("success", pa.bool_()),
        ("error_message", pa.string()),
        ("id", pa.string()),
        ("provider", pa.string()),
        ("response_id", pa.string()),
        ("session_id", pa.string()),
        ("task_id", pa.string()),
        ("batch_id", pa.string()),
        ("items", pa.int64()),
        ("cache", pa.string()),
        ("cache_read_tokens", pa.int64()),
        ("cache_write_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("usage", pa.string()),
        ("service_tier", pa.string()),
        ("price_context", pa.string()),
        ("usage_source", pa.string()),
        ("user_email", pa.string()),
        ("tags", pa.string()),
        ("cost_source", pa.string()),
        ("dropped", pa.int64()),
        ("truncated", pa.string()),
        ("extra", pa.string()),
        ("integers", pa.int8()),
        ("line", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Footer:
    """What a sealed file says of itself."""

    sources: tuple[Source, ...]
    """The log files of its last sealing, in the order in which they were taken in."""
    account: Account = field(default_factory=Account)
    """Of all lines that were ever sealed into it; its `rejections` are places in the
    day's ``rejected_`` file."""
    rejected_bytes: int = 0
    """How much of the day's ``rejected_`` file belongs to it."""

    def as_metadata(self) -> dict[bytes, bytes]:
        """Return it as the metadata of a Parquet file."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "sources": [source.as_json() for source in self.sources],
            "account": self.account.as_json(),
            "rejected_bytes": self.rejected_bytes,
        }
        return {KEY: orjson.dumps(document)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Return what `as_metadata` has written."""
        return cls(
            sources=tuple(Source(**source) for source in document["sources"]),
            account=Account.from_json(document["account"]),
            rejected_bytes=document["rejected_bytes"],
        )


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Some neighbouring rows of a sealed file: what is read at a time."""

    file: DayFile
    number: int
    rows: int
    size: int
    """Bytes in the file."""


def open_sealed(file: DayFile) -> tuple[Footer, tuple[RowGroup, ...]]:
    """Return what a sealed file says of itself, and its row groups.

    Raises:
        ListingChangedError: it is gone, or another one stands in its place.
        NotOursError: it is not what tokenusage writes.
    """
    with ParquetFile(file, FORMAT, SCHEMA) as parquet:
        try:
            footer = Footer.from_json(parquet.footer)
        except (KeyError, TypeError, ValueError) as error:
            raise NotOursError(f"{file.name} is damaged: its footer can't be read") from error
        count = parquet.metadata.num_row_groups
        return footer, tuple(
            RowGroup(file, number, parquet.metadata.row_group(number).num_rows, file.size // count)
            for number in range(count)
        )


_OBJECTS: Final = ("usage", "price_context", "tags", "truncated")


def read_group(
    group: RowGroup, extra: tuple[str, ...], clean: CleanReader, naive_zone: tzinfo
) -> Lines:
    """Return the records of a row group as `tokenusage.read.lines` would, without an account.

    Texts may be codes into the distinct ones.

    Raises:
        ListingChangedError: the file is gone, or another one stands in its place.
        NotOursError: it is damaged.
    """
    wanted = [*VITAL, *dict.fromkeys(map(_column, extra))]
    with ParquetFile(group.file, FORMAT, SCHEMA) as parquet:
        row_group = parquet.metadata.row_group(group.number)
        statistics = row_group.column(SCHEMA.names.index("line")).statistics
        if statistics is None or statistics.null_count < row_group.num_rows:
            wanted.append("line")
        columns = [name for name in SCHEMA.names if name in wanted]
        table = parquet.read([group.number], columns)
    written = pc.is_valid(table["line"]) if "line" in wanted else None
    rest = table if written is None else table.filter(pc.invert(written))
    if any(rest[name].null_count for name in REQUIRED):
        raise NotOursError(f"{group.file.name} is damaged: a row in it is no record")
    rows = _from_columns(rest, extra)
    if written is None or len(rest) == len(table):
        return Lines(rows)
    found = _from_lines(table["line"].filter(written), extra, clean, naive_zone)
    if len(found) != len(table) - len(rest):
        raise NotOursError(f"{group.file.name} is damaged: a line in it is no record")
    # Behind each other, and from there back into their order.
    order = np.argsort(np.argsort(np.asarray(written), kind="stable"), kind="stable")
    together = pa.concat_tables([rows.cast(found.schema), found])
    return Lines(together.take(from_numpy(order)))


def _column(field_: str) -> str:
    """Return the column that holds a field, or the object that it is in."""
    if field_.startswith(TAG):
        return "tags"
    return field_ if field_ in SCHEMA.names else "extra"


def _from_lines(
    lines: pa.ChunkedArray, extra: tuple[str, ...], clean: CleanReader, naive_zone: tzinfo
) -> pa.Table:
    data = "".join(f"{line}\n" for line in lines.to_pylist()).encode()
    found = clean.read(memoryview(data)) or read_lines(data, extra, naive_zone)
    return found.table.cast(schema(extra))


def _from_columns(table: pa.Table, extra: tuple[str, ...]) -> pa.Table:
    columns: dict[str, Any] = {name: table[name] for name in VITAL}
    columns["timestamp"] = columns["timestamp"].cast(pa.int64())
    for name in extra:
        column = table[_column(name)]
        if name in COUNTS or name in PLAIN:
            columns[name] = column
        elif name in _OBJECTS:
            columns[name] = _converted(column, as_text)
        elif name.startswith(TAG):
            columns[name] = _member(column, name.removeprefix(TAG))
        else:
            columns[name] = _member(column, name)
    return pa.table(columns)


def _member(column: pa.ChunkedArray, key: str) -> pa.Array:
    """Return one member of each JSON object, as `as_text` writes it; null where it is none."""

    def member(value: Any) -> str | None:
        return as_text(value.get(key)) if isinstance(value, dict) else None

    return _converted(column, member)


def _converted(column: pa.ChunkedArray, convert: Callable[[Any], str | None]) -> pa.Array:
    """Convert JSON texts, each distinct one once."""
    codes = column.combine_chunks().dictionary_encode()
    texts = pa.array(map(convert, map(json.loads, codes.dictionary.to_pylist())), pa.string())
    return texts.take(codes.indices)
