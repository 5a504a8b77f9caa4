"""Whatever the clock says, a record stands in the file of its own UTC date; fault 15."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from writing import LinearPricer, records, run_python

from tokenusage.logs import day_of
from tokenusage.write.tracker import Tracker

MIDNIGHT = datetime(2024, 2, 29, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=OFFSETS | st.timezones()
) | st.integers(-3, 3).map(lambda us: MIDNIGHT + timedelta(microseconds=us))
"""Any zone, hours that a change of clocks skips or repeats, microseconds around midnight."""


@given(st.lists(MOMENTS, min_size=1, max_size=8))
@example([MIDNIGHT, MIDNIGHT + timedelta(days=4000), MIDNIGHT - timedelta(days=1)])
@example([datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1, 0)])
def test_every_record_is_in_the_file_of_its_own_date(
    tmp_path_factory: pytest.TempPathFactory, moments: list[datetime]
) -> None:
    """However the clock jumps and the zone changes, no record is lost, moved or changed."""
    logs = tmp_path_factory.mktemp("clocks")
    clock = iter(moments)
    with Tracker(logs, pricer=LinearPricer(), clock=lambda: next(clock)) as tracker:
        for _ in moments:
            assert tracker.record(model_name="m", operation_type="x")

    found = []
    for path in logs.iterdir():
        for line in path.read_bytes().splitlines():
            moment = datetime.fromisoformat(orjson.loads(line)["timestamp"])
            assert (moment.utcoffset(), moment.date()) == (timedelta(0), day_of(path.name))
            found.append(moment)
    assert sorted(found) == sorted(moment.astimezone(UTC) for moment in moments)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_zone_of_the_process_decides_nothing(logs: Path, zone: str) -> None:
    """On either side of the date line the file is that of the UTC date."""
    before = datetime.now(UTC).date()
    code = """
        import sys
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        Tracker(sys.argv[1], pricer=LinearPricer()).record(model_name="m", operation_type="x")
    """
    run_python(code, logs, prefix=("env", f"TZ={zone}"))

    [path] = logs.iterdir()
    [record] = records(logs)
    day = date.fromisoformat(record["timestamp"][:10])
    assert before <= day <= datetime.now(UTC).date()
    assert (day_of(path.name), record["timestamp"][-6:]) == (day, "+00:00")
