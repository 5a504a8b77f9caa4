from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.analyse.buckets import bucket_of, bucket_start, buckets

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"]
)
DIMENSIONS = st.sampled_from(["hour", "day", "week", "month", "year"])


def test_a_span_holds_every_bucket_that_it_touches() -> None:
    """The end is outside, so a month ends with its last day."""
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    days = buckets(start, end, "day", UTC)
    assert (days[0], days[-1], len(days)) == ("2026-10-01", "2026-10-31", 31)
    assert buckets(start, end, "week", UTC) == [f"2026-W{week}" for week in range(40, 45)]
    assert buckets(start, end, "month", UTC) == ["2026-10"]
    assert buckets(start, end, "year", UTC) == ["2026"]


@pytest.mark.parametrize(("day", "hours"), [(28, 23), (29, 24)])
def test_a_day_has_as_many_hours_as_its_clock_shows(day: int, hours: int) -> None:
    """One less where summer time begins."""
    start = datetime(2027, 3, day, tzinfo=BERLIN)
    end = datetime(2027, 3, day + 1, tzinfo=BERLIN)
    assert len(buckets(start, end, "hour", BERLIN)) == hours


@given(st.datetimes(datetime(1971, 1, 1), datetime(2198, 1, 1)), DIMENSIONS, ZONES, st.data())
def test_every_moment_of_a_span_lies_in_one_of_its_buckets(
    moment: datetime, dimension: str, zone_name: str, data: st.DataObject
) -> None:
    """In any zone; and no bucket begins after a moment that lies in it."""
    zone = ZoneInfo(zone_name)
    start = moment.replace(tzinfo=UTC)
    length = data.draw(st.timedeltas(timedelta(microseconds=1), timedelta(days=4)))
    inside = start + length * data.draw(st.floats(0, 0.999))
    key = bucket_of(inside.astimezone(zone), dimension)
    assert key in buckets(start, start + length, dimension, zone)
    assert bucket_start(key, dimension, zone) <= inside.astimezone(zone)


@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), ZONES, st.integers(1, 200))
def test_hours_are_those_that_a_walk_in_utc_passes(
    moment: datetime, zone_name: str, quarters: int
) -> None:
    """Also where clocks change by half an hour, at midnight, or not at all."""
    zone, start = ZoneInfo(zone_name), moment.replace(tzinfo=UTC)
    end = start + quarters * timedelta(minutes=15)
    walk = [start + n * timedelta(minutes=5) for n in range(3 * quarters)]
    passed = dict.fromkeys(bucket_of(time.astimezone(zone), "hour") for time in walk)
    hours = buckets(start, end, "hour", zone)
    assert [hour for hour in hours if hour in passed] == list(passed)
    assert len(set(hours)) == len(hours) <= len(passed) + 1


@pytest.mark.parametrize("zone_name", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_many_years_have_the_hours_that_they_have_in_utc(zone_name: str) -> None:
    """What one night misses another one has twice; half a zone's hour touches one more."""
    start, end = datetime(1999, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)
    hours = buckets(start, end, "hour", ZoneInfo(zone_name))
    assert len(hours) == (end - start) // timedelta(hours=1) + (zone_name == "Asia/Kolkata")
