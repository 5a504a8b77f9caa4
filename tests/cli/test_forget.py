from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from support import record, run, write_day

from tokenusage.keep.lock import keeping

TODAY = datetime.now(UTC).date()
PRIVATE = {"query": "I am ann", "user_email": "ann@example.com", "tags": {"who": "ann"}}


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory whose logs hold two records of each of ten days."""
    for number in range(10):
        day = str(TODAY - timedelta(days=number))
        own = record(f"{day}T00:00:00+00:00", user_id="ann", **PRIVATE)
        other = record(f"{day}T00:00:00+00:00", user_id="bob")
        write_day(tmp_path / "logs", day, [own, other])
    run("rotate", "--keep-days", "6", "--seal-after", "4", cwd=tmp_path)
    return tmp_path


def totals(work: Path) -> object:
    return orjson.loads(run("report", "--all", "--format", "json", cwd=work).stdout)["totals"]


def exported(work: Path) -> str:
    return run("export", cwd=work).stdout


def test_forgetting_from_the_command_line(work: Path) -> None:
    """A table of the forms and a sentence; the totals stay, and once more there is nothing."""
    before = totals(work)
    done = run("forget", "--user", "ann", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "WHERE                   DAYS      RECORDS  OTHER LINES\n"
        "log files                  5            5            0\n"
        "sealed days                2            2            0\n"
        "sums of removed days       3            3            0\n"
        "\n"
        "10 records of user ann in logs/ have a pseudonym now and nothing that tells who.\n"
        "The sums of 6 days are made anew by the next rotate.\n"
    )
    assert "ann" not in exported(work)
    assert totals(work) == before
    again = run("forget", "--user", "ann", cwd=work)
    assert (again.returncode, again.stdout) == (0, "Nothing of user ann in logs/.\n")


def test_pseudonym_is_not_said(work: Path) -> None:
    """What is printed may be kept, in a terminal or in mail, and would tie the two together."""
    done = run("forget", "--user", "ann", cwd=work)
    assert "forgotten-" in exported(work)
    assert "forgotten-" not in done.stdout + done.stderr


def test_dry_run_only_says_what_would_be(work: Path) -> None:
    """Every file stays as it is."""
    before = sorted((path.name, path.read_bytes()) for path in (work / "logs").iterdir())
    done = run("forget", "--user", "ann", "--dry-run", cwd=work)
    assert "10 records of user ann in logs/ would get a pseudonym" in done.stdout
    assert sorted((path.name, path.read_bytes()) for path in (work / "logs").iterdir()) == before


def test_deleting_drops_the_records(work: Path) -> None:
    """Only the others' are left."""
    done = run("forget", "--user", "ann", "--delete", cwd=work)
    assert "10 records of user ann in logs/ are dropped." in done.stdout
    shown = orjson.loads(
        run("report", "--all", "--by", "user", "--format", "json", cwd=work).stdout
    )
    assert [(row["user"], row["calls"]) for row in shown["rows"]] == [("bob", 10)]


def test_file_that_has_to_be_left_is_an_error(work: Path) -> None:
    """It is named, and the others are done."""
    (work / "logs" / "token_usage_2020-01-01.jsonl").symlink_to("/etc/hostname")
    done = run("forget", "--user", "ann", cwd=work)
    assert done.returncode == 1
    assert done.stderr.startswith("tokenusage: 1 file had to be left alone: token_usage_2020-01-01")
    assert "ann" not in exported(work)


def test_nothing_is_not_said_of_a_file_that_could_not_be_read(work: Path) -> None:
    """It may name anybody."""
    (work / "logs" / "token_usage_2020-01-01.jsonl").symlink_to("/etc/hostname")
    done = run("forget", "--user", "eve", cwd=work, env={"COLUMNS": "60"})
    assert done.returncode == 1
    assert done.stdout.startswith(
        "Nothing of user eve in the files of logs/ that could be\nread.\n"
    )
    assert "  token_usage_2020-01-01.jsonl is not a regular file" in done.stdout


def test_copies_that_nobody_reads_are_told(work: Path) -> None:
    """On stderr, and nothing went wrong."""
    for ending in (".1", ".2", ".3", "\x1b.bak"):
        (work / "logs" / f"token_usage_2020-01-01.jsonl{ending}").touch()
    done = run("forget", "--user", "ann", cwd=work)
    assert done.returncode == 0
    assert done.stderr == (
        "Not looked at: 4 files that no reader knows, token_usage_2020-01-01.jsonl\\x1b.bak; "
        "token_usage_2020-01-01.jsonl.1; token_usage_2020-01-01.jsonl.2; and 1 more.\n"
    )


def test_wrong_use_is_said(work: Path) -> None:
    """Without a user, with an empty one, and without logs."""
    assert run("forget", cwd=work).returncode == 2
    assert run("forget", "--user", "", cwd=work).returncode == 2
    assert run("forget", "--user", "ann", "--logs", "nowhere", cwd=work).returncode == 1


def test_rotation_at_work_keeps_it_out(work: Path) -> None:
    """It is told by its exit code; nothing is changed."""
    with keeping(work / "logs"):
        done = run("forget", "--user", "ann", cwd=work)
        assert (done.returncode, done.stdout) == (75, "")
    assert "ann" in exported(work)


def test_hostile_id_is_printed_inert(work: Path) -> None:
    """What users wrote moves no cursor."""
    done = run("forget", "--user", "a\x1b[2J", cwd=work)
    assert done.stdout == "Nothing of user a\\x1b[2J in logs/.\n"
