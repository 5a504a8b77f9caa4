import pytest

from tokenusage.show.change import change, signed, style_of


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (112.3, 100, "▲ 12.3%"),
        (96, 100, "▼ 4.0%"),
        (5, 5, "="),
        (0, 0, "="),
        (3, 0, "▲ from 0"),
        (0, 3, "▼ 100.0%"),
        (1, 100_000, "▼ >99.9%"),
        (100_001, 100_000, "▲ <0.1%"),
        (2_000, 100, "▲ 1,900%"),
        (-1, -2, "▲ 50.0%"),
    ],
)
def test_a_change_has_a_direction_and_never_divides_by_nothing(
    now: float, before: float, text: str
) -> None:
    """It says 100% and nothing only where that is exactly so."""
    assert change(now, before) == text


def test_a_difference_has_a_sign_even_where_it_is_tiny() -> None:
    """Nothing has none."""
    assert signed("0.50", 0.5) == "+0.50"
    assert signed("3", -3) == "-3"
    assert signed("<0.01", -0.001) == "<-0.01"
    assert signed("0.00", 0) == "0"


def test_directions_have_colours_of_their_own() -> None:
    """Beside their marks: what has no direction has no colour."""
    assert [style_of(text) for text in ("▲ new", "▼ gone", "=", "—", "")] == [
        "red", "green", "", "", "",
    ]  # fmt: skip
