from hypothesis import given
from hypothesis import strategies as st

from tokenusage.show.spark import BLOCKS, spark


def test_line_of_amounts() -> None:
    """Nothing is the lowest, the largest the highest, and a little is more than nothing."""
    assert spark([0, 1, 50, 100], 10, blocks=True) == ("▁▂▅█", 1)
    assert spark([0, 1, 50, 100], 10, blocks=False) == ("_.=#", 1)


def test_narrow_line_adds_amounts_up() -> None:
    """The oldest group is the one that may be short."""
    assert spark([0, 0, 3, 1, 2], 3, blocks=True) == ("▁██", 2)


@given(st.lists(st.integers(0, 10**30), min_size=1, max_size=80), st.integers(1, 100))
def test_line_is_never_wider(amounts: list[int], width: int) -> None:
    """Whatever the amounts are."""
    line, _ = spark(amounts, width, blocks=True)
    assert 1 <= len(line) <= width
    assert set(line) <= set(BLOCKS)
    assert (set(line) == {BLOCKS[0]}) == (not any(amounts))
