"""The fast reader: the same answer as the tolerant one, or none."""

import json
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import FIELD_LINE, record

from tokenusage.read.clean import CleanReader
from tokenusage.read.lines import Lines, read_lines, schema

EXTRA = ("cache_read_tokens", "session_id", "tag.team", "whatever")


def read(data: bytes, extra: tuple[str, ...] = ()) -> Lines | None:
    return CleanReader(extra, UTC).read(memoryview(data))


def lines(*records: dict[str, Any]) -> bytes:
    return b"".join(orjson.dumps(r) + b"\n" for r in records)


GOOD = lines(record())[:-1]


def assert_same(data: bytes, extra: tuple[str, ...] = ()) -> Lines | None:
    fast, slow = read(data, extra), read_lines(data, extra, UTC)
    if fast is not None:
        assert not slow.rejections
        assert fast.lines == slow.lines
        assert fast.table.cast(schema(extra)).combine_chunks().equals(slow.table.combine_chunks())
    return fast


def test_lines_of_the_logger_are_clean() -> None:
    """What the logger writes takes the fast way."""
    data = lines(record(id="a" * 24), record(user_id="x", cost_estimate=None, cache="session"))
    assert assert_same(lines(record(id="a" * 24), record(cost_estimate=None))) is not None
    assert assert_same(data.replace(b'"user_id":1', b'"user_id":"1"')) is not None


def test_line_from_the_field_is_clean() -> None:
    """Spaces and naive timestamps are no dirt."""
    assert assert_same(FIELD_LINE + b"\n") is not None


def test_users_may_change_between_numbers_and_text_from_segment_to_segment() -> None:
    """A reader learns how identifiers are written, and learns it again."""
    reader = CleanReader((), UTC)
    for user in (1, "one", 2, "two"):
        found = reader.read(memoryview(lines(record(user_id=user))))
        assert found is not None
        assert [str(name) for name in found.table["user_id"].to_pylist()] == [str(user)]


def test_naive_times_of_a_zone_are_left_to_the_tolerant_reader() -> None:
    """Local times with gaps and folds are not for the fast way."""
    zone = ZoneInfo("Europe/Berlin")
    assert CleanReader((), zone).read(memoryview(FIELD_LINE + b"\n")) is None


def test_keys_that_may_be_written_with_escapes_are_left_to_the_tolerant_reader() -> None:
    """A field whose name has a slash is found however the slash is written."""
    for key in (b'"a/b"', rb'"a\/b"'):
        assert_same(GOOD[:-1] + b"," + key + b':"v"}\n', ("a/b",))
        found = read_lines(GOOD[:-1] + b"," + key + b':"v"}\n', ("a/b",), UTC)
        assert found.table["a/b"].to_pylist() == ["v"]


def test_literals_of_rapidjson_read_alike() -> None:
    """Inf beside the vital fields is taken by both readers."""
    for literal in (b"Inf", b"-Inf", b"Infinity", b"NaN", b"-NaN"):
        assert assert_same(GOOD[:-1] + b',"x":' + literal + b"}\n") is not None


@pytest.mark.parametrize(
    "dirty",
    [
        b"",
        b"null",
        b"{}",
        b" " + GOOD,
        GOOD + b"\r",
        GOOD + GOOD,
        b"\xef\xbb\xbf" + GOOD,
        GOOD[:-1] + b',"tags":{}',
        GOOD.replace(b"gpt", b"\xff"),
        GOOD.replace(b"0.001", b"NaN"),
        GOOD.replace(b"0.001", b"-0.001"),
        GOOD.replace(b"0.001", b"1000000.5"),
        GOOD.replace(b"0.5", b"-0.5"),
        GOOD.replace(b":100", b":-100"),
        GOOD.replace(b":100", b":1000000000001"),
        GOOD.replace(b":100", b":1e2"),
        GOOD.replace(b":100", b":null"),
        GOOD.replace(b"true", b"null"),
        GOOD.replace(b'"gpt-4o-mini"', b"4"),
        GOOD.replace(b"0.5", b'"0.5"'),
        GOOD.replace(b"2026", b"0000"),
        GOOD.replace(b"2026-11-20T12:00:00.000000+00:00", b"9999-12-31T23:59:59-05:00"),
        GOOD.replace(b"2026", b"twenty"),
        GOOD.replace(b'"user_id":1', b'"user_id":1,"user_id":1'),
        GOOD.replace(b'"query":null', b'"x":' + b"[" * 950 + b"]" * 950),
        GOOD.replace(b'"success":true,', b""),
    ],
    ids=range(26),
)
def test_dirt_is_left_to_the_tolerant_reader(dirty: bytes) -> None:
    """Whatever pyarrow would take wrongly, in any place, makes the segment unclean."""
    for data in (dirty + b"\n" + GOOD + b"\n", GOOD + b"\n" + dirty + b"\n"):
        assert read(data) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
