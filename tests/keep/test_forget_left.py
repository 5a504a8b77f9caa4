"""What forgetting has to leave, and that it says so; and what happens beside it."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date
from pathlib import Path
from typing import Any

import orjson
import pytest
from forgetting import ANN, everything, forgotten, in_every_form, lines, logged, state
from keeping import NOW, TODAY, ago, totals, turn
from support import record, write_day
from writing import finish, python

from tokenusage.errors import BusyError, WrongUseError
from tokenusage.files import TEMPORARY_PREFIX
from tokenusage.keep.forget.outcome import Form, Outcome
from tokenusage.keep.forget.run import forget
from tokenusage.keep.lock import keeping

EMAIL = "ann@example.com"


def found(outcome: Outcome) -> dict[Form, int]:
    return {form: sum(one.records for one in some) for form, some in outcome.forms.items()}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with a day in every form, and late records for two of them."""
    return in_every_form(tmp_path / "logs")


def test_damaged_file_is_left_and_the_others_are_done(logs: Path) -> None:
    """It may name her: that is said, and she is forgotten where she can be."""
    path = logs / f"token_usage_{ago(5)}.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    (logs / f"token_usage_{ago(4)}.jsonl").symlink_to("/etc/hostname")
    outcome = forgotten(logs)
    assert outcome.left[0].why.startswith(f"{path.name} is damaged")
    assert outcome.left[1].why.startswith(f"token_usage_{ago(4)}.jsonl is not a regular file")
    assert set(found(outcome)) == {Form.LOG, Form.SUMS}
    path.unlink()
    assert forgotten(logs).left == outcome.left[1:]
    assert b"ann" not in everything(logs)


def test_only_one_changes_the_directory(logs: Path) -> None:
    """A rotation that is at work is not disturbed."""
    with keeping(logs), pytest.raises(BusyError):
        forgotten(logs)


def test_nobody_has_no_id(logs: Path) -> None:
    """An empty one is a mistake, such as a variable that is not set."""
    with pytest.raises(WrongUseError, match="can't be told apart"):
        forgotten(logs, "")


def test_interrupted_run_leaves_every_file_whole(logs: Path) -> None:
    """Ctrl-C removes what was being written; the next run finishes."""
    before = totals(logs)["totals"]
    steps = 0

    class Interrupt:
        def __enter__(self) -> Any:
            return self.step

        def __exit__(self, *_why: object) -> None:
            pass

        def step(self, _size: int) -> None:
            nonlocal steps
            steps += 1
            if steps == 9:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        forget(
            logs,
            ANN,
            delete=False,
            dry_run=False,
            now=NOW,
            naive_zone=UTC,
            watch=lambda _what, _total: Interrupt(),
        )
    assert not list(logs.glob(f"{TEMPORARY_PREFIX}*"))
    assert b"ann" in everything(logs)
    forgotten(logs)
    assert b"ann" not in everything(logs)
    after = totals(logs)["totals"]
    del before["users"], after["users"]  # she has two pseudonyms now
    assert after == before


