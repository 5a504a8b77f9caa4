"""Which calls a question is about."""

import fnmatch
import re
from datetime import UTC
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.query import Filters
from tokenusage.errors import WrongUseError
from tokenusage.read.columns import COUNTS, FIELD_OF, TOKENS, column_of
from tokenusage.read.exact import to_integers
from tokenusage.read.lines import NotARecordError, microseconds
from tokenusage.record import MAX_TOKENS, MICRO, PICO

Mask = npt.NDArray[np.bool_]

_SUMS: Final = {
    "cost_estimate": ("cost_pico", "priced", PICO),
    "response_time": ("response_micro", "timed", MICRO),
}
"""Fields held as integers, with the column that says where they are known."""


def matching(calls: pd.DataFrame, filters: Filters) -> Mask | None:
    """Return which of `calls` pass the filters; None where there is none to pass."""
    masks: list[Mask] = []
    if filters.user:
        masks.append(_among(calls["user"], set(filters.user)))
    if filters.operation:
        masks.append(_among(calls["operation"], set(filters.operation)))
    if filters.model:
        patterns = [re.compile(fnmatch.translate(glob.lower())) for glob in filters.model]
        names = calls["model"].cat.categories
        matched = {name for name in names if any(p.match(name.lower()) for p in patterns)}
        masks.append(_among(calls["model"], matched))
    masks += [_where(calls, name, value) for name, value in filters.where]
    return np.logical_and.reduce(masks) if masks else None


def _among(column: pd.Series, values: set[str]) -> Mask:
    """Return where a column of categories has one of `values`."""
    wanted = [name in values for name in column.cat.categories]
    # Code -1, no value, picks the last entry.
    picked: Mask = np.array([*wanted, False])[column.cat.codes.to_numpy()]
    return picked


def _where(calls: pd.DataFrame, name: str, value: str) -> Mask:
    field = FIELD_OF.get(name, name)
    if field in TOKENS or field in COUNTS or field == "dropped":
        return _equal(calls[field], _number(name, value), None)
    if field in _SUMS:
        column, known, per_unit = _SUMS[field]
        number = _number(name, value)
        return _equal(calls[column], to_integers(np.array([number]), per_unit)[0], calls[known])
    if field == "timestamp":
        return _equal(calls["time"], _moment(value), None)
    if field == "success":
        if value not in {"true", "false"}:
            raise WrongUseError(f"--where success={value} can't match: use true or false.")
        wanted: Mask = calls["failed"].to_numpy() != (value == "true")
        return wanted
    return _among(calls[column_of(field)], {value})


def _moment(value: str) -> int:
    try:
        return microseconds(value, UTC)
    except NotARecordError as error:
        raise WrongUseError(f"--where timestamp={value} {error}.") from error


def _equal(column: pd.Series, value: float, known: pd.Series | None) -> Mask:
    equal: Mask = (column == value).to_numpy()
    return equal if known is None else equal & known.to_numpy()


def _number(name: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError as error:
        raise WrongUseError(f"--where {name}={value} can't match: {name} is a number.") from error
    if not 0 <= number <= MAX_TOKENS:
        raise WrongUseError(f"--where {name}={value} can't match: no record holds such a number.")
    return number
