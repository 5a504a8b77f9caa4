"""The dimensions of a report: which group each call belongs to, as codes and labels."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from tokenusage.analyse.buckets import bucket_of
from tokenusage.analyse.query import TIME_DIMENSIONS

_HOUR: Final = 3_600_000_000
"""An hour in microseconds."""
_DENSE: Final = 1 << 22
"""Up to so many numbers a table of all of them is smaller and faster than a hash table."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Keys:
    """One dimension of every call."""

    codes: npt.NDArray[np.integer]
    """Per call the index of its label, -1 where it has none."""
    labels: list[str | None]


def keys_of(calls: pd.DataFrame, dimension: str, zone: tzinfo) -> Keys:
    """Return the keys of `calls` in one dimension; days and hours are those of `zone`."""
    if dimension in TIME_DIMENSIONS:
        return _time_keys(calls["time"].to_numpy(), dimension, zone)
    if dimension == "success":
        return Keys(calls["failed"].to_numpy().astype(np.int8), ["true", "false"])
    category = calls[dimension].cat
    return Keys(category.codes.to_numpy(), category.categories.tolist())


def _time_keys(time: npt.NDArray[np.int64], dimension: str, zone: tzinfo) -> Keys:
    """Return hours, days, weeks, months or years.

    Calls are first grouped by UTC hour, or quarter of one where `zone` has such
    offsets, within which the zone's offset and date don't change.
    """
    step = _HOUR if str(zone) == "UTC" else _HOUR // 4
    codes, starts = pd.factorize(time // step)
    labels = [_label(int(start) * step, dimension, zone) for start in starts]
    label_codes, names = pd.factorize(np.array(labels, dtype=object))
    return Keys(label_codes[codes], [str(name) for name in names])


def _label(start: int, dimension: str, zone: tzinfo) -> str:
    moment = _EPOCH + timedelta(microseconds=start)
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        local = moment  # the calendar's first or last day has no other zones
    return bucket_of(local, dimension)


def combine(keys: list[Keys]) -> tuple[Codes, list[tuple[str | None, ...]]]:
    """Combine dimensions into one: the group of every call, and each group's labels."""
    groups: Codes = np.zeros(len(keys[0].codes), np.int64)
    members: list[Codes] = []
    count = 1
    for key in keys:
        size = len(key.labels) + 1
        # In place: a million calls are too many for a copy at every step.
        groups *= size
        groups += key.codes
        groups += 1
        groups, found = _number_anew(groups, count * size)
        count = len(found)
        members = [*(codes[found // size] for codes in members), found % size - 1]
    columns = [
        [key.labels[code] if code >= 0 else None for code in codes.tolist()]
        for key, codes in zip(keys, members, strict=True)
    ]
    return groups, list(zip(*columns, strict=True))


def _number_anew(numbers: Codes, span: int) -> tuple[Codes, Codes]:
    """Replace numbers below `span` by the index of each in the list of those that occur."""
    if span > _DENSE:
        return pd.factorize(numbers)
    found = np.flatnonzero(np.bincount(numbers, minlength=span))
    index = np.empty(span, np.int64)
    index[found] = np.arange(len(found))
    return index[numbers], found
