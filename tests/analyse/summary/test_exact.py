import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.analyse.summary.exact import group_sums, number, total

NUMBERS = st.lists(st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 3)))


@given(NUMBERS, st.integers(0, 2**20))
def test_sums_are_exact_beyond_64_bits(rows: list[tuple[int, int]], more: int) -> None:
    """As Python's own integers add up, whatever the numbers' width."""
    numbers = [value for value, _ in rows]
    groups = np.array([group for _, group in rows], np.int64)
    expected = [sum(v for v, g in rows if g == group) for group in range(4)]
    assert group_sums(np.array(numbers, np.int64), groups, 4) == expected
    assert group_sums(np.array([*numbers], object), groups, 4) == expected
    assert total(np.full(3, more, np.int16 if more < 2**15 else np.int64)) == 3 * more


def test_sums_of_millions_are_exact() -> None:
    """Doubles hold the sums of as many numbers as are added up at once."""
    most = 2**63 - 1
    assert total(np.full((1 << 20) + 3, most, np.int64)) == most * ((1 << 20) + 3)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6))), st.sampled_from([7, 10**9]))
def test_combinations_are_numbered_alike(rows: list[tuple[int, int]], size: int) -> None:
    """Rows have the same number if, and only if, their keys are the same."""
    keys = [np.array([row[place] for row in rows], np.int64) for place in (0, 1)]
    numbers, members = number(keys, [5, size])
    assert [tuple(members[n]) for n in numbers.tolist()] == rows
    assert len(members) == len(set(rows))
