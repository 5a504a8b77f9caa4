"""Lines into columns and back: every record to the byte, and no other line."""

import json
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pytest
from drawn import COST, LINES, MOMENTS, SOUND, dumped
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import FIELD_LINE, record

from tokenusage.keep.seal.decode import to_lines
from tokenusage.keep.seal.encode import Encoded, Encoder
from tokenusage.keep.seal.file import digest_of_lines
from tokenusage.read.lines import read_lines
from tokenusage.read.sealed import SCHEMA


def encode(data: bytes) -> Encoded:
    return Encoder(UTC).encode(memoryview(data))


def text_of(encoded: Encoded) -> bytes:
    return b"".join(to_lines(encoded.table).cast(pa.binary()).to_pylist())


def kept(encoded: Encoded) -> int:
    return len(encoded.table) - int(encoded.table["line"].null_count)


def jsonl(*records: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(r) + b"\n" for r in records)


FULL = record(
    id="a1",
    provider="openai",
    response_id="r",
    session_id="s",
    task_id="t",
    batch_id="b",
    items=3,
    cache="session",
    cache_read_tokens=4,
    cache_write_tokens=5,
    reasoning_tokens=6,
    usage={"web_searches": 1, "x": 0.5},
    service_tier="flex",
    price_context={"processing": "batch"},
    usage_source="provider",
    user_email="a@b.c",
    tags={"team": "search", "n": 1, "ok": True},
    cost_source="override",
    dropped=2,
    truncated=["query", "tags"],
)


def test_record_with_every_field_needs_no_line() -> None:
    """What the logger writes follows from the columns alone."""
    encoded = encode(jsonl(FULL, record(), FULL))
    assert text_of(encoded) == jsonl(FULL, record(), FULL)
    assert kept(encoded) == 0
    row = encoded.table.slice(0, 1).to_pylist()[0]
    assert row["tags"] == '{"team":"search","n":1,"ok":true}'
    assert row["truncated"] == '["query","tags"]'
    assert row["usage"] == '{"web_searches":1,"x":0.5}'


def test_column_by_column_and_one_by_one_give_the_same_table() -> None:
    """It does not matter for a row whether its neighbours are clean."""
    data = jsonl(FULL, record(user_id="ä", cost_estimate=0), record(query='a "b"\\\n\x01 é\u2028'))
    fast, slow = encode(data * 3), encode(data * 3 + b"{\n")
    assert slow.rejected
    assert fast.table.combine_chunks().equals(slow.table.combine_chunks())
    assert kept(fast) == 0


@pytest.mark.parametrize("user", [None, 7, "7", "", -1, 2**63, 10**30, True, 1.5])
def test_user_comes_back_as_it_was_written(user: Any) -> None:
    """A number and its text are one user in the column, and two in the line."""
    data = json.dumps(record(user_id=user), separators=(",", ":")).encode() + b"\n"
    encoded = encode(data + jsonl(record()))
    assert text_of(encoded) == data + jsonl(record())


def test_unknown_fields_behind_the_known_ones_are_extra() -> None:
    """They are one JSON object, in their order; anywhere else they cost a whole line."""
    behind = record(zeta={"deep": [1, {"a": None}]}, alpha="ä")
    before = {"timestamp": behind["timestamp"], "zeta": 1, **record()}
    encoded = encode(jsonl(behind, before))
    assert text_of(encoded) == jsonl(behind, before)
    assert encoded.table["extra"].to_pylist() == [
        '{"zeta":{"deep":[1,{"a":null}]},"alpha":"ä"}',
        '{"zeta":1}',
    ]
    assert encoded.table["line"].to_pylist() == [None, orjson.dumps(before).decode()]


def test_line_that_the_logger_would_write_otherwise_is_kept_with_its_columns() -> None:
    """Other programs still find the moment and the tokens of a foreign line."""
    encoded = Encoder(ZoneInfo("Europe/Berlin")).encode(memoryview(FIELD_LINE + b"\n"))
    row = encoded.table.to_pylist()[0]
    assert row["line"] == FIELD_LINE.decode()
    assert row["timestamp"].isoformat() == "2024-12-26T09:30:45.123456+00:00"
    assert (row["user_id"], row["total_tokens"], row["integers"]) == ("123", 1400, 1)


