"""Bytes that nobody foresaw, for a bounded time; fault 17."""

import os
import random
import time
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Final

import orjson
from support import FIELD_LINE, record
from torture.sizes import Sizes

from tokenusage.read.clean import CleanReader
from tokenusage.read.lines import Lines, read_lines, schema

EXTRA: Final = ("session_id", "cache_read_tokens", "tag.team", "whatever", "a/b")

CORPUS: Final = [
    FIELD_LINE,
    orjson.dumps(record()),
    orjson.dumps(record(id="0" * 24, user_id="ann", cost_estimate=None, provider="openai")),
    orjson.dumps(record(tags={"team": "a", "n": 1}, session_id="s", cache_read_tokens=7)),
    orjson.dumps(record(cache="session", dropped=3, usage_source="estimated", response_time=None)),
    orjson.dumps(record(query='naïve \u2028 \\ " {}[] 😀', error_message="x\ty", success=False)),
    orjson.dumps(record(whatever={"a": [1, {"b": None}]}, usage={"web_searches": 2}, items=2)),
]

TOKENS: Final = [
    *(b"{", b"}", b"[", b"]", b'"', b":", b",", b"\\", b"\n", b"\r", b" ", b"\0", b"\x85", b"-"),
    *(b"null", b"true", b"NaN", b"-Inf", b"Infinity", b"1e999", b"1E2", b"0.1", b"-0", b"01"),
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\xf0\x9f\x98"),
    *(b"\\u0000", b"\\ud800", b"\\udc00", b"\\u0074", b"\\/", b"\\x", b"}{", b"}\n{", b'"":'),
    *(b'{"timestamp":', b'"timestamp":1,', b'"success":true,', b'"total_tokens":1,', b'"id":[],'),
    *(
        b"9" * 20,
        b"9" * 5000,
        b"[" * 2000,
        b'{"a":' * 2000,
        b"1000000000001",
        b"9223372036854775808",
    ),
    *(b"0001-01-01T00:00:00", b"9999-12-31T23:59:59-14:00", b"2026-W47-5", b"20261120", b"24:00"),
]

VALUES: Final = [
    *(b"null", b"true", b"false", b"{}", b"[]", b'""', b'"a"', b'"1"', b"0", b"-0", b"-1", b"5.0"),
    *(b"0.1", b"1e2", b"1e-400", b"1e400", b"NaN", b"-Inf", b"1000000000000", b"1000000000001"),
    *(b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"-9" + b"9" * 30),
    *(b"9" * 5000, b"[" * 950 + b"]" * 950, b'"\\u0000"', b'"\\ud800"', b'"\\ud83d\\ude00"'),
    *(b'"2026-11-20"', b'"2026-11-20T24:00:00Z"', b'"2026-11-20 10:00:00.1234567+01:00"', b'"x"'),
    *(b'"0001-01-01T00:00:00+05:00"', b'"9999-12-31T23:59:60Z"', b'"2026-W47-5"', b'{"team":5}'),
    *(b'{"team":"a","team":"b"}', b'{"team":[1]}', b'["\xff"]', b'{"a":{"timestamp":1}}', b"01"),
]


def test_any_bytes_are_read_alike_and_accounted_for(
    tmp_path: Path, sizes: Sizes, tell: Callable[[str], None]
) -> None:
    """No mutation of real lines raises, gets lost, or is read in two ways."""
    # As with hypothesis: in CI a red run is about the change, at a desk it goes on looking.
    chance = random.Random("ci" if os.environ.get("CI") else None)
    readers = {extra: CleanReader(extra, UTC) for extra in ((), EXTRA)}
    segments = clean = 0
    end = time.monotonic() + sizes.fuzzing_seconds
    while time.monotonic() < end:
        data = _segment(chance)
        # What kills the process itself is found here.
        (tmp_path / "segment").write_bytes(data)
        extra = chance.choice(((), EXTRA))
        slow = read_lines(data, extra, UTC)
        _check_account(slow, data)
        fast = readers[extra].read(memoryview(data))
        segments += 1
        if fast is not None:
            clean += 1
            assert not slow.rejections, data
            assert fast.lines == slow.lines, data
            columns = fast.table.cast(schema(extra)).combine_chunks()
            assert columns.equals(slow.table.combine_chunks()), data
    assert clean > segments / 50
    tell(f"fuzzing: {segments:,} segments, {clean:,} of them read by the fast reader too")


def _check_account(found: Lines, data: bytes) -> None:
    accounted = found.blank + len(found.rejections) + found.table.num_rows
    assert accounted == found.lines + found.salvaged, data
    assert found.lines == data.count(b"\n"), data
    assert found.table.num_rows >= 1, data


def _segment(chance: random.Random) -> bytes:
    """Return some lines of which all but the last may be anything."""
    kinds = chance.choice(((_mutated,), (_odd,), (_mutated, _odd)))
    lines = [chance.choice(kinds)(chance) for _ in range(chance.randrange(1, 3))]
    return b"\n".join([*lines, chance.choice(CORPUS), b""])


def _mutated(chance: random.Random) -> bytes:
    """Return a real line with up to two mutations."""
    line = chance.choice(CORPUS)
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(line) + 1)
        to = min(len(line), at + chance.choice((0, 0, 1, 1, 4, 30)))
        match chance.randrange(5):
            case 0:
                middle = b""
            case 1:
                middle = chance.randbytes(chance.randrange(1, 4))
            case 2:
                middle = line[at:to] * 2
            case 3:
                other = chance.choice(CORPUS)
                middle = other[chance.randrange(len(other)) :]
            case _:
                middle = chance.choice(TOKENS)
        line = line[:at] + middle + line[to:]
    return line


def _odd(chance: random.Random) -> bytes:
    """Return a line in which one field has any value, which may be no JSON at all."""
    fields = orjson.loads(chance.choice(CORPUS))
    name = chance.choice([*fields, *EXTRA, "cache", "dropped", "tags"])
    return orjson.dumps(fields | {name: orjson.Fragment(chance.choice(VALUES))})
