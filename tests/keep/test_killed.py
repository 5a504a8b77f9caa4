"""Rotation killed before each system call that changes something, and what is on the disk then."""

import re
from pathlib import Path
from typing import Any

import pytest
from keeping import every_form, names, totals, turn
from killing import has_strace, kill_everywhere
from writing import run_python

WISHES: dict[str, Any] = {"keep_days": 5, "seal_after": 2}


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A directory with a day in every form, and late records for each of them."""
    return every_form(tmp_path / "start")


@pytest.mark.slow
@has_strace
def test_a_killed_run_loses_nothing_and_the_next_one_finishes(start: Path) -> None:
    """Whatever it was about to do: figures are the same after it, and after the next run."""
    before = totals(start)
    killed = kill_everywhere(
        start, "from keeping import turn", "turn(logs, keep_days=5, seal_after=2)"
    )
    turn(start, **WISHES)
    for logs in killed:
        assert totals(logs) == before, f"after {logs.name}"
        turn(logs, **WISHES)
        assert totals(logs) == before, f"after the run after {logs.name}"
        assert names(logs) == names(start), logs.name
    # Each call has its last run, in which nothing was killed.
    assert len(killed) > 40


CALL = re.compile(r'(write|fsync|rename|unlink)\((?:\d+<)?"?([^">]*)')
"""A system call as strace prints it, and the path that it is about."""


@pytest.mark.slow
@has_strace
def test_a_power_loss_finds_one_whole_form(start: Path) -> None:
    """What is renamed is on the disk, and what is removed has its successor there by name."""
    trace = start.parent / "trace"
    code = "import sys\nfrom pathlib import Path\nfrom keeping import turn\n"
    code += "turn(Path(sys.argv[1]), keep_days=5, seal_after=2)"
    prefix = ("strace", "-f", "-y", "-o", str(trace), "-e", "trace=write,fsync,rename,unlink")
    run_python(code, start, prefix=prefix)

    unsynced: set[str] = set()
    renamed = removed = 0
    for call, path in CALL.findall(trace.read_text()):
        if not path.startswith(str(start)):
            continue
        match call:
            case "write":
                unsynced.add(path)
            case "fsync":
                unsynced.discard(path)
            case "rename":
                assert path not in unsynced
                unsynced.add(str(start))
                renamed += 1
            case _ if not path.endswith(".tmp"):
                assert not unsynced & {str(start)}, f"{path} was removed too early"
                removed += 1
    # Three days are sealed, one of them with a rejected line; a month; three days are removed.
    assert (renamed, removed) == (5, 9)
