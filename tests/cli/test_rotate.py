import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from support import record, run, write_day
from writing import python

TODAY = datetime.now(UTC).date()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory whose logs hold a record of each of ten days."""
    for number in range(10):
        day = str(TODAY - timedelta(days=number))
        write_day(tmp_path / "logs", day, [record(f"{day}T00:00:00+00:00")])
    return tmp_path


def report(work: Path) -> object:
    found = orjson.loads(run("report", "--all", "--format", "json", cwd=work).stdout)
    return found["totals"], found["rows"] if "rows" in found else found["sections"]


def test_rotation_from_the_command_line(work: Path) -> None:
    """A table of what was done, the sum of it, and the figures as they were."""
    before = report(work)
    done = run("rotate", "--keep-days", "6", "--seal-after", "4", cwd=work)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(
        rf"^{TODAY - timedelta(days=7)}  removed +1 +\d+ B +0 B$", done.stdout, re.MULTILINE
    )
    assert re.search(r"days? sealed, 3 days removed, .+ → .+\.$", done.stdout.strip())
    assert report(work) == before
    again = run("rotate", "--keep-days", "6", "--seal-after", "4", cwd=work)
    assert (again.returncode, again.stdout) == (0, "Nothing to do in logs/.\n")


def test_quiet_says_one_line(work: Path) -> None:
    """For cron: what was done, nothing to do, and what would be done."""
    for options in (("--dry-run",), (), ()):
        done = run("rotate", "--keep-days", "6", "--quiet", *options, cwd=work)
        assert (done.returncode, done.stdout.count("\n"), done.stderr) == (0, 1, "")


def test_dry_run_changes_nothing(work: Path) -> None:
    """It says what would be done, and why no more."""
    before = sorted((path.name, path.stat()) for path in (work / "logs").iterdir())
    done = run("rotate", "--keep-days", "6", "--dry-run", cwd=work)
    assert done.stdout.count("would remove") == 3
    assert f"{TODAY}  it is not over for an hour yet, so it is left alone" in done.stdout
    assert sorted((path.name, path.stat()) for path in (work / "logs").iterdir()) == before


def test_the_configuration_can_ask_for_it(work: Path) -> None:
    """An option goes over it."""
    (work / "tokenusage.toml").write_text("keep_days = 2\nseal_after = 1\n")
    plan = run("rotate", "--dry-run", "--keep-days", "7", cwd=work).stdout
    assert (plan.count("would remove"), plan.count("would seal")) == (2, 6)
    assert run("rotate", "--dry-run", cwd=work).stdout.count("would remove") == 7


@pytest.mark.parametrize("options", [("--keep-days", "0"), ("--seal-after", "-1")])
def test_wrong_numbers_are_wrong_use(work: Path, options: tuple[str, str]) -> None:
    """One sentence that names the option."""
    done = run("rotate", *options, cwd=work)
    assert (done.returncode, done.stdout) == (2, "")
    assert options[0] in done.stderr


def test_the_second_of_two_exits_with_75(work: Path) -> None:
    """And has touched nothing."""
    code = """
        import sys
        from pathlib import Path
        from tokenusage.keep.lock import keeping
        with keeping(Path(sys.argv[1])):
            print(flush=True)
            sys.stdin.read()
    """
    first = python(code, work / "logs")
    assert first.stdout
    first.stdout.readline()
    before = sorted(path.name for path in (work / "logs").iterdir())
    done = run("rotate", "--keep-days", "1", cwd=work)
    first.communicate()
    assert (done.returncode, done.stdout) == (75, "")
    assert "at work in 'logs'" in done.stderr
    assert sorted(path.name for path in (work / "logs").iterdir()) == before


def test_of_many_at_once_none_harms_another(work: Path) -> None:
    """Each does the work or says that another one does."""
    before = report(work)
    command = [sys.executable, "-m", "tokenusage", "rotate", "--keep-days", "3", "--quiet"]
    started = [
        subprocess.Popen(command, cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(4)
    ]
    codes = {process.wait(60) for process in started}
    assert 0 in codes
    assert codes <= {0, 75}
    assert report(work) == before


def test_a_failure_is_a_sentence_and_exit_1(work: Path) -> None:
    """Behind the table of what went well."""
    month = work / "logs" / f"summary_{TODAY - timedelta(days=5):%Y-%m}.parquet"
    month.write_bytes(b"PAR1 something else PAR1")
    done = run("rotate", cwd=work)
    assert done.returncode == 1
    assert re.search(r"^2026-\S+  failed", done.stdout, re.MULTILINE)
    assert done.stderr.startswith("tokenusage: ")
    assert f"{month.name} is damaged" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_doubtful_clock_is_said_in_every_form(tmp_path: Path) -> None:
    """Nothing is removed, it is no failure, and --force trusts the clock."""
    write_day(tmp_path / "logs", "2024-12-26", [record("2024-12-26T10:00:00+00:00")])
    for options in (("--quiet",), (), ("--dry-run",)):
        done = run("rotate", "--keep-days", "30", *options, cwd=tmp_path)
        assert done.returncode == 0
        assert "use --force" in " ".join(done.stdout.split())
    run("rotate", "--keep-days", "30", "--force", cwd=tmp_path)
    assert not list((tmp_path / "logs").glob("*.jsonl"))


@pytest.mark.slow
def test_an_interrupt_leaves_the_directory_whole(work: Path) -> None:
    """Ctrl-C ends it with 130; nothing half-done is left, and the figures are the same."""
    day = TODAY - timedelta(days=3)
    line = orjson.dumps(record(f"{day}T00:00:00+00:00")) + b"\n"
    (work / "logs" / f"token_usage_{day}.jsonl").write_bytes(line * 300_000)
    before = report(work)
    command = [sys.executable, "-m", "tokenusage", "rotate", "--seal-after", "1"]
    process = subprocess.Popen(command, cwd=work, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list((work / "logs").glob(".tokenusage-*.tmp")):
        pass
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (130, "")
    assert not list((work / "logs").glob(".tokenusage-*.tmp"))
    assert report(work) == before
