from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.analyse.period import find_zone, local_zone, make_period
from tokenusage.errors import WrongUseError

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)


def test_the_default_is_the_last_seven_days_with_today() -> None:
    """Seven calendar days, from midnight to the midnight that ends today."""
    period = make_period(now=NOW)
    assert period.start == datetime(2026, 11, 16, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 23, tzinfo=UTC)
    assert (period.label, period.zone_name) == ("last 7 days", "UTC")


def test_today_is_the_day_of_the_zone() -> None:
    """At 23:30 UTC it is already tomorrow in Tokyo."""
    period = make_period(now=NOW, days=1, tz="Asia/Tokyo")
    assert period.start == datetime(2026, 11, 22, 15, tzinfo=UTC)
    assert period.label == "today"


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_lasts_from_midnight_to_midnight(day: str, hours: int) -> None:
    """Where clocks change, a day has 23 or 25 hours."""
    period = make_period(now=NOW, since=day, until=day, tz="Europe/Berlin")
    assert period.start is not None
    assert period.end is not None
    assert period.end.astimezone(UTC) - period.start.astimezone(UTC) == timedelta(hours=hours)


def test_a_midnight_that_does_not_exist_is_the_first_moment_of_the_day() -> None:
    """Where clocks jump from 0:00 to 1:00, the day begins at the jump."""
    period = make_period(now=NOW, since="2018-11-04", tz="America/Sao_Paulo")
    assert period.start is not None
    assert period.start.astimezone(UTC) == datetime(2018, 11, 4, 3, tzinfo=UTC)


def test_hours_are_counted_back_from_now() -> None:
    """An hour is an hour also across a change of clocks."""
    now = datetime(2026, 10, 25, 3, tzinfo=UTC)
    period = make_period(now=now, hours=4, tz="Europe/Berlin")
    assert period.start is not None
    assert period.start.astimezone(UTC) == now - timedelta(hours=4)
    assert period.end == now


@pytest.mark.parametrize(
    ("month", "end"),
    [("2026-11", (2026, 12, 1)), ("2026-12", (2027, 1, 1)), ("2024-02", (2024, 3, 1))],
)
def test_a_month_ends_where_the_next_begins(month: str, end: tuple[int, int, int]) -> None:
    """A month is a calendar month, half-open."""
    period = make_period(now=NOW, month=month)
    assert period.end == datetime(*end, tzinfo=UTC)
    assert period.label == month


def test_since_without_until_has_no_end() -> None:
    """Records of a clock that is ahead count too."""
    period = make_period(now=NOW, since="2024-12-26")
    assert (period.start, period.end) == (datetime(2024, 12, 26, tzinfo=UTC), None)


def test_until_is_inclusive() -> None:
    """The last day belongs to the period as a whole."""
    period = make_period(now=NOW, until="2024-12-26")
    assert (period.start, period.end) == (None, datetime(2024, 12, 27, tzinfo=UTC))


def test_all_is_without_bounds() -> None:
    """``--all`` has neither start nor end."""
    period = make_period(now=NOW, everything=True)
    assert (period.start, period.end, period.label) == (None, None, "all time")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"days": 3, "month": "2026-10"}, "--days and --month name different periods"),
        ({"hours": 3, "until": "2026-10-01"}, "--hours and --since/--until"),
        ({"days": 7, "everything": True}, "--days and --all"),
        ({"days": 0}, "--days must be 1 or more, not 0"),
        ({"days": 10**30}, "reaches back before 1970: use --all"),
        ({"hours": -1}, "--hours must be 1 or more"),
        ({"hours": 10**30}, "reaches back before 1970"),
        ({"since": "2026-11-02", "until": "2026-11-01"}, "--since 2026-11-02 is after --until"),
        ({"month": "2026-13"}, "a month such as 2026-11"),
        ({"month": "202611"}, "a month such as 2026-11"),
        ({"tz": "Europe/Berlim"}, r"Did you mean Europe/Berlin\?"),
        ({"tz": "../../etc/passwd"}, "no time zone"),
        ({"tz": "Europe"}, "no time zone"),
        ({"tz": ""}, "no time zone"),
    ],
)
def test_a_wrong_period_is_refused_in_a_sentence(options: dict[str, Any], sentence: str) -> None:
    """What is wrong is named, with what would be right."""
    with pytest.raises(WrongUseError, match=sentence):
        make_period(now=NOW, **options)


@pytest.mark.parametrize(
    "text",
    [
        "20250101",
        "2025-W01-1",
        "\u0662\u0660\u0662\u0665-01-01",
        "2025-1-1",
        "2025-02-30",
        "0001-01-01",
        "9999-12-31",
        "../../x",
    ],
)
def test_only_canonical_dates_are_dates(text: str) -> None:
    """One way to write a date, in ASCII digits."""
    with pytest.raises(WrongUseError, match="must be a date such as"):
        make_period(now=NOW, since=text)


@given(
    days=st.integers(1, 400),
    now=st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)),
    tz=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]),
)
def test_neighbouring_periods_meet(days: int, now: datetime, tz: str) -> None:
    """Day after day, a period ends where the next begins, and holds the present."""
    present = now.replace(tzinfo=UTC)
    today = make_period(now=present, days=1, tz=tz)
    week = make_period(now=present, days=days, tz=tz)
    assert today.start is not None
    assert today.end is not None
    assert week.start is not None
    assert week.end == today.end
    assert today.start <= present < today.end
    before = (today.start - timedelta(days=1)).date().isoformat()
    yesterday = make_period(now=present, since=before, until=before, tz=tz)
    assert yesterday.end == today.start


def test_the_local_zone_has_its_iana_name(tmp_path: Path) -> None:
    """The link into the zone database says which zone the machine keeps; TZ comes first."""
    database = tmp_path / "zoneinfo" / "Europe"
    database.mkdir(parents=True)
    (database / "Vienna").touch()
    link = tmp_path / "localtime"
    link.symlink_to(database / "Vienna")
    assert local_zone(None, link) == (ZoneInfo("Europe/Vienna"), "Europe/Vienna")
    assert local_zone(":Asia/Tokyo", link)[1] == "Asia/Tokyo"
    assert local_zone(None, tmp_path / "nothing")[1] == "UTC"
    with pytest.raises(WrongUseError, match="no IANA name"):
        local_zone("CET-1CEST", link)


def test_local_is_a_zone_of_this_machine() -> None:
    """``--tz local`` prints under the name of the zone."""
    zone, name = find_zone("local")
    assert zone == ZoneInfo(name)
