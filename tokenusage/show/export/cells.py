"""The columns of exported calls as Python's values, a list each."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import pyarrow as pa

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moments(column: pa.ChunkedArray, zone: tzinfo) -> list[datetime]:
    """Return timestamps in a zone; in UTC where they lie at the calendar's very ends."""
    return [_moment(micro, zone) for micro in column.cast(pa.int64()).to_pylist()]


def _moment(micro: int, zone: tzinfo) -> datetime:
    moment = _EPOCH + timedelta(microseconds=micro)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


def texts(column: pa.ChunkedArray, clean: Callable[[str], str]) -> list[str | None]:
    """Return texts, each distinct one cleaned once; None stays None."""
    codes = column.combine_chunks().dictionary_encode()
    cleaned = [*map(clean, codes.dictionary.to_pylist())]
    return [None if code is None else cleaned[code] for code in codes.indices.to_pylist()]
