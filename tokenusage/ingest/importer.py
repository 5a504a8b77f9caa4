"""Rows of a source to records, appended to the days that they belong to.

Every row has an id that is the same whenever it is imported: a hash of its
bytes, of how many rows like it stand before it in its file, and of the mapping
(with the header, where there is one). An id that its day already holds is not
written again. So importing twice counts once, two equal rows of one file are
two calls, and an import that was interrupted is completed by running it again.
A row that brings an id of its own keeps it, and two rows of a day that bring
the same id count once, as they do in every report.

Ids and the hashes of rows are kept until the import ends, a few hundred bytes a
row; everything else is a stream.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final

from tokenusage.errors import LogsError
from tokenusage.ingest.build import build
from tokenusage.ingest.known import known_ids
from tokenusage.ingest.mapping import Mapping
from tokenusage.ingest.source import BadRow, Row, Source
from tokenusage.write.appender import Appender
from tokenusage.write.cost import PriceSource
from tokenusage.write.line import to_line

MAX_SHOWN: Final = 20
"""How many rejected rows an outcome remembers."""

_BATCH_BYTES: Final = 512 * 1024
_ALL_BATCHES_BYTES: Final = 8 * 1024 * 1024
_PROGRESS_BYTES: Final = 64 * 1024


@dataclass(slots=True)
class Outcome:
    """What became of the rows of an import."""

    imported: int = 0
    """Rows whose records are in the log now and were not before."""
    known: int = 0
    """Rows whose records were there already."""
    skipped: int = 0
    """Rows that ``--only`` left out."""
    rejected: int = 0
    rejections: list[BadRow] = field(default_factory=list)
    """The first `MAX_SHOWN` of the rejected ones."""

    def reject(self, row: BadRow) -> None:
        """Count a row that can't be imported."""
        self.rejected += 1
        if len(self.rejections) < MAX_SHOWN:
            self.rejections.append(row)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line on its way into the log."""

    day: date
    """Of its timestamp, in UTC."""
    id: str
    line: bytes


@dataclass(slots=True)
class _Batch:
    """Lines of one day that are still to be written."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0


class Importer:
    """Brings the rows of sources into one log directory.

    Args:
        directory: the log directory; made at need.
        mapping: how a row becomes a record.
        appender: writes into `directory`.
        pricer: asked for the cost of rows that have none.
        query_chars: how many characters of a query are kept.
    """

    def __init__(
        self,
        directory: Path,
        mapping: Mapping,
        *,
        appender: Appender,
        pricer: PriceSource,
        query_chars: int,
    ) -> None:
        self.outcome = Outcome()
        self._directory = directory
        self._mapping = mapping
        self._appender = appender
        self._pricer = pricer
        self._query_chars = query_chars
        self._ids: dict[date, set[str] | None] = {}
        self._batches: dict[date, _Batch] = {}
        self._waiting = 0

    def add(self, source: Source, advance: Callable[[int], None] | None = None) -> None:
        """Import all rows of `source`; `outcome` counts them once they are written.

        Args:
            source: whose columns the mapping fits (`Mapping.check_columns`).
            advance: told now and then how many more bytes of the source are read.

        Raises:
            LogsError: the log can't be read or written; what `outcome` counts
                as imported is in it.
            SourceError: the source can't be read.
        """
        translate = _Translator(self._mapping, source.header, self._pricer, self._query_chars)
        told = 0
        for row in source.rows():
            if advance is not None and source.position - told >= _PROGRESS_BYTES:
                advance(source.position - told)
                told = source.position
            if isinstance(row, BadRow):
                self.outcome.reject(row)
            elif not self._mapping.selects(row):
                self.outcome.skipped += 1
            else:
                try:
                    entry = translate(row)
                    self._ids_of(entry.day)
                except ValueError as error:
                    self.outcome.reject(BadRow(source.path, row.line, str(error)))
                else:
                    self._add_entry(entry)
        self._write_all()

    def _add_entry(self, entry: _Entry) -> None:
        ids = self._ids_of(entry.day)
        if entry.id in ids:
            self.outcome.known += 1
            return
        ids.add(entry.id)
        batch = self._batches.setdefault(entry.day, _Batch())
        batch.lines.append(entry.line)
        batch.size += len(entry.line)
        self._waiting += len(entry.line)
        if batch.size >= _BATCH_BYTES:
            self._write(entry.day)
        elif self._waiting >= _ALL_BATCHES_BYTES:
            self._write_all()

    def _ids_of(self, day: date) -> set[str]:
        """Return the ids that the log holds of a day.

        Raises:
            ValueError: nobody knows, because only the day's summary is left.
        """
        if day not in self._ids:
            self._ids[day] = known_ids(self._directory, day)
        ids = self._ids[day]
        if ids is None:
            raise ValueError(f"is of {day}, of which only a summary is left: it may be in it")
        return ids

    def _write_all(self) -> None:
        for day in list(self._batches):
            self._write(day)

    def _write(self, day: date) -> None:
        batch = self._batches.pop(day)
        try:
            self._appender.append(day, b"".join(batch.lines))
        except OSError as error:
            raise LogsError(
                f"Writing to {str(self._directory)!r} failed after {self.outcome.imported:,} rows: "
                f"{error.strerror or error}. Run the same command again when that is mended; "
                "what is in is not imported twice."
            ) from error
        self._waiting -= batch.size
        self.outcome.imported += len(batch.lines)


class _Translator:
    """Makes lines of the log of the rows of one source, and gives each row its id."""

    def __init__(
        self, mapping: Mapping, header: bytes, pricer: PriceSource, query_chars: int
    ) -> None:
        self._mapping = mapping
        self._pricer = pricer
        self._query_chars = query_chars
        self._key = mapping.digest(header)
        self._seen: dict[bytes, int] = {}

    def __call__(self, row: Row) -> _Entry:
        """Return the line of `row`.

        Raises:
            ValueError: no record can be made of it; the message says why.
        """
        fields = self._mapping.fields(row)
        if not fields.get("id"):
            fields["id"] = self._id(row.raw)
        record = build(fields, self._pricer, self._query_chars) | self._mapping.extras(row)
        try:
            line = to_line(record)
        except (TypeError, RecursionError) as error:
            raise ValueError("has a field that is nested too deep to be written") from error
        return _Entry(fields["timestamp"].date(), record["id"], line)

    def _id(self, raw: bytes) -> str:
        content = blake2b(raw, digest_size=12, key=self._key).digest()
        ordinal = self._seen.get(content, 0)
        self._seen[content] = ordinal + 1
        if ordinal == 0:
            return content.hex()
        again = blake2b(content, digest_size=12, key=self._key, salt=ordinal.to_bytes(16))
        return again.hexdigest()
