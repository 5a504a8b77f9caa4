"""The tolerant reader decides what a record is."""

from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import FIELD_LINE, record

from tokenusage.read.lines import Lines, read_lines


def read(*lines: bytes, extra: tuple[str, ...] = ()) -> Lines:
    return read_lines(b"".join(line + b"\n" for line in lines), extra, UTC)


def line(**fields: Any) -> bytes:
    return orjson.dumps(record(**fields))


def test_line_from_the_field_is_read_as_it_is() -> None:
    """A line with spaces and a naive timestamp gives the figures that were logged."""
    row = read(FIELD_LINE).table.to_pylist()[0]
    assert row["timestamp"] == 1_735_209_045_123_456
    assert (row["user_id"], row["model_name"]) == ("123", "gpt-4o-mini")
    assert (row["prompt_tokens"], row["total_tokens"], row["cost_estimate"]) == (
        1250,
        1400,
        0.000285,
    )


def test_naive_timestamp_is_of_the_configured_zone() -> None:
    """A timestamp without an offset is local to the zone that is given."""
    found = read_lines(FIELD_LINE, (), ZoneInfo("Europe/Berlin"))
    assert found.table["timestamp"][0].as_py() == 1_735_205_445_123_456


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"nonsense", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"null", "is not a JSON object"),
        (b"[1]", "is not a JSON object"),
        (b"{}", "has no timestamp"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"a":' + b"[" * 100_000, "is nested too deep"),
        (line(query="\0").replace(b"\\u0000", b"\0"), "is not JSON"),
        (line(query="x").replace(b'"x"', b'"\\ud800"'), "holds half of a surrogate pair"),
        (line(model_name=None), "has no model_name"),
        (line(model_name=7), "has a model_name that is not text"),
        (line(timestamp="yesterday"), "has a timestamp that is not ISO 8601"),
        (line(timestamp="9999-12-31T23:59:59-05:00"), "has a timestamp beyond the calendar"),
        (line(timestamp="0001-01-01T00:00:00+05:00"), "has a timestamp beyond the calendar"),
        (line(prompt_tokens=-1), "has a prompt_tokens that is not from 0 to 1000000000000"),
        (line(prompt_tokens=10**12 + 1), "has a prompt_tokens that is not from 0 to 1000000000000"),
        (line(prompt_tokens=1.5), "has a prompt_tokens that is not a whole number"),
        (line(prompt_tokens=True), "has a prompt_tokens that is not a whole number"),
        (line(prompt_tokens="7"), "has a prompt_tokens that is not a whole number"),
        (line().replace(b"100,", b"1" * 5000 + b",", 1), "has a prompt_tokens that is not a whole"),
        (line(cost_estimate=-0.1), "has a cost_estimate that is not from 0 to 1000000"),
        (line(cost_estimate=2_000_000), "has a cost_estimate that is not from 0 to 1000000"),
        (line().replace(b"0.001", b"NaN"), "has a cost_estimate that is not from 0 to 1000000"),
        (line(cost_estimate="1"), "has a cost_estimate that is not a number"),
        (line(response_time=-1), "has a response_time that is not from 0"),
        (line(success=1), "has a success that is neither true nor false"),
        (line().replace(b'"user_id":1', b'"user_id":1,"user_id":2'), "names user_id twice"),
        (line().replace(b'"user_id":1', b'"user_id":1,"\\u0075ser_id":2'), "names user_id twice"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else None,
)
def test_what_is_no_record_is_rejected_with_its_reason(bad: bytes, reason: str) -> None:
    """A bad line between two good ones is rejected and costs neither."""
    found = read(line(), bad, line())
    assert found.table.num_rows == 2
    assert [number for number, _ in found.rejections] == [2]
    assert found.rejections[0][1].startswith(reason)


def test_odd_values_beside_the_vital_fields_spoil_nothing() -> None:
    """NaN, endless integers and repeated names elsewhere leave the record whole."""
    odd = line()[:-1] + b',"x":NaN,"y":' + b"9" * 5000 + b',"query":"again"}'
    assert read(odd).table.num_rows == 1


def test_literals_that_only_the_fast_reader_knows_spoil_nothing() -> None:
    """Inf and -NaN beside the vital fields are what NaN is; inside of text they are text."""
    odd = line(query="Inf, -NaN")[:-1] + b',"x":Inf,"y":[-NaN,-Infinity]}'
    assert read(odd, extra=("query",)).table["query"].to_pylist() == ["Inf, -NaN"]


def test_counts_may_be_written_as_floats() -> None:
    """5.0 items are 5, and what is beyond 64 bits or no number is none."""
    odd = [line(items=5.0), line(items=1e300), line(items="x"), line(items=[5])]
    assert read(*odd, extra=("items",)).table["items"].to_pylist() == [5, None, None, None]


def test_identifiers_beyond_64_bits_keep_every_digit() -> None:
    """Two long numbers as id are two records, not the double that is nearest to both."""
    ids = [2**65, 2**65 + 1]
    found = read(*(line(id="x").replace(b'"x"', b"%d" % number) for number in ids))
    assert found.table["id"].to_pylist() == [str(number) for number in ids]


def test_users_are_compared_as_text() -> None:
    """123 and "123" are one user; integers beyond 64 bits keep every digit."""
    found = read(
        line(user_id=123), line(user_id="123"), line().replace(b":1,", b":%d," % 10**30, 1)
    )
    assert found.table["user_id"].to_pylist() == ["123", "123", str(10**30)]


def test_line_glued_to_a_torn_one_is_salvaged() -> None:
    """The whole record behind a torn piece counts, and the piece is rejected."""
    found = read(line(query="cut here")[:60] + line(user_id=2))
    assert found.table["user_id"].to_pylist() == ["2"]
    assert (found.lines, found.salvaged, len(found.rejections)) == (1, 1, 1)


def test_record_behind_several_torn_pieces_and_nuls_is_salvaged() -> None:
    """What a crash left before a record does not cost the record."""
    glued = b"\0" * 100 + line()[:50] + line()[:90] + line(user_id=3)
    assert read(glued).table["user_id"].to_pylist() == ["3"]


def test_salvage_of_a_hostile_line_ends_in_time() -> None:
    """A line of nothing but beginnings of records is given up after a bounded search."""
    assert read(b'{"timestamp":' * 200_000).table.num_rows == 0


def test_blank_lines_are_counted_as_blank() -> None:
    """Empty lines and lines of white space are neither records nor rejected."""
    found = read(b"", b" \t\r", line() + b"\r")
    assert (found.lines, found.blank, found.table.num_rows) == (3, 2, 1)


def test_line_separators_of_unicode_do_not_split_a_line() -> None:
    """U+2028 inside a query is text, not the end of the line."""
    assert read(line(query="a\u2028b\x85c"), line()).table.num_rows == 2


def test_extra_fields_are_text_or_counts() -> None:
    """Fields that are asked for come as text, whatever they are, and counts as integers."""
    extra = ("items", "session_id", "tag.team", "whatever")
    tagged = line(items=3, session_id=5, tags={"team": True}, whatever={"a": [1, None]})
    row = read(tagged, extra=extra).table.to_pylist()[0]
    assert [row[name] for name in extra] == [3, "5", "true", '{"a":[1,null]}']


@given(st.binary(max_size=300))
def test_no_bytes_raise_or_get_lost(data: bytes) -> None:
    """Whatever stands between two records, both count and every line is accounted for."""
    found = read_lines(line() + b"\n" + data + b"\n" + line() + b"\n", (), UTC)
    assert found.table.num_rows >= 2
    accounted = found.blank + len(found.rejections) + found.table.num_rows
    assert accounted == found.lines + found.salvaged == data.count(b"\n") + 3 + found.salvaged


@given(st.integers(min_value=0))
def test_file_cut_anywhere_never_counts_more(cut: int) -> None:
    """A prefix of a log holds only records that the log holds."""
    data = b"".join(line(user_id=user, query="naïve \u2028 {") + b"\n" for user in range(3))
    users = read_lines(data[: cut % (len(data) + 1)], (), UTC).table["user_id"].to_pylist()
    assert users == ["0", "1", "2"][: len(users)]
    assert len(users) >= data[: cut % (len(data) + 1)].count(b"\n")


@pytest.mark.parametrize("value", [b"-Inf", b"Inf", b"-NaN", b"Infinity", b"NaN"])
@pytest.mark.parametrize("name", [b"session_id", b"other"])
def test_what_is_no_number_is_read_in_every_spelling(name: bytes, value: bytes) -> None:
    """Beside an escaped key, a key that stands twice, or in an identifier: no traceback."""
    whole = orjson.dumps(record())
    for more in (b"", b',"\\u0061":1', b',"user_id":2'):
        line = whole[:-1] + b',"' + name + b'":' + value + more + b"}"
        found = read_lines(line, (), UTC)
        assert len(found.table) + len(found.rejections) == 1
