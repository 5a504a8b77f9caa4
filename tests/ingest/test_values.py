from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.ingest.values import convert
from tokenusage.record import FIELDS, encode


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("timestamp", "2026-11-20T12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("user_id", 123, 123),
        ("user_id", "123", "123"),
        ("session_id", 77, "77"),
        ("query", "", ""),
        ("prompt_tokens", "1250", 1250),
        ("prompt_tokens", " 1250.0 ", 1250),
        ("prompt_tokens", 1250.0, 1250),
        ("cost_estimate", "2.775e-4", 0.0002775),
        ("cost_estimate", ".5", 0.5),
        ("response_time", 2, 2),
        ("success", "FALSE", False),
        ("success", 1, True),
        ("tags", '{"team": "a", "n": 1, "gone": null}', {"team": "a", "n": 1}),
        ("tags.team", 5, 5),
        ("truncated", ["query"], ["query"]),
        ("usage_source", "estimated", "estimated"),
        ("prompt_tokens", None, None),
    ],
)
def test_what_writes_a_value_is_as_good_as_it(field: str, value: Any, expected: Any) -> None:
    """Numbers, truths and objects are taken as JSON has them and as text writes them."""
    converted = convert(field, value, UTC)
    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", True),
        ("user_id", 1.5),
        ("model_name", ["gpt-4o"]),
        ("model_name", False),
        ("prompt_tokens", "12.5"),
        ("prompt_tokens", "١٢"),
        ("prompt_tokens", -1),
        ("prompt_tokens", 10**12 + 1),
        ("prompt_tokens", True),
        ("prompt_tokens", float("inf")),
        ("cost_estimate", "nan"),
        ("cost_estimate", "$1"),
        ("cost_estimate", 10**6 + 1),
        ("cost_estimate", float("nan")),
        ("success", "maybe"),
        ("tags", {"team": {"name": "a"}}),
        ("tags", {"timestamp": 1}),
        ("tags", "team=a"),
        ("tags.team", [1]),
        ("tags.n", float("inf")),
        ("truncated", "query"),
        ("usage_source", "guess"),
        ("usage_source", []),
    ],
)
def test_a_value_that_the_field_cannot_have(field: str, value: Any) -> None:
    """The reason names the field."""
    with pytest.raises(ValueError, match=field.partition(".")[0]):
        convert(field, value, UTC)


def test_reasons_are_short_and_inert() -> None:
    """A hostile value is shown cut, and without its control characters."""
    with pytest.raises(ValueError, match="prompt_tokens") as caught:
        convert("prompt_tokens", "\x1b[31m\u202e" + "9" * 10_000, UTC)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(FIELDS), JSON)
def test_no_value_gets_through_that_a_record_cannot_hold(field: str, value: Any) -> None:
    """Whatever JSON holds is converted to something that can be encoded, or refused."""
    try:
        converted = convert(field, value, UTC)
    except ValueError:
        return
    huge = isinstance(converted, int) and converted.bit_length() > 63
    if not huge and not isinstance(converted, dict):
        encode({field: converted})
