import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.show.numbers import counted, decimal, dollars, money_places, percent


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (12.4, "$12.40"),
        (1234567.891, "$1,234,567.89"),
        (0.1488, "$0.1488"),
        (0.000285, "$0.000285"),
        (0.0000021, "$0.000002100"),
    ],
)
def test_an_amount_has_the_decimals_that_its_size_needs(amount: float, text: str) -> None:
    """Cents are enough for dollars, and not for a single call."""
    assert dollars(amount) == text


@given(st.floats(1e-9, 1e6))
def test_no_amount_prints_as_nothing(amount: float) -> None:
    """What was paid is visible."""
    assert any(digit in dollars(amount) for digit in "123456789")
    assert any(digit in decimal(amount, money_places(amount)) for digit in "123456789")


@pytest.mark.parametrize(
    ("fraction", "text"),
    [(1.0, "100%"), (0.9999, ">99%"), (0.5583, "56%"), (0.0001, "<1%"), (0.0, "0%")],
)
def test_all_and_nothing_are_said_only_where_they_are_true(fraction: float, text: str) -> None:
    """One failure in ten thousand is not 100 %."""
    assert percent(fraction, 0) == text


def test_a_rest_is_not_rounded_away() -> None:
    """What is less than the last digit prints as less than it."""
    assert [decimal(value, 2) for value in (0, 0.001, 0.005001, 2.345, 1234.5)] == [
        "0.00",
        "<0.01",
        "0.01",
        "2.35",
        "1,234.50",
    ]


def test_one_takes_no_s() -> None:
    """A noun follows its number."""
    assert [counted(n, "call") for n in (0, 1, 1232)] == ["0 calls", "1 call", "1,232 calls"]
