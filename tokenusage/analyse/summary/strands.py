"""Records, and the rows of details beside them, as the same columns."""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tokenusage.analyse.summary.columns import integers, truths
from tokenusage.analyse.summary.spans import Integers, Slots
from tokenusage.read.arrays import from_numpy, unscaled
from tokenusage.read.duplicates import DAY

_NAMES: Final = {"session": "session_id", "task": "task_id", "batch": "batch_id", "cache": "cache"}
_NUMBERS: Final = (
    "calls",
    "cache_hits",
    "unpriced",
    "total_tokens",
    "items",
    "with_items",
    "first",
    "last",
)


@dataclass(frozen=True, slots=True)
class Strands:
    """Rows of calls and cache hits: single records, or groups of them as details have them."""

    names: dict[str, pa.ChunkedArray]
    """session, task, batch and cache: texts as codes into the distinct ones."""
    columns: dict[str, npt.NDArray[Any]]
    """slot, cost_pico, and numbers under the names that `details.SCHEMA` has for them."""
    response_times: Integers
    """Of the calls that have one, in any order, in microseconds."""
    response_slots: Integers
    """Of each of them."""

    @classmethod
    def of_records(cls, records: pa.Table, slots: Integers) -> Self:
        """Return records, as `shape.columns_of` has shaped them, each of them a row."""
        called = ~truths(records["hit"])
        timed = truths(records["timed"]) & called
        items = integers(records["items"])
        times = integers(records["time"])
        return cls(
            names={name: records[name] for name in _NAMES},
            columns={
                "slot": slots,
                "calls": called.astype(np.int64),
                "cache_hits": 1 - called,
                "unpriced": (1 - integers(records["priced"])) * called,
                "total_tokens": integers(records["total_tokens"]) * called,
                "items": items * called,
                "with_items": (items > 0).astype(np.int64),
                "cost_pico": integers(records["cost_pico"]) * called,
                "first": times,
                "last": times,
            },
            response_times=integers(records["response_micro"])[timed],
            response_slots=slots[timed],
        )

    @classmethod
    def of_details(cls, details: pa.Table, slots: Slots) -> Self:
        """Return rows of `details.SCHEMA`, of days that no bound divides."""
        of_day = slots.of(integers(details["day"].cast(pa.int32())) * DAY)
        lengths = integers(pc.list_value_length(details["response_times"]))
        numbers = {name: integers(details[name]) for name in _NUMBERS}
        return cls(
            names={name: details[field] for name, field in _NAMES.items()},
            columns={"slot": of_day, "cost_pico": unscaled(details["cost"]), **numbers},
            response_times=integers(pc.list_flatten(details["response_times"])),
            response_slots=np.repeat(of_day, lengths),
        )

    def and_also(self, other: Self) -> Self:
        """Return the rows of both."""
        return type(self)(
            names={
                name: pa.chunked_array([*column.chunks, *other.names[name].chunks])
                for name, column in self.names.items()
            },
            columns={
                name: np.concatenate([column, other.columns[name]])
                for name, column in self.columns.items()
            },
            response_times=np.concatenate([self.response_times, other.response_times]),
            response_slots=np.concatenate([self.response_slots, other.response_slots]),
        )

    def where(self, rows: npt.NDArray[np.bool_]) -> Self:
        """Return some of the rows; without response times."""
        mask = from_numpy(rows)
        none = np.empty(0, np.int64)
        return type(self)(
            names={name: column.filter(mask) for name, column in self.names.items()},
            columns={name: column[rows] for name, column in self.columns.items()},
            response_times=none,
            response_slots=none,
        )
