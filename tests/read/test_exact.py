"""Money as integers."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenusage.read.exact import to_integers
from tokenusage.record import PICO


def picodollars(value: float) -> int:
    return int(to_integers(np.array([value]), PICO)[0])


def test_dollars_become_picodollars_to_the_last_digit() -> None:
    """Figures that doubles hold only roughly become what was written."""
    assert picodollars(0.000285) == 285_000_000
    assert picodollars(123_456.789012345678) == 123_456_789_012_345_670
    assert [picodollars(x) for x in (5e-13, 1.5e-12, 2.5e-12)] == [0, 2, 2]


@settings(max_examples=500)
@given(
    st.floats(0, 10**6)
    | st.decimals(0, 10**6, places=12).map(float)
    | st.integers(0, 10**9).map(lambda n: float(Decimal(n) + Decimal("0.5")) / 1e12)
)
def test_rounding_is_that_of_the_decimal_that_was_written(value: float) -> None:
    """Every double is rounded half to even from its shortest decimal."""
    exact = (Decimal(repr(value)) * PICO).to_integral_value(ROUND_HALF_EVEN)
    assert picodollars(value) == int(exact)
