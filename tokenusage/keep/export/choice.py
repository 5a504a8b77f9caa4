"""Which records an export is about."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pyarrow as pa

from tokenusage.analyse.filters import Mask, matching
from tokenusage.analyse.plan import since_epoch
from tokenusage.analyse.query import Filters, Query
from tokenusage.read.arrays import to_numpy


@dataclass(frozen=True, slots=True)
class Choice:
    """Those of a period, ``[start, end)`` in microseconds since the epoch, that pass filters."""

    start: int | None = None
    """None is all before."""
    end: int | None = None
    """None is all after."""
    filters: Filters = field(default_factory=Filters)

    @classmethod
    def of(cls, query: Query) -> Self:
        """Return what a query is about."""
        period = query.period
        return cls(since_epoch(period.start), since_epoch(period.end), query.filters)

    @property
    def is_everything(self) -> bool:
        """Whether it leaves out nothing."""
        return self == Choice()

    def inside(self, records: pa.Table) -> Mask:
        """Return which records, as `shape.columns_of` has shaped them, are of the period."""
        time = to_numpy(records["time"])
        mask = np.ones(len(time), np.bool_)
        if self.start is not None:
            mask &= time >= self.start
        if self.end is not None:
            mask &= time < self.end
        return mask

    def passing(self, records: pa.Table) -> Mask:
        """Return which of the same pass the filters.

        Raises:
            WrongUseError: a filter compares a number with something that is none.
        """
        mask = matching(records, self.filters)
        return np.ones(len(records), np.bool_) if mask is None else mask
