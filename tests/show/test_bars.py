from hypothesis import given
from hypothesis import strategies as st

from tokenusage.show.bars import BLOCKS, bar


def test_a_bar_is_an_eighth_of_a_character_fine() -> None:
    """Half of five characters are two and a half."""
    assert bar(0.5, 5, blocks=True) == "██▌"
    assert bar(1, 5, blocks=True) == "█████"
    assert bar(0.5, 4, blocks=False) == "##"


@given(st.floats(0, 1), st.integers(1, 60), st.booleans())
def test_a_bar_keeps_to_its_width_and_shows_whatever_is_not_nothing(
    fraction: float,
    width: int,
    blocks: bool,  # noqa: FBT001 - drawn by the test
) -> None:
    """Nothing alone is empty, and only all of it is full."""
    drawn = bar(fraction, width, blocks=blocks)
    assert len(drawn) <= width
    assert bool(drawn) == (fraction > 0)
    assert set(drawn) <= set(BLOCKS if blocks else "#")
