from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import record

from tokenusage.record import MAX_LINE_BYTES
from tokenusage.write.line import to_line

ANY_TEXT = st.text(st.characters(), max_size=50)  # with surrogates, which are no characters


@given(query=ANY_TEXT, tags=st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_any_text_makes_one_line_that_decodes_to_the_record(
    query: str, tags: dict[str, str]
) -> None:
    """Whatever a text holds, the record is not lost, and the caller sees what was written."""
    given_record = record(query=query, tags=tags)
    line = to_line(given_record)

    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert orjson.loads(line) == given_record


def test_lone_surrogates_are_replaced_and_pairs_joined() -> None:
    """What UTF-8 has no bytes for is shown as such; the rest of the text stays."""
    broken = record(query="a\ud800b", tags={"k\udfff": "\ud83d\ude00"})
    to_line(broken)

    assert broken["query"] == "a\ufffdb"
    assert broken["tags"] == {"k\ufffd": "\U0001f600"}


def test_a_record_of_just_the_limit_is_left_alone() -> None:
    """256 KiB with the newline is the most that is written as it is."""
    room = MAX_LINE_BYTES - len(to_line(record(query="")))

    line = to_line(record(query="q" * room))
    assert len(line) == MAX_LINE_BYTES
    assert "truncated" not in orjson.loads(line)
    assert orjson.loads(to_line(record(query="q" * (room + 1))))["truncated"] == ["query"]


@pytest.mark.parametrize(
    ("fields", "truncated"),
    [
        ({"query": "q" * 300_000}, ["query"]),
        ({"query": "\0" * 300_000}, ["query"]),
        ({"query": "😀" * 300_000, "error_message": "short"}, ["query"]),
        ({"error_message": "e" * 300_000}, ["error_message"]),
        ({"query": "q", "error_message": "e" * 300_000}, ["query", "error_message"]),
        ({"tags": {f"t{i}": "x" * 1000 for i in range(300)}}, ["tags"]),
        ({"user_id": "u" * 300_000, "tags": {"a": 1}}, ["user_id"]),
        ({"model_name": "m" * 200_000, "user_email": "e" * 250_000}, ["user_email"]),
    ],
)
def test_a_longer_record_is_shrunk_the_query_first(
    fields: dict[str, Any], truncated: list[str]
) -> None:
    """What was cut is named; tokens, cost and id always stay."""
    line = to_line(record(id="a" * 200, **fields))
    written = orjson.loads(line)

    assert len(line) <= MAX_LINE_BYTES
    assert written["truncated"] == truncated
    assert (written["id"], written["total_tokens"]) == ("a" * 200, 110)
    assert line.startswith(b'{"timestamp":')


@given(
    st.dictionaries(
        st.sampled_from(["query", "error_message", "user_id", "model_name", "session_id"]),
        st.sampled_from(["x", '"', "\0", "ß", "😀"]).flatmap(
            lambda c: st.integers(0, 150_000).map(lambda n: c * n)
        ),
    )
)
def test_no_line_is_ever_longer(fields: dict[str, str]) -> None:
    """However many fields are too long together, the line fits and starts as it has to."""
    line = to_line(record(**fields))

    assert len(line) <= MAX_LINE_BYTES
    assert orjson.loads(line)["timestamp"] == record()["timestamp"]
