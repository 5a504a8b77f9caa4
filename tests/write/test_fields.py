from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from tokenusage.errors import RecordError
from tokenusage.record import BASE_FIELDS, FIELDS, MAX_TOKENS, Record
from tokenusage.write.fields import add_optional, as_utc, base_record, check_fields

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def build(at: datetime = NOON, **fields: Any) -> Record:
    base: dict[str, Any] = dict.fromkeys(BASE_FIELDS)
    base |= {
        "operation_type": "rag_answer",
        "model_name": "gpt-4o-mini",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "success": True,
        "query_chars": 500,
    }
    del base["timestamp"]
    return base_record(at, **base | fields)


def test_a_record_has_the_base_fields_in_their_order() -> None:
    """The twelve base fields are always there, the total is the sum unless given."""
    record = build(user_id=7, query="why?")

    assert tuple(record) == BASE_FIELDS
    assert record["total_tokens"] == 110
    assert build(total_tokens=120)["total_tokens"] == 120


@pytest.mark.parametrize("microsecond", [0, 1, 123456])
def test_a_timestamp_always_has_microseconds_and_an_offset(microsecond: int) -> None:
    """Timestamps have one width, so that they sort as text."""
    at = NOON.replace(microsecond=microsecond)

    assert build(at)["timestamp"] == f"2026-11-20T12:00:00.{microsecond:06d}+00:00"


def test_a_query_is_cut_and_0_keeps_none() -> None:
    """A team that may not keep prompts keeps none at all."""
    assert build(query="abcdef", query_chars=3)["query"] == "abc"
    assert build(query="abcdef", query_chars=0)["query"] is None


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt_tokens": -1},
        {"prompt_tokens": MAX_TOKENS + 1},
        {"prompt_tokens": 10**5000},
        {"prompt_tokens": True},
        {"prompt_tokens": 1.0},
        {"prompt_tokens": None},
        {"completion_tokens": "10"},
        {"total_tokens": -1},
        {"model_name": None},
        {"operation_type": 5},
        {"user_id": True},
        {"user_id": 1.5},
        {"query": ["a"]},
        {"success": 1},
        {"error_message": ValueError("x")},
        {"response_time": float("nan")},
        {"response_time": -0.1},
        {"response_time": "1"},
        {"cost_estimate": float("inf")},
        {"cost_estimate": 10**400},
        {"cost_estimate": True},
    ],
)
def test_a_value_that_a_base_field_cannot_have_is_an_error(fields: dict[str, Any]) -> None:
    """Programming errors are raised at once, with the field's name."""
    with pytest.raises(RecordError, match=next(iter(fields))):
        build(**fields)
    with pytest.raises(RecordError, match=next(iter(fields))):
        check_fields(fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"tags": ["a"]},
        {"tags": {"a": {"b": 1}}},
        {"tags": {"a": None}},
        {"tags": {"a": float("nan")}},
        {"tags": {1: "a"}},
        {"tags": {"timestamp": "2026"}},
        {"usage": {"web_searches": -1}},
        {"usage": {"web_searches": "2"}},
        {"usage_source": "guessed"},
        {"items": -1},
        {"id": ""},
        {"id": "x" * 201},
        {"session_id": 5},
        {"cache_read_tokens": 0.5},
    ],
)
def test_a_value_that_an_optional_field_cannot_have_is_an_error(fields: dict[str, Any]) -> None:
    """Nested tags and impossible counts are refused before anything is written."""
    with pytest.raises(RecordError, match=next(iter(fields))):
        add_optional({}, fields)


def test_optional_fields_come_in_order_and_none_is_left_out() -> None:
    """The same fields give the same line, however they were passed."""
    record: Record = {}
    add_optional(record, {"tags": {"team": "a"}, "items": 3, "provider": "x", "batch_id": None})

    assert list(record) == sorted(record, key=FIELDS.index)
    assert record == {"provider": "x", "items": 3, "tags": {"team": "a"}}


def test_an_unknown_field_names_the_nearest() -> None:
    """A typing error is found by who made it."""
    with pytest.raises(TypeError, match=r"no field 'sesion_id'. Did you mean session_id\?"):
        add_optional({}, {"sesion_id": "x"})
    with pytest.raises(TypeError, match="'dropped' can't be given"):
        add_optional({}, {"dropped": 1})


@pytest.mark.parametrize("number", [2**63, -(2**70), 10**30])
def test_integers_over_64_bits_are_kept_as_text(number: int) -> None:
    """No digit of a user's id is lost, and the line stays readable."""
    record = build(user_id=number)
    add_optional(record, {"tags": {"n": number}})

    assert record["user_id"] == str(number)
    assert orjson.loads(orjson.dumps(record))["tags"] == {"n": str(number)}


def test_relatives_of_plain_types_become_plain() -> None:
    """What numpy, decimal and enums hold is written as JSON knows it."""

    class Operation(StrEnum):
        RAG = "rag_answer"

    record = build(
        operation_type=Operation.RAG,
        prompt_tokens=np.int64(5),
        response_time=np.float32(0.5),
        cost_estimate=Decimal("0.25"),
    )

    names = ("operation_type", "prompt_tokens", "response_time", "cost_estimate")
    assert [record[name] for name in names] == ["rag_answer", 5, 0.5, 0.25]
    assert [type(record[name]) for name in names] == [str, int, float, float]


def test_moments_become_utc_and_naive_ones_are_refused() -> None:
    """The date of a record is its UTC date, wherever the clock stands."""
    late = datetime(2026, 11, 20, 23, tzinfo=timezone(timedelta(hours=-5)))

    assert as_utc(late) == datetime(2026, 11, 21, 4, tzinfo=UTC)
    for wrong in (datetime(2026, 11, 20), "2026-11-20", datetime.max.replace(tzinfo=late.tzinfo)):
        with pytest.raises(RecordError, match="timestamp"):
            as_utc(wrong)  # type: ignore[arg-type]


def test_subclasses_of_datetime_become_plain_ones() -> None:
    """A timestamp of pandas is recorded as what it means; its missing one is none."""
    at = as_utc(pd.Timestamp("2026-11-20T13:00:00.000005+01:00"))

    assert (type(at), at) == (datetime, NOON.replace(microsecond=5))
    with pytest.raises(RecordError, match="zone"):
        as_utc(pd.NaT)  # type: ignore[arg-type]  # a datetime only at run time
    assert build(at)["timestamp"] == "2026-11-20T12:00:00.000005+00:00"


@pytest.mark.parametrize(
    "fields",
    [
        {"user_id": 10**5000},
        {"tags": {"n": 10**5000}},
        {"tags": {"n": Fraction(10**400)}},
        {"response_time": Fraction(10**400)},
        {"response_time": Decimal("sNaN")},
    ],
)
def test_numbers_that_python_itself_refuses_are_record_errors(fields: dict[str, Any]) -> None:
    """Nothing else leaves record(): no OverflowError, no limit on digits."""
    with pytest.raises(RecordError):
        check_fields(fields)


def test_a_sum_of_tokens_that_no_record_can_hold_is_an_error() -> None:
    """Readers would reject the line."""
    with pytest.raises(RecordError, match="total_tokens"):
        build(prompt_tokens=MAX_TOKENS, completion_tokens=1)
