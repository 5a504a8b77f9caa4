"""`tokenusage.load`: the logs as a DataFrame."""

from datetime import UTC, datetime
from pathlib import Path

import orjson
import pandas as pd
import pytest
from support import FIELD_LINE, record, write_day

import tokenusage
from tokenusage.errors import LogsError, WrongUseError
from tokenusage.record import FIELDS


def test_line_from_the_field_becomes_a_row(tmp_path: Path) -> None:
    """Every field that was logged stands in its column, with a dtype that fits it."""
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    frame = tokenusage.load(tmp_path, since="2024-12-01", user_id=123)
    assert tuple(frame.columns) == FIELDS
    row = frame.iloc[0]
    assert row["timestamp"] == datetime(2024, 12, 26, 10, 30, 45, 123456, tzinfo=UTC)
    assert (row["user_id"], row["query"]) == ("123", "What is the meaning of life?")
    assert (row["cost_estimate"], row["response_time"], row["success"]) == (0.000285, 2.34, True)


def test_missing_is_missing_and_never_zero(tmp_path: Path) -> None:
    """Unknown costs, counts and texts are <NA>, and integers stay integers beside them."""
    calls = [record(cost_estimate=None, items=3), record(error_message="boom", success=False)]
    write_day(tmp_path, "2026-11-20", calls)
    frame = tokenusage.load(tmp_path, since="2026-11-20", until="2026-11-20")
    assert frame["cost_estimate"].isna().tolist() == [True, False]
    assert frame["items"].tolist() == [3, pd.NA]
    assert frame["error_message"].tolist() == [pd.NA, "boom"]
    assert str(frame["prompt_tokens"].dtype) == "Int64"
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert frame["user_id"].dtype == "category"


def test_objects_come_as_objects(tmp_path: Path) -> None:
    """Tags and other nested fields are dicts and lists as they were logged."""
    tags = {"team": "a", "n": 1, "ok": True, "x": 0.5}
    write_day(tmp_path, "2026-11-20", [record(tags=tags, truncated=["query"]), record()])
    frame = tokenusage.load(tmp_path, since="2026-11-20")
    assert frame["tags"].tolist() == [tags, None]
    assert frame["truncated"].tolist() == [["query"], None]


def test_odd_objects_are_none(tmp_path: Path) -> None:
    """What should be an object and is not costs only itself."""
    odd = [record(tags="x", usage="", truncated="query"), record(tags={"a": "b"})]
    write_day(tmp_path, "2026-11-20", [*odd, orjson.dumps(record())[:-1] + b',"tags":{"a":NaN}}'])
    frame = tokenusage.load(tmp_path, since="2026-11-20")
    assert frame["tags"].tolist()[:2] == [None, {"a": "b"}]
    assert list(frame["tags"][2]) == ["a"]
    assert frame["truncated"].isna().all()


def test_account_is_that_of_the_report(tmp_path: Path) -> None:
    """What was dropped and what was estimated is counted here too."""
    write_day(tmp_path, "2026-11-20", [record(dropped=3, usage_source="estimated")])
    ledger = tokenusage.load(tmp_path, since="2026-11-20").attrs["ledger"]
    assert (ledger["dropped"], ledger["estimated"]) == (3, 1)


def test_filters_are_those_of_the_report(tmp_path: Path) -> None:
    """Users compare as text, models take globs, and what is left out is in the account."""
    calls = [record(user_id="7", id="a"), record(user_id=7, id="a"), record(user_id=8)]
    write_day(tmp_path, "2026-11-20", [*calls, b"bad"])
    frame = tokenusage.load(tmp_path, since="2026-11-20", user_id=7, model_name="gpt-*")
    ledger = frame.attrs["ledger"]
    assert len(frame) == 1
    assert [ledger[name] for name in ("records", "filtered", "duplicates", "rejected")] == [1] * 4


def test_days_count_back_from_today(tmp_path: Path) -> None:
    """Without dates it is the last so many calendar days in UTC."""
    now = datetime.now(UTC)
    write_day(tmp_path, f"{now:%Y-%m-%d}", [record(now.isoformat())])
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    assert len(tokenusage.load(tmp_path)) == len(tokenusage.load(tmp_path, days=1)) == 1


def test_naive_times_are_of_the_zone_that_is_given(tmp_path: Path) -> None:
    """A timestamp without an offset is read as local to it."""
    write_day(tmp_path, "2024-12-26", [FIELD_LINE])
    frame = tokenusage.load(tmp_path, since="2024-12-26", naive_timezone="Europe/Berlin")
    assert frame["timestamp"][0].hour == 9


def test_mistakes_are_told(tmp_path: Path) -> None:
    """A missing directory, a bad date and a bad number of days are errors of their own."""
    with pytest.raises(LogsError):
        tokenusage.load(tmp_path / "missing")
    with pytest.raises(WrongUseError):
        tokenusage.load(tmp_path, since="20250101")
    with pytest.raises(WrongUseError):
        tokenusage.load(tmp_path, days=0)


def test_empty_period_is_an_empty_frame_with_every_column(tmp_path: Path) -> None:
    """No calls are no rows, of the same dtypes."""
    frame = tokenusage.load(tmp_path)
    assert (len(frame), tuple(frame.columns)) == (0, FIELDS)
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