def test_log_of_writers_without_lock_is_left_for_two_days(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody could keep them off meanwhile; older ones are done, and rows and sums."""
    monkeypatch.setattr("tokenusage.keep.forget.run.locks_work", lambda _logs: False)
    outcome = forgotten(logs)
    left = [f"token_usage_{ago(number)}.jsonl" for number in (2, 1, 0)]
    assert [left.why.partition(":")[0] for left in outcome.left] == left
    assert f"until {ago(-1)}" in outcome.left[0].why
    assert found(outcome) == {Form.LOG: 2, Form.SEALED: 2, Form.SUMS: 4}
    for name in left:
        (logs / name).unlink()
    assert b"ann" not in everything(logs)


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes of a file fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_stays_in_files_that_could_not_be_changed_is_kept_apart(logs: Path) -> None:
    """Nothing of it is called forgotten: not records, not lines, not sums."""
    (logs / f"details_{ago(9):%Y-%m}.parquet").unlink()  # they would go
    before = state(logs)
    with longest_file(200):
        outcome = forgotten(logs)
    assert state(logs) == before
    assert (outcome.found, outcome.stale) == ((), ())
    assert sum(left.records for left in outcome.left) == 8 + 2 + 4
    assert [left.rejected for left in outcome.left if left.rejected] == [1]
    assert sum(left.sums for left in outcome.left) == 3
    assert all(re.match(r"[a-z]\S+: File too large$", left.why) for left in outcome.left)
    assert forgotten(logs).left == ()


@pytest.mark.parametrize(("delete", "sealed"), [(False, False), (True, True)])
def test_records_of_others_with_her_address_stay_and_are_counted(
    tmp_path: Path, *, delete: bool, sealed: bool
) -> None:
    """Of other users and of nobody, in a log file, a sealed day and sums."""
    for number in (8, 5, 2):
        ann, bob, nobody, other = lines(ago(number), ANN, "bob", None, "eve")
        ann["user_email"] = EMAIL if number == 2 else None
        write_day(tmp_path, str(ago(number)), [ann, bob, bob | {"id": "b"}, nobody, other])
        path = tmp_path / f"token_usage_{ago(number)}.jsonl"
        path.write_bytes(path.read_bytes().replace(b"bob@", b"ann@").replace(b"None@", b"ann@"))
    if sealed:
        turn(tmp_path, keep_days=7, seal_after=4)
    outcome = forgotten(tmp_path, delete=delete)
    assert (outcome.records, outcome.addressed) == (3, 9)
    assert totals(tmp_path)["totals"]["calls"] == (12 if delete else 15)


def test_names_like_those_of_days_that_no_reader_knows_are_told(logs: Path) -> None:
    """Copies and compressed files may name her, and nobody looks at them."""
    copies = [
        f".token_usage_{ago(1)}.jsonl.swp",
        f"rejected_{ago(5)}.jsonl.bak",
        "summary_2026-11.parquet.old",
        f"token_usage_{ago(1)}.jsonl.1",
        f"token_usage_{ago(1)}.jsonl.gz",
    ]
    for name in (*copies, "README", "summary_of_costs.txt"):
        (logs / name).write_bytes(b"ann")
    (logs / f"token_usage_{ago(1)}.web-1.jsonl").touch()
    assert forgotten(logs, dry_run=True).unknown == tuple(copies)


@pytest.mark.parametrize("is_link", [True, False])
@pytest.mark.parametrize("day", [ago(5), ago(3)])
def test_rejected_lines_in_no_regular_file_are_left(
    logs: Path, day: date, *, is_link: bool
) -> None:
    """Of a sealed day, then with it, and of any other; it is said what stands there."""
    path = logs / f"rejected_{day}.jsonl"
    path.unlink(missing_ok=True)
    if is_link:
        path.symlink_to("/etc/hostname")
    else:
        os.mkfifo(path)
    (left,) = forgotten(logs).left
    assert left.why.endswith(
        f"{path.name} is {'a symbolic link' if is_link else 'not a regular file'}"
    )
    assert left.why.count(path.name) == 1


@pytest.mark.slow
def test_writers_beside_it_lose_nothing(tmp_path: Path) -> None:
    """Every record that was acknowledged is there in the end, once, and in its order."""
    write_day(tmp_path, "2026-11-22", lines(TODAY, *[ANN, "bob"] * 2000))
    writer = """
        import sys
        from datetime import date
        from pathlib import Path
        from tokenusage.write.appender import Appender
        logs, name, line = sys.argv[1:]
        appender = Appender(Path(logs))
        for number in range(20_000):
            whole = line.replace("ID", f"{name}-{number}") + "\\n"
            appender.append(date(2026, 11, 22), whole.encode())
    """
    template = orjson.dumps(record(id="ID", user_id="bob")).decode()
    processes = [python(writer, tmp_path, number, template) for number in range(2)]
    runs = 0
    while any(process.poll() is None for process in processes):
        # Turn about, so that there is always somebody to forget.
        for user in (ANN, "bob"):
            with suppress(BusyError):
                runs += not forgotten(tmp_path, user).left
    for process in processes:
        finish(process)
    assert runs > 1
    ids = [line["id"] for line in logged(tmp_path)]
    assert len(ids) == len(set(ids)) == 2 * 20_000 + 4000
    forgotten(tmp_path, "bob")
    assert {str(line["user_id"])[:10] for line in logged(tmp_path)} == {"forgotten-"}
