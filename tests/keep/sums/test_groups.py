"""Exact sums over groups of rows."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.keep.sums.groups import Groups

rows = st.lists(
    st.tuples(st.sampled_from([-1, 2**30]), st.sampled_from([-1, 0, 2**40]), st.integers(-5, 5)),
    max_size=40,
)


@given(rows, rows)
def test_sums_are_those_of_a_counter(
    first: list[tuple[int, ...]], more: list[tuple[int, ...]]
) -> None:
    """Grouped at once or one after the other, keys too wide for one number among them."""
    parts = []
    for part in (first, more):
        table = np.array(part, np.int64).reshape(-1, 3)
        parts.append(
            Groups.of(table[:, :2], {"a": table[:, 2], "b": np.zeros(len(part), np.int64)})
        )
    together = Groups.together(parts)

    expected: Counter[tuple[int, ...]] = Counter()
    for *key, value in (*first, *more):
        expected[tuple(key)] += value
    found = dict(zip(map(tuple, together.keys.tolist()), together.sum("a").tolist(), strict=True))
    assert found == dict(expected)
    assert not together.sum("b").any()