SOUND = st.integers(0, 10**6) | st.floats(0, 10**6) | st.none()
NUMBERS = st.one_of(*[SOUND] * 9, st.integers(-5, 2**41), st.floats())
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat())
RECORDS = st.fixed_dictionaries(
    {
        "timestamp": st.one_of(
            *[MOMENTS] * 9,
            st.sampled_from(["2026-11-20", "2026-11-20T10:00Z", "2026-W47-1", "x", "20261120"]),
        ),
        "user_id": st.integers() | st.text() | st.none(),
        "operation_type": st.text(),
        "query": st.text() | st.none(),
        "model_name": st.text(),
        "prompt_tokens": st.integers(0, 2**40),
        "completion_tokens": st.one_of(*[st.integers(0, 10**12)] * 9, NUMBERS),
        "total_tokens": st.integers(0, 2**40),
        "cost_estimate": NUMBERS,
        "response_time": NUMBERS,
        "success": st.booleans(),
        "error_message": st.none(),
    },
    optional={
        "id": st.text() | st.integers(0, 9),
        "cache": st.text() | st.none(),
        "cache_read_tokens": NUMBERS,
        "session_id": st.text() | st.integers(-(2**70), 2**70),
        "tags": st.dictionaries(st.sampled_from(["team", "x"]), JSON, max_size=2) | JSON,
        "whatever": JSON,
        "dropped": NUMBERS,
    },
)


def dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.data())
@example([record(tags={"team": "a"})], None)
def test_fast_and_tolerant_readers_agree(records: list[dict[str, Any]], data: Any) -> None:
    """Whatever the fast reader accepts, the tolerant one reads into the same table."""
    text = b"".join(dump(r) + b"\n" for r in records)
    assert_same(text, EXTRA)
    if data is not None:
        at = data.draw(st.integers(0, len(text) - 1))
        dirt = data.draw(
            st.sampled_from([b"", b"{", b"}", b'"', b"\n", b"\\", b"NaN", b",", b"\xff"])
        )
        assert_same(text[:at] + dirt + text[at + 1 :].rstrip(b"\n") + b"\n", EXTRA)


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789-:T .+Z,W", max_size=35))
def test_timestamps_that_the_fast_reader_takes_are_the_tolerant_ones(timestamp: str) -> None:
    """Both readers give the same moment to the same text."""
    assert_same(lines(record(timestamp=timestamp)))


def test_numbers_and_texts_as_users_stay_fast() -> None:
    """123 and "ann" in one segment, and what only looks like a user, are read as by the other."""
    nested = {"user_id": 5, "note": '"user_id":7,'}
    lines = [record(user_id=user, tags=nested) for user in (123, "ann", None, -5, 0, "7", 2**62)]
    data = b"".join(orjson.dumps(line) + b"\n" for line in lines)
    reader = CleanReader(("tag.user_id", "tag.note"), UTC)
    for _ in range(2):
        fast = reader.read(memoryview(data))
        assert fast is not None
        slow = read_lines(data, ("tag.user_id", "tag.note"), UTC)
        assert fast.table.to_pylist() == slow.table.to_pylist()
