from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from summaries import NOW

from tokenusage.analyse.summary.spans import Slots, moment_of, spans, split_days

BERLIN = ZoneInfo("Europe/Berlin")


def before(name: str, now: datetime, tz: str = "UTC") -> tuple[str, str]:
    """Return the bounds of what a period is compared with, as UTC."""
    span = next(span for span in spans(now, tz) if span.name == name)
    assert span.before
    assert span.before.start
    assert span.before.end
    start, end = (bound.astimezone(UTC) for bound in (span.before.start, span.before.end))
    return f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("name", "bounds"),
    [
        ("last_hour", ("11-22 07:30", "11-22 08:30")),
        ("last_24_hours", ("11-20 09:30", "11-21 09:30")),
        ("today", ("11-21 00:00", "11-21 09:30")),
        ("this_month", ("10-01 00:00", "10-22 09:30")),
    ],
)
def test_a_period_is_compared_with_as_much_before_it(name: str, bounds: tuple[str, str]) -> None:
    """Hours with the hours before, days and months up to this time."""
    assert before(name, NOW) == bounds


@pytest.mark.parametrize("day", [29, 30, 31])
def test_a_month_without_this_day_is_compared_whole(day: int) -> None:
    """At the end of March all of February is what came before."""
    now = datetime(2026, 3, day, 12, tzinfo=UTC)
    assert before("this_month", now) == ("02-01 00:00", "03-01 00:00")


def test_this_time_of_day_is_the_one_on_the_wall() -> None:
    """The day after clocks changed, yesterday at nine was nine on its own clocks."""
    now = datetime(2026, 3, 29, 9, tzinfo=BERLIN)
    assert before("today", now, "Europe/Berlin") == ("03-27 23:00", "03-28 08:00")


def test_the_days_that_bounds_divide_are_read_by_record() -> None:
    """Midnight divides no day; another zone's midnights do."""
    days = split_days(spans(NOW, "UTC"), NOW)
    assert {day for day in days if day < date(2026, 11, 20)} == {date(2026, 10, 22)}
    berlin = split_days(spans(NOW, "Europe/Berlin"), NOW)
    assert {date(2026, 9, 30), date(2026, 10, 31)} <= berlin


def test_a_period_is_the_slots_of_its_moments() -> None:
    """Half-open: its first moment is in it, its end is not."""
    parts = spans(NOW, "Europe/Berlin")
    slots = Slots(parts)
    for part in parts[:-1]:
        assert part.period.start
        assert part.period.end
        start, end = moment_of(part.period.start), moment_of(part.period.end)
        found = slots.of(np.array([start - 1, start, end - 1, end]))
        assert [slot in slots.reach(part.period) for slot in found] == [False, True, True, False]
