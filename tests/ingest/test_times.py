from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.ingest.times import parse_moment

MOMENTS = st.datetimes(datetime(2001, 9, 10), datetime(2099, 12, 31), timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-16 18:17:03.9799600", "2023-11-16T18:17:03.979960+00:00"),
        ("2023-11-16T18:17:03Z", "2023-11-16T18:17:03+00:00"),
        ("2023-11-16 18:17:03 UTC", "2023-11-16T18:17:03+00:00"),
        ("2023-11-16T18:17+0530", "2023-11-16T12:47:00+00:00"),
        ("2023-11-16 18:17:03,979", "2023-11-16T18:17:03.979000+00:00"),
        (" 2023-11-16 ", "2023-11-16T00:00:00+00:00"),
    ],
)
def test_iso_forms(text: str, expected: str) -> None:
    """The ISO forms that programs write are read, offsets and long fractions included."""
    assert parse_moment(text, UTC).isoformat() == expected


def test_long_fractions_never_reach_the_next_second() -> None:
    """Digits beyond the microsecond are cut, in ISO times and in Unix times."""
    last = datetime(2025, 8, 13, 15, 53, 26, 999_999, tzinfo=UTC)
    assert parse_moment("2025-08-13 15:53:26.9999999", UTC) == last
    assert parse_moment("1755100406.999999999", UTC) == last


@given(MOMENTS)
def test_unix_units_agree(moment: datetime) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds of a moment are that moment."""
    micro = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_moment(micro, UTC) == moment
    assert parse_moment(micro * 1000, UTC) == moment
    assert parse_moment(f"{micro // 10**6}.{micro % 10**6:06d}", UTC) == moment
    assert parse_moment(micro // 1000, UTC) == moment - timedelta(microseconds=micro % 1000)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_iso_round_trip(moment: datetime, minutes: int) -> None:
    """A moment written in any offset is read as the same moment, in UTC."""
    there = moment.astimezone(timezone(timedelta(minutes=minutes)))
    read = parse_moment(there.isoformat(), ZoneInfo("Asia/Tokyo"))
    assert read == moment
    assert read.tzinfo is UTC


def test_a_float_is_the_number_that_was_written() -> None:
    """A Unix time with a fraction keeps its microseconds through a float."""
    assert parse_moment(1755100406.123457, UTC).microsecond == 123_457


def test_naive_times_are_in_the_zone() -> None:
    """A time without a zone is in the given one; an offset goes over it."""
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_moment("2026-07-01 12:00", berlin).hour == 10
    assert parse_moment("2026-07-01 12:00Z", berlin).hour == 12


@pytest.mark.parametrize(
    "value",
    [
        "20231116181703",
        "20231116",
        20231116,
        "2023-W46-4",
        "٢٠٢٣-11-16",
        "2023-02-30",
        "2023-11-16T18:17:03+99:99",
        "0001-01-01T00:00+05:00",
        "1969-12-31",
        "yesterday",
        "",
        True,
        None,
        12,
        float("nan"),
        float("inf"),
        10**400,
        [1755100406],
    ],
)
def test_what_is_no_moment(value: Any) -> None:
    """Anything else is refused with a reason, compact dates and far years included."""
    with pytest.raises(ValueError, match=r"^timestamp is "):
        parse_moment(value, UTC)
