"""Records that stand in the wrong day's file, and come to their own."""

import tempfile
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from doctoring import (
    DAY,
    OTHER,
    STRAY,
    fix,
    found,
    lines,
    path_of,
    tidy,
    with_stray,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from keeping import ago, totals, turn
from support import record, write_day
from writing import python

from tokenusage.keep.doctor.moves import Moves
from tokenusage.keep.doctor.repeats import Repeats
from tokenusage.logs import list_logs
from tokenusage.read.segments import ListingChangedError
from tokenusage.write.appender import Appender


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with a record in the wrong day's file, and nothing else wrong."""
    return with_stray(tmp_path / "logs")


def figures_of(logs: Path) -> dict[str, Any]:
    """Return what a report says, but for how many lines there are and how many of them repeat."""
    found = totals(logs)
    for key in ("lines", "duplicates"):
        found["ledger"].pop(key)
    return found


def test_record_is_moved_byte_for_byte(logs: Path) -> None:
    """The figures are the same before and after, and its old file is what is left of it."""
    before, figures = path_of(logs, DAY).read_bytes(), totals(logs)
    mended = fix(logs)
    line = orjson.dumps(STRAY) + b"\n"
    assert path_of(logs, OTHER).read_bytes() == line
    assert path_of(logs, DAY).read_bytes() == before.replace(line, b"")
    assert f"Records moved from token_usage_{DAY}.jsonl to their own days: 1" in mended.done
    assert totals(logs) == figures


def test_record_behind_a_torn_piece_is_moved(logs: Path) -> None:
    """The piece stays, as the rejected line that it always was."""
    write_day(logs, str(DAY), [*lines(DAY), b'{"torn' + orjson.dumps(STRAY)])
    figures = totals(logs)
    fix(logs)
    assert path_of(logs, DAY).read_bytes().endswith(b'\n{"torn\n')
    assert path_of(logs, OTHER).read_bytes() == orjson.dumps(STRAY) + b"\n"
    assert totals(logs) == figures


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(-2, 2),
            st.sampled_from([None, "a", "b", "c"]),
            st.sampled_from([1.0, 2.0]),
            st.booleans(),
        ),
        max_size=8,
    )
)
def test_moving_never_changes_a_figure(
    strays: list[tuple[int, int, str | None, float, bool]],
) -> None:
    """Whatever stands where, torn or not, without an id or with one that is there twice."""
    files: dict[date, list[bytes]] = {ago(days): [] for days in (3, 4, 5)}
    for file, days, id_, cost, torn in strays:
        of_day = record(f"{DAY + timedelta(days)}T05:00:00+00:00", id=id_, cost_estimate=cost)
        files[ago(3 + file)].append((b"{" if torn else b"") + orjson.dumps(of_day))
    with tempfile.TemporaryDirectory() as directory:
        logs = Path(directory)
        for day, content in files.items():
            write_day(logs, str(day), content)
        before = figures_of(logs)
        assert fix(logs).failed == []
        assert figures_of(logs) == before
        assert "wrong-day" not in found(logs)


def test_one_run_mends_files_that_hold_records_for_each_other(tmp_path: Path) -> None:
    """What was moved into a file does not keep its own strays from being moved."""
    days = [ago(2 + number) for number in range(12)]
    for place, day in enumerate(days):
        strange = [lines(days[(place + step) % 12], 50)[39 + step] for step in range(1, 11)]
        write_day(tmp_path, str(day), [*lines(day, 40), *strange])
    before = totals(tmp_path)
    mended = fix(tmp_path)
    moved = [sentence for sentence in mended.done if sentence.endswith("to their own days: 10")]
    assert (len(moved), mended.failed) == (12, [])
    assert totals(tmp_path) == before
    assert (before["totals"]["calls"], before["ledger"]["duplicates"]) == (600, 0)
    for day in days:
        logged = path_of(tmp_path, day).read_bytes().splitlines()
        assert sorted(map(orjson.loads, logged), key=lambda line: str(line["timestamp"])) == (
            lines(day, 50)
        )
    assert not {"wrong-day", "no-summary"} & found(tmp_path).keys()


@pytest.mark.parametrize("seal_after", [None, 5])
def test_record_whose_id_stands_in_its_own_day_stays(logs: Path, seal_after: int | None) -> None:
    """The other one would count instead; it is named, and --fix does not promise anything."""
    write_day(logs, str(OTHER), [STRAY | {"cost_estimate": 7.0}])
    turn(tidy(logs), seal_after=seal_after)
    before, figures = path_of(logs, DAY).read_bytes(), totals(logs)
    fix(logs)
    assert path_of(logs, DAY).read_bytes() == before
    assert totals(logs) == figures
    assert found(logs)["wrong-day-repeats"].where == (
        f"token_usage_{DAY}.jsonl: id stray of {OTHER}",
    )
    assert "wrong-day" not in found(logs)


def test_nothing_is_appended_from_a_file_that_has_grown(logs: Path) -> None:
    """Else each try would leave one more copy behind."""
    (listed, *_) = list_logs(logs).raw
    write_day(logs, str(DAY), [STRAY, *lines(DAY, 9)])
    moves = Moves(Appender(logs), UTC, Repeats(), lambda _day: True)
    with pytest.raises(ListingChangedError):
        moves.move(listed)
    assert not path_of(logs, OTHER).exists()
    assert not list(logs.glob("*.tmp"))


@pytest.mark.parametrize(
    "stray",
    [
        record(f"{OTHER}T12:00:00+00:00"),
        record("2026-12-01T12:00:00+00:00", id="of the future"),
    ],
    ids=["without id", "of the future"],
)
def test_other_records_stay_where_they_are(logs: Path, stray: bytes) -> None:
    """Nothing of them is lost, and nothing counts twice."""
    write_day(logs, str(DAY), [*lines(DAY), stray])
    before, figures = path_of(logs, DAY).read_bytes(), totals(logs)
    fix(logs)
    assert path_of(logs, DAY).read_bytes() == before
    assert totals(logs) == figures


KILLED = """
    import os, sys
    from pathlib import Path
    from doctoring import look, setup
    from tokenusage.keep.doctor.mend import mend

    sys.addaudithook(
        lambda event, args: os._exit(9)
        if event == "os.rename" and str(args[1]).endswith(sys.argv[2]) else None
    )
    mend(setup(Path(sys.argv[1])), look(Path(sys.argv[1])))
"""


def test_killed_before_the_wrong_file_is_replaced(logs: Path) -> None:
    """The record stands in both files, counts once, and the next run ends the work."""
    figures = totals(logs)
    name = path_of(logs, DAY).name
    killed = python(KILLED, logs, name)
    _, said = killed.communicate(timeout=60)
    assert killed.returncode == 9, said
    assert b"stray" in path_of(logs, DAY).read_bytes()
    assert b"stray" in path_of(logs, OTHER).read_bytes()
    found_then = totals(logs)
    assert found_then.pop("ledger")["duplicates"] == 1
    assert found_then == {key: value for key, value in figures.items() if key != "ledger"}
    fix(logs)
    assert b"stray" not in path_of(logs, DAY).read_bytes()
    assert totals(logs) == figures
