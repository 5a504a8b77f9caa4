"""Forgetting, killed before each system call that changes something."""

from pathlib import Path

import pytest
from forgetting import everything, forgotten, people
from keeping import names, totals
from killing import has_strace, kill_everywhere


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A directory with a day in every form, and lines that name the person in no record."""
    return people(tmp_path / "start")


@pytest.mark.slow
@has_strace
def test_a_killed_run_changes_no_figure_and_the_next_one_finishes(start: Path) -> None:
    """Whatever it was about to do: totals are the same, and then nothing tells who it was."""
    before = totals(start)["totals"]
    del before["users"]  # the runs have a pseudonym each
    killed = kill_everywhere(start, "from forgetting import forgotten", "forgotten(logs)")
    forgotten(start)
    for logs in killed:
        for _when in ("killed", "finished"):
            after = totals(logs)["totals"]
            assert after.pop("users") in {2, 3}
            assert after == before, logs.name
            assert not forgotten(logs).left
        assert b"ann" not in everything(logs), logs.name
        assert names(logs) == names(start), logs.name
        assert totals(logs)["ledger"] == totals(start)["ledger"], logs.name
    assert len(killed) > 30
