import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from doctoring import MAY_DO_EVERYTHING, everything, tidy
from support import record, run, write_day

from tokenusage.keep.lock import keeping


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory with logs that have nothing wrong with them."""
    # Of a moment ago, and of the day that it was then.
    moment = datetime.now(UTC) - timedelta(seconds=30)
    write_day(tmp_path / "logs", str(moment.date()), [record(moment.isoformat(), id="a")])
    tidy(tmp_path / "logs")
    return tmp_path


def spoil(logs: Path) -> None:
    """Let anybody write to a directory."""
    logs.chmod(0o777)


def test_healthy_directory_gives_one_reassuring_line(work: Path) -> None:
    """And exit 0."""
    done = run("doctor", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "logs/: nothing wrong · 1 file · 1 record · newest just now\n"


def test_something_wrong_exits_1_and_changes_nothing(work: Path) -> None:
    """What would mend it is said."""
    spoil(work / "logs")
    before = everything(work / "logs")
    done = run("doctor", cwd=work, env={"COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (1, "")
    first, *_, last = done.stdout.splitlines()
    assert first == "wrong    Anybody may write, and so forge or remove records: 1"
    assert last.startswith("logs/: 1 wrong · 1 file")
    assert "--fix mends it." in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert everything(work / "logs") == before


@pytest.mark.slow
def test_fix_says_what_it_did_and_what_is_left(work: Path) -> None:
    """Exit 0 once nothing is wrong any more; then there is nothing to mend."""
    spoil(work / "logs")
    done = run("doctor", "--fix", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    mended, _, last = done.stdout.splitlines()
    assert mended == "mended   Permissions of the directory: 0777 → 0700"
    assert last.startswith("logs/: nothing wrong")
    assert stat.S_IMODE((work / "logs").stat().st_mode) == 0o700
    assert run("doctor", "--fix", cwd=work).stdout.startswith("There was nothing to mend.\n")


def test_fix_beside_a_rotate_exits_75(work: Path) -> None:
    """Nothing is changed."""
    spoil(work / "logs")
    with keeping(work / "logs"):
        before = everything(work / "logs")
        done = run("doctor", "--fix", cwd=work)
        assert (done.returncode, done.stdout) == (75, "")
        assert done.stderr.count("\n") == 1
        assert everything(work / "logs") == before


def test_json_has_a_schema_for_monitoring(work: Path) -> None:
    """Counts by weight, and each finding with a name that stays the same."""
    spoil(work / "logs")
    done = run("doctor", "--format", "json", cwd=work)
    assert done.returncode == 1
    document = orjson.loads(done.stdout)
    assert document["schema"] == "tokenusage.doctor/1"
    assert (document["wrong"], document["warning"], document["note"]) == (1, 0, 0)
    assert document["findings"][0]["check"] == "permissions"
    assert document["findings"][0]["where"] == ["the directory: 0777 → 0700"]


@pytest.mark.slow
def test_missing_directory_is_made(tmp_path: Path) -> None:
    """Without --fix it is only missed."""
    done = run("doctor", cwd=tmp_path)
    assert (done.returncode, "There is no log directory" in done.stdout) == (1, True)
    assert not (tmp_path / "logs").exists()
    done = run("doctor", "--fix", cwd=tmp_path)
    assert (tmp_path / "logs").is_dir()
    # It is there now, but nothing logs to it yet.
    assert (done.returncode, "No record was found" in done.stdout) == (1, True)


@pytest.mark.slow
def test_wrong_configuration_is_a_finding(work: Path) -> None:
    """The rest is looked at with the defaults, and nothing is mended by them."""
    (work / "tokenusage.toml").write_text('fil_mode = "0640"\n')
    done = run("doctor", cwd=work, env={"TOKENUSAGE_LOGS": "logs"})
    assert done.returncode == 1
    assert "Did you mean file_mode?" in done.stdout
    assert "1 record" in done.stdout
    assert run("doctor", "--fix", cwd=work).returncode == 2


@pytest.mark.slow
def test_days_leave_older_records_alone(work: Path) -> None:
    """What is known and can't be mended need not be said for ever."""
    write_day(work / "logs", "2024-12-26", [b"x"])
    tidy(work / "logs")
    assert run("doctor", cwd=work).returncode == 1
    assert run("doctor", "--days", "2", cwd=work).returncode == 0
    assert run("doctor", "--days", "0", cwd=work).returncode == 2


@pytest.mark.slow
def test_what_users_wrote_is_inert(work: Path) -> None:
    """Neither a model's name nor a file's moves the cursor."""
    moment = datetime.now(UTC).isoformat()
    hostile = record(moment, model_name="\x1b[2J[red]\u202e", cost_estimate=None)
    write_day(work / "logs", f"{moment[:10]}.\x1b[31m\udcff", [hostile, b"x"])
    for format_ in ("table", "json"):
        shown = run("doctor", "--format", format_, cwd=work).stdout
        assert "x1b" in shown
        assert "udcff" in shown
        assert not {"\x1b", "\u202e"} & set(shown)


@pytest.mark.skipif(MAY_DO_EVERYTHING, reason="root may do everything")
def test_fix_mends_a_directory_that_can_not_be_locked(work: Path) -> None:
    """Its owner has shut themselves out."""
    (work / "logs").chmod(0o500)
    assert run("doctor", "--fix", cwd=work).returncode == 0
