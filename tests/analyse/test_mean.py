import random

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.analyse.aggregate import means_of
from tokenusage.analyse.mean import Mean, means_together, number_in

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def mean(*texts: str | None) -> Mean:
    """Return the mean of a tag over calls in one group."""
    series = pd.Series(pd.Categorical(list(texts)))
    return means_of(series, np.zeros(len(texts), np.int64), 1)[0]


def test_a_mean_is_of_the_calls_that_carry_a_number() -> None:
    """Texts, truths, nulls and what is beyond a double are left out, and not taken for 0."""
    odd = ["high", "true", None, "NaN", "Infinity", "1e999", "", " 1", "1_0", "٣", "[1]"]
    assert mean("0.5", "1", *odd) == mean("0.5", "1.0")
    assert mean("0.5", "1", *odd).value == 0.75
    assert mean("0.5", "1").number == 2


def test_a_mean_without_a_number_is_unknown() -> None:
    """It is None, never 0."""
    assert mean("x", None).value is None
    assert mean(None).value is None


def test_decimals_average_as_they_are_written() -> None:
    """The mean of tenths is a tenth, whatever binary fractions make of their sum."""
    assert mean("0.1", "0.2", "0.6").value == 0.3
    assert mean(*["0.1"] * 7).value == 0.1
    assert mean("-1e308", "1e308", "3").value == 1


def test_each_group_has_its_own_mean() -> None:
    """Groups without a number have an unknown one."""
    series = pd.Series(pd.Categorical(["1", "2", "3", None]))
    groups = np.array([2, 0, 2, 1], np.int64)
    assert [one.value for one in means_of(series, groups, 3)] == [2, None, 2]


@given(st.lists(NUMBERS, min_size=1), st.randoms(use_true_random=False))
def test_means_are_the_same_in_any_order_and_division(
    numbers: list[float], chance: random.Random
) -> None:
    """To the last digit: sums are exact, and rounded once."""
    texts = list(map(repr, numbers))
    whole = mean(*texts)
    cut = chance.randint(0, len(texts))
    assert means_together([(mean(*texts[:cut]),), (), (mean(*texts[cut:]),)]) == (whole,)
    chance.shuffle(texts)
    assert mean(*texts) == whole


@given(NUMBERS)
def test_the_mean_of_one_number_is_that_number(number: float) -> None:
    """No double is too large or too small to be held exactly."""
    assert mean(repr(number)).value == number


def test_a_number_is_what_json_takes_for_one() -> None:
    """As a number or as text, in ASCII digits."""
    assert [number_in(text) is None for text in ("1", "-0.5e-3", "01", "+1", ".5", "0x1")] == [
        False, False, True, True, True, True,
    ]  # fmt: skip
