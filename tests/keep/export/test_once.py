"""Each id once a day, without remembering every day."""

from datetime import date

import pyarrow as pa

from tokenusage.keep.export.once import Once
from tokenusage.read.duplicates import DAY, start_of

FIRST, SECOND = date(2026, 11, 19), date(2026, 11, 20)


def records(*found: tuple[date, str | None]) -> pa.Table:
    times, ids = [start_of(day) for day, _ in found], [name for _, name in found]
    return pa.table({"time": pa.array(times, pa.int64()), "id": pa.array(ids, pa.string())})


def test_id_counts_once_a_day() -> None:
    """Across all that is read of it; what has no id counts always."""
    once = Once(lambda _day: ())
    found = records((FIRST, "a"), (FIRST, "a"), (FIRST, None), (FIRST, None))
    assert once.first(FIRST, found).tolist() == [True, False, True, True]
    assert once.first(FIRST, records((FIRST, "a"))).tolist() == [False]
    assert once.first(SECOND, records((SECOND, "a"))).tolist() == [True]


def test_day_that_is_over_is_looked_at_again() -> None:
    """Only where another file holds a record of it, and once for all of those."""
    asked: list[int] = []

    def ids_of(day: int) -> list[str]:
        asked.append(day)
        return ["a"]

    once = Once(ids_of)
    once.first(FIRST, records((FIRST, "a")))
    late = records((FIRST, "a"), (FIRST, "b"), (FIRST, "b"))
    assert once.first(SECOND, late).tolist() == [False, True, False]
    assert asked == [start_of(FIRST) // DAY]


def test_early_stranger_is_remembered() -> None:
    """A record of a day to come is the first of its id when that day is read."""
    once = Once(lambda _day: ())
    assert once.first(FIRST, records((SECOND, "a"))).tolist() == [True]
    assert once.first(SECOND, records((SECOND, "a"), (SECOND, "b"))).tolist() == [False, True]
