"""Finding a record by its id."""

import json
from datetime import UTC, date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealing import DAY, seal_day
from support import record, write_day

from tokenusage.keep.lookup import Found, look_up
from tokenusage.read.forms import Plan


def found(logs: Path, id_: str) -> Found | None:
    return look_up(logs, Plan(None, None, (), UTC, date(2026, 11, 22)), id_)


def test_a_record_is_found_with_its_place(tmp_path: Path) -> None:
    """File and line, and every field that it has, unknown ones too."""
    whole = record(id="b", tags={"team": "x"}, unknown=[1])
    write_day(tmp_path, str(DAY), [record(id="a"), b"oops", whole, record(id="c")])
    assert found(tmp_path, "b") == Found(f"token_usage_{DAY}.jsonl", 3, whole)


def test_only_the_id_itself_counts(tmp_path: Path) -> None:
    """Its text may stand in another field, or in a longer id."""
    write_day(tmp_path, str(DAY), [record(query="b", session_id="b", id="bb")])
    assert found(tmp_path, "b") is None


def test_of_one_day_the_first_counts_and_of_days_the_newest(tmp_path: Path) -> None:
    """As in reports, where an id is unique within a day."""
    write_day(tmp_path, "2026-11-19", [record("2026-11-19T12:00:00Z", id="a")])
    write_day(tmp_path, str(DAY), [record(id="x"), record(id="a"), record(id="a", user_id=7)])
    one = found(tmp_path, "a")
    assert one is not None
    assert (one.file, one.line, one.record["user_id"]) == (f"token_usage_{DAY}.jsonl", 2, 1)


def test_a_number_is_found_by_its_digits(tmp_path: Path) -> None:
    """Some applications count their calls."""
    write_day(tmp_path, str(DAY), [record(id=12), record(id=123)])
    one = found(tmp_path, "12")
    assert one is not None
    assert one.record["id"] == 12


@pytest.mark.parametrize("id_", ["id-2", 'of "us"'])
def test_a_sealed_record_is_found(tmp_path: Path, id_: str) -> None:
    """As it was logged; a sealed file has no lines to count."""
    wanted = record(id=id_, unknown={"a": None})
    write_day(tmp_path, str(DAY), [record(id="id-1"), wanted])
    seal_day(tmp_path)
    assert found(tmp_path, id_) == Found(f"token_usage_{DAY}.parquet", None, wanted)
    assert found(tmp_path, "id-3") is None


def test_slashes_may_be_escaped(tmp_path: Path) -> None:
    """As PHP writes them."""
    write_day(tmp_path, str(DAY), [json.dumps(record(id="a/é/c")).replace("/", "\\/").encode()])
    assert found(tmp_path, "a/é/c") is not None


def test_an_empty_id_ends_the_search(tmp_path: Path) -> None:
    """It stands at every place of a file, also behind its last line."""
    write_day(tmp_path, str(DAY), [record(id="a")])
    assert found(tmp_path, "") is None


@given(st.text().filter(lambda text: text.isprintable()))
def test_any_text_is_found_however_it_is_written(
    tmp_path_factory: pytest.TempPathFactory, id_: str
) -> None:
    """Both as UTF-8 and with escapes."""
    logs = tmp_path_factory.mktemp("logs")
    write_day(logs, str(DAY), [json.dumps(record(id=id_)).encode()])
    assert found(logs, id_) is not None
