"""The names that occur in the logs, found in a moment: for who types them, not for figures.

They come from the summaries and from the ends of the newest log files. What occurs only
further up in files without a summary is not found.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from tokenusage.logs import DayFile, list_logs
from tokenusage.read.segments import ListingChangedError, open_regular

_TAIL: Final = 1 << 20
"""Bytes of log files that are read, from the end of the newest one on."""

_ROWS: Final = 1 << 20
"""Rows of summaries after which no further day is read, from the newest one on."""


def names_in(logs: Path, field: str) -> list[str]:
    """Return the names in one field of recent records, in order.

    Args:
        logs: the log directory.
        field: ``user_id``, ``operation_type`` or ``model_name``.

    Raises:
        LogsError: the directory can't be read.
    """
    listing = list_logs(logs)
    names = set(_in_lines(listing.raw, field))
    if listing.summaries:
        names |= _in_summaries(listing.summaries, field)
    return sorted(names)


def _in_lines(files: tuple[DayFile, ...], field: str) -> Iterator[str]:
    left = _TAIL
    for file in reversed(files):
        size = min(file.size, left)
        for line in _end_of(file, size):
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(record, dict) and isinstance(name := record.get(field), str | int):
                yield str(name)
        left -= size
        if not left:
            return


def _end_of(file: DayFile, size: int) -> list[bytes]:
    """Return the lines in the last bytes of a file; none where it can't be read."""
    try:
        with open(file.path, "rb", opener=open_regular) as opened:
            opened.seek(file.size - size)
            lines = opened.read(size).split(b"\n")
    except OSError:
        return []
    # The first may be the rest of a line that begins further up.
    return lines if size == file.size else lines[1:]


def _in_summaries(files: tuple[DayFile, ...], field: str) -> set[str]:
    # pyarrow takes as long to load as everything else here, and is in vain without a summary.
    from tokenusage.read.parquet import NotOursError  # noqa: PLC0415
    from tokenusage.read.summaries import Month  # noqa: PLC0415

    names: set[str] = set()
    left = _ROWS
    for file in reversed(files):
        try:
            with Month(file) as month:
                days = []
                for day, of_day in sorted(month.days.items(), reverse=True):
                    if left > 0:
                        days.append(day)
                    left -= of_day.rows
                column = month.read(days, [field])[field]
        except (NotOursError, ListingChangedError):
            continue
        for chunk in column.chunks:
            names.update(chunk.dictionary.to_pylist())
        if left <= 0:
            break
    return names
