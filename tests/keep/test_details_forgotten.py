"""Forgetting a person leaves none of their sessions in details, which can't tell whose they are."""

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from detailing import days_with_details
from forgetting import ANN, everything, forgotten, lines, state
from keeping import NOW, ago, names, turn
from support import write_day
from writing import finish, python

from tokenusage.logs import details_name, summary_name

TOUCHED, OTHER = details_name(ago(2)), details_name(ago(40))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with two months of details: Ann is in one of them, Bob in both."""
    logs = tmp_path / "logs"
    for number, users in ((2, (ANN, "bob")), (3, ("bob",)), (40, ("bob",))):
        write_day(logs, str(ago(number)), lines(ago(number), *users))
    turn(logs)
    return logs


def sessions(logs: Path, name: str) -> set[str]:
    return set(pq.read_table(logs / name)["session_id"].to_pylist())


def test_a_forgotten_persons_sessions_are_gone_at_once(logs: Path) -> None:
    """Those of the other months stay; the next rotation makes the rest anew, without hers."""
    assert sessions(logs, TOUCHED) == {"ann-s", "bob-s"}
    before = state(logs)[OTHER]
    forgotten(logs)
    assert b"ann" not in everything(logs)
    assert TOUCHED not in names(logs)
    assert state(logs)[OTHER] == before
    turn(logs)
    assert sessions(logs, TOUCHED) == {None, "bob-s"}
    assert days_with_details(logs) == {ago(2), ago(3), ago(40)}


def test_whoever_is_not_there_costs_no_details(logs: Path) -> None:
    """Neither does a dry run."""
    before = state(logs)
    forgotten(logs, "nobody")
    forgotten(logs, dry_run=True)
    assert state(logs) == before


def test_a_file_that_nobody_can_look_at_costs_its_month(logs: Path) -> None:
    """She may be in it, and so may her sessions be in what was made from it."""
    turn(logs, seal_after=2, now=NOW + timedelta(days=1))
    path = logs / f"token_usage_{ago(40)}.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    assert forgotten(logs).left
    assert OTHER not in names(logs)


@pytest.mark.parametrize("change", ["removed", "rewritten", "damaged"])
def test_details_of_files_that_have_changed_go_with_their_month(logs: Path, change: str) -> None:
    """She may be in nothing else any more; the next run would not look for her there."""
    if change == "damaged":
        (logs / TOUCHED).write_bytes((logs / TOUCHED).read_bytes()[:-1])
    elif change == "removed":
        (logs / f"token_usage_{ago(2)}.jsonl").unlink()
        (logs / summary_name(ago(2))).unlink()
    else:
        write_day(logs, str(ago(2)), lines(ago(2), "bob"))
    before = state(logs)[OTHER]
    forgotten(logs, "nobody")
    assert TOUCHED not in names(logs)
    assert state(logs)[OTHER] == before


def test_details_that_cannot_be_removed_stop_the_run(logs: Path) -> None:
    """Otherwise they would hold what is gone from everywhere else."""
    code = """
        import errno, os, sys
        from pathlib import Path
        from forgetting import forgotten
        from tokenusage.errors import LogsError
        def refuse(event, arguments):
            if event == "os.remove" and "details_" in str(arguments[0]):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        sys.addaudithook(refuse)
        try:
            forgotten(Path(sys.argv[1]))
        except LogsError as error:
            print(error)
    """
    before = state(logs)
    said = finish(python(code, logs))
    assert "can't be removed, so nothing was changed: Read-only file system." in said
    assert state(logs) == before
