"""Lines of log files as hypothesis draws them: sound ones, odd ones, and no records at all."""

import json
from datetime import UTC
from typing import Any

import orjson
from hypothesis import strategies as st
from support import FIELD_LINE, record

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
TEXT = st.text() | st.text('"\\/\x00\x1f\x7f\u2028\u202e\ud800\U0001f600é\b\n', max_size=6)
SOUND = TEXT.filter(lambda text: "\ud800" not in text)
COST = st.floats(0, 10**6) | st.integers(0, 10**6) | st.none()
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(lambda m: m.isoformat(timespec="microseconds"))
NAMES = ("id", "session_id", "cache", "items", "dropped", "tags", "usage", "truncated", "zz", "a/b")
RECORDS = st.fixed_dictionaries(
    {
        "timestamp": MOMENTS
        | st.sampled_from(["2026-11-20", "2026-11-20T10:00Z", "20261120", "x"]),
        "user_id": st.one_of(st.just(1), st.just(1), st.integers(), TEXT, JSON),
        "operation_type": TEXT,
        "query": TEXT | st.none(),
        "model_name": TEXT,
        "prompt_tokens": st.integers(0, 10**12),
        "completion_tokens": st.one_of(st.just(5), st.integers(-1, 10**13), st.floats()),
        "total_tokens": st.integers(0, 10**12),
        "cost_estimate": COST | st.floats(),
        "response_time": COST,
        "success": st.booleans(),
        "error_message": TEXT | st.none(),
    },
    optional={name: st.one_of(TEXT, st.integers(0, 9), JSON) for name in NAMES},
)


def dumped(fields: dict[str, Any], how: str) -> bytes:
    if how == "orjson":
        try:
            return orjson.dumps(fields)
        except TypeError:
            pass  # what orjson does not write, json does
    separators = (", ", ": ") if how == "blanks" else (",", ":")
    text = json.dumps(fields, ensure_ascii=how == "ascii", separators=separators)
    return text.encode("utf-8", "surrogatepass")


def in_order(fields: dict[str, Any], names: list[str], how: str) -> bytes:
    return dumped({name: fields[name] for name in names if name in fields}, how)


WAYS = st.sampled_from(["orjson", "orjson", "blanks", "ascii", "raw"])
ORDERS = st.permutations([*record(), *NAMES])
ODD = st.sampled_from([b"", b" ", b"\r", b"null", b"{}", b"\xff", b"\xef\xbb\xbf{}", FIELD_LINE])
PLAIN = st.builds(dumped, RECORDS, WAYS)
LINES = st.one_of(PLAIN, PLAIN, PLAIN, st.builds(in_order, RECORDS, ORDERS, WAYS), ODD)