@pytest.mark.parametrize(
    "tags",
    [{"a": "}"}, {"a": '"}'}, {"a": {"b": 1}}, {"a": ',"tags":{'}, {}, [], None, "x", [{"a": 1}]],
    ids=repr,
)
def test_tags_of_any_shape_come_back(tags: Any) -> None:
    """Where the end of an object was guessed wrongly, the row takes the slow way."""
    data = jsonl(record(tags=tags, cost_source="x"), record(tags={"a": 1}), record())
    encoded = encode(data)
    assert text_of(encoded) == data
    assert kept(encoded) == (tags is None)
    expected = None if tags is None else orjson.dumps(tags).decode()
    assert encoded.table["tags"].to_pylist() == [expected, '{"a":1}', None]


def test_torn_piece_is_rejected_and_the_record_behind_it_kept() -> None:
    """A salvaged line counts as two, and only the torn piece of it is rejected."""
    line = orjson.dumps(record())
    encoded = encode(b"\n" + line[:40] + line + b"\n \r\n" + line)
    assert text_of(encoded) == line + b"\n" + line + b"\n"
    assert [piece for piece, _ in encoded.rejected] == [line[:40]]
    assert (encoded.lines, encoded.blank) == (5, 2)


def test_digest_is_that_of_the_lines() -> None:
    """What is compared at the read-back is every byte of every record's line."""
    for data in (jsonl(record(), FULL), jsonl(record()) + b"{\n" + jsonl(FULL)):
        encoded = encode(data)
        assert digest_of_lines(encoded.table) == (encoded.digest, encoded.size)
        assert digest_of_lines(encoded.table.slice(1)) == digest_of_lines(encode(jsonl(FULL)).table)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=5), st.data())
@example([orjson.dumps(record()), b" "], None)
def test_every_record_comes_back_and_nothing_else_is_one(lines: list[bytes], data: Any) -> None:
    """Whatever the lines are, those that a reader takes come back to the byte."""
    text = b"\n".join(lines)
    if data is not None:
        cut = data.draw(st.integers(0, len(text)))
        again = data.draw(st.integers(0, cut))
        dirt = data.draw(st.sampled_from([b"", b"", b'"', b"}", b"\r", b"\xff", b',"id":1', b"\n"]))
        text = text[:cut] + dirt + text[again:] * data.draw(st.booleans())
        text += data.draw(st.sampled_from([b"", b"\n"]))
    encoded, found = encode(text), read_lines(text, (), UTC)
    assert encoded.lines == found.lines + found.salvaged
    assert encoded.blank == found.blank
    assert [why for _, why in encoded.rejected] == [why for _, why in found.rejections]
    times = encoded.table["timestamp"].cast(pa.int64())
    assert times.to_pylist() == found.table["timestamp"].to_pylist()
    for name in ("user_id", "prompt_tokens", "cost_estimate", "id", "cache"):
        assert encoded.table[name].to_pylist() == found.table[name].to_pylist()
    # Only the newline at the end, blank lines and rejected pieces are left out.
    pieces = iter([piece for piece, _ in encoded.rejected])
    records = iter(text_of(encoded).split(b"\n")[:-1])
    left = dict(found.rejections)
    for number, line in enumerate(text.split(b"\n"), 1):
        if number in left:
            piece = next(pieces)
            assert line == piece if len(piece) == len(line) else line == piece + next(records)
        elif line.strip():
            assert line == next(records)
    assert next(records, None) is next(pieces, None) is None
    assert encoded.table.schema.equals(SCHEMA)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(SOUND, COST, COST, MOMENTS), min_size=1, max_size=4))
def test_what_the_logger_writes_takes_no_line(values: list[tuple[Any, ...]]) -> None:
    """Any text, number and moment of a record follows from its columns."""
    lines = [
        dumped(record(moment, query=text, cost_estimate=cost, response_time=time), "orjson")
        for text, cost, time, moment in values
    ]
    data = b"".join(line + b"\n" for line in lines)
    encoded = encode(data)
    assert text_of(encoded) == data
    assert kept(encoded) == 0
