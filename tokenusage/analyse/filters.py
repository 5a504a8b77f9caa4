"""Which calls a question is about."""

import fnmatch
import re
from collections.abc import Callable
from datetime import UTC
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tokenusage.analyse.query import Filters
from tokenusage.errors import WrongUseError
from tokenusage.read.arrays import from_numpy, to_numpy
from tokenusage.read.columns import COUNTS, FIELD_OF, TOKENS, column_of
from tokenusage.read.decode import NotARecordError, microseconds
from tokenusage.read.exact import to_integers
from tokenusage.read.ledger import Ledger
from tokenusage.record import MAX_TOKENS, MICRO, PICO

Mask = npt.NDArray[np.bool_]

_SUMS: Final = {
    "cost_estimate": ("cost_pico", "priced", PICO),
    "response_time": ("response_micro", "timed", MICRO),
}
"""Fields held as integers, with the column that says where they are known."""


def passing(records: pa.Table, filters: Filters, ledger: Ledger) -> pa.Table:
    """Return the records that pass the filters, and count the others as filtered.

    Args:
        records: as `shape.columns_of` has shaped them, with the fields that are filtered by.
        filters: which of them count.
        ledger: of these records; told of those that don't.

    Raises:
        WrongUseError: a filter compares a number with something that is none.
    """
    if (mask := matching(records, filters)) is not None:
        records = records.filter(from_numpy(mask))
    ledger.filtered += ledger.records - len(records)
    ledger.records = len(records)
    return records


def matching(records: pa.Table, filters: Filters) -> Mask | None:
    """Return which of `records` pass the filters; None where there is none to pass.

    Raises:
        WrongUseError: a filter compares a number with something that is none.
    """
    masks: list[Mask] = []
    if filters.user:
        masks.append(_among(records["user"], set(filters.user).__contains__))
    if filters.operation:
        masks.append(_among(records["operation"], set(filters.operation).__contains__))
    if filters.model:
        patterns = [re.compile(fnmatch.translate(glob.lower())) for glob in filters.model]
        masks.append(
            _among(records["model"], lambda name: any(p.match(name.lower()) for p in patterns))
        )
    masks += [_where(records, name, value) for name, value in filters.where]
    return np.logical_and.reduce(masks) if masks else None


def _among(column: pa.ChunkedArray, wanted: Callable[[str], bool]) -> Mask:
    """Return where a column of texts, or of codes into the distinct ones, has a wanted one."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    picked: list[Mask] = [np.empty(0, np.bool_)]
    for chunk in column.chunks:
        codes = to_numpy(chunk.indices.cast(pa.int64()), missing=-1)
        # Code -1, no value, picks the last entry.
        names = [*map(wanted, chunk.dictionary.to_pylist()), False]
        picked.append(np.array(names, np.bool_)[codes])
    return np.concatenate(picked)


def _where(records: pa.Table, name: str, value: str) -> Mask:
    field = FIELD_OF.get(name, name)
    if field in TOKENS or field in COUNTS or field == "dropped":
        return _equal(records[field], _number(name, value))
    if field in _SUMS:
        column, known, per_unit = _SUMS[field]
        number = to_integers(np.array([_number(name, value)]), per_unit)[0]
        return _equal(records[column], number) & _equal(records[known], 1)
    if field == "timestamp":
        return _equal(records["time"], _moment(value))
    if field == "success":
        if value not in {"true", "false"}:
            raise WrongUseError(f"--where success={value} can't match: use true or false.")
        return _equal(records["failed"], value == "false")
    return _among(records[column_of(field)], value.__eq__)


def _equal(column: pa.ChunkedArray, value: float) -> Mask:
    """Return where a column of whole numbers of any width, or of truths, has a value."""
    equal: Mask = to_numpy(column.cast(pa.int64())) == value
    return equal


def _moment(value: str) -> int:
    try:
        return microseconds(value, UTC)
    except NotARecordError as error:
        raise WrongUseError(f"--where timestamp={value} {error}.") from error


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise WrongUseError(f"--where {name}={value} can't match: {name} is a number.") from error
    if not 0 <= number <= MAX_TOKENS:
        raise WrongUseError(f"--where {name}={value} can't match: no record holds such a number.")
    return number
