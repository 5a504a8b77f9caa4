"""A person in a record: what is theirs, and what becomes of it."""

import json
from datetime import UTC
from typing import Any

import orjson
import pytest
from drawn import PLAIN
from hypothesis import given
from support import FIELD_LINE, record

from tokenusage.keep.forget.person import Person
from tokenusage.read.judge import judge
from tokenusage.read.lines import read_lines

ANN = Person("ann", "forgotten-1", frozenset({"ann@example.com"}))


def replaced(person: Person = ANN, **fields: Any) -> dict[str, Any]:
    line = orjson.dumps(record(**fields))
    document: dict[str, Any] = orjson.loads(person.replaced(line))
    return document


def test_what_tells_who_it_is_goes_and_the_rest_stays() -> None:
    """Base fields become null, others are left out, figures and ids stay in their order."""
    found = replaced(
        user_id="ann",
        query="I am ann",
        error_message="no ann",
        id="a",
        session_id="s",
        task_id="t",
        items=3,
        user_email="ann@example.com",
        tags={"who": "ann"},
        cost_source="x",
        mood={"deep": ["ann"]},
    )
    assert list(found.items()) == list(
        record(user_id="forgotten-1", id="a", task_id="t", items=3, cost_source="x").items()
    )


def test_figures_stay_as_they_were_written() -> None:
    """Digits, exponents and blanks inside of a value are not touched."""
    line = FIELD_LINE.replace(b"0.000285", b"2.850E-4").replace(b"}", b', "usage": {"x" : 1e0 }}')
    found = Person("123", "p").replaced(line)
    assert found.startswith(b'{"timestamp":"2024-12-26T10:30:45.123456","user_id":"p",')
    assert b'"cost_estimate":2.850E-4,"response_time":2.34,' in found
    assert found.endswith(b'"usage":{"x" : 1e0 }}')


@given(PLAIN)
def test_replaced_line_is_the_same_record_to_a_reader(line: bytes) -> None:
    """All that decides a figure reads as before, whatever the line holds."""
    judged = judge(line, UTC)
    if judged.record is None or judged.piece:
        return
    fields = ("items", "cache_read_tokens", "usage", "provider")
    before = read_lines(line, fields, UTC).table
    after = read_lines(ANN.replaced(line), ("user_email", "session_id", *fields), UTC).table
    names = [name for name in before.column_names if name != "user_id"]
    assert after.select(names).equals(before.select(names))
    assert set(after["user_id"].to_pylist()) <= {"forgotten-1", None}
    assert after["user_email"].null_count == after["session_id"].null_count == 1


@pytest.mark.parametrize(
    ("user", "known_as", "theirs"),
    [
        ("7", 7, True),
        ("7", "7", True),
        ("007", 7, False),
        ("007", "007", True),
        ("7", None, False),
        ('a"\n', 'a"\n', True),
        (str(10**30), 10**30, True),
        ("true", True, True),
    ],
)
def test_user_is_known_by_the_text_of_the_id(user: str, known_as: Any, *, theirs: bool) -> None:
    """A number and its text are one, and nothing else is."""
    judged = judge(json.dumps(record(user_id=known_as)).encode(), UTC)
    assert judged.record is not None
    assert Person(user, None).owns(judged.record) is theirs
