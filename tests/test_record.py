import orjson
from support import record

from tokenusage.record import (
    BASE_FIELDS,
    FIELDS,
    LINE_START,
    OPTIONAL_FIELDS,
    CallFields,
    OptionalFields,
    encode,
)


def test_a_line_is_one_object_with_its_newline_and_the_timestamp_first() -> None:
    """Readers find whole lines, and salvage glued ones, by exactly this form."""
    line = encode(record(query="two\nlines, one \u2028 more"))

    assert line.startswith(LINE_START)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert orjson.loads(line) == record(query="two\nlines, one \u2028 more")


def test_the_types_name_every_field_that_an_application_can_give() -> None:
    """Names for the type checker and names for the program are the same ones."""
    own = {"dropped", "truncated"}

    assert set(OptionalFields.__annotations__) == set(OPTIONAL_FIELDS) - own
    assert set(CallFields.__annotations__) == set(FIELDS) - own - {"timestamp"}
    assert len(set(FIELDS)) == len(FIELDS)
    assert BASE_FIELDS[0] == "timestamp"
