import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest
from support import record, run, write_day
from writing import python

DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")


def line(day: str, **fields: object) -> bytes:
    return orjson.dumps(record(f"{day}T12:00:00.000000+00:00", **fields))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory whose logs hold a record of each of some days, and a torn line."""
    for day in DAYS:
        write_day(tmp_path / "logs", day, [line(day)])
    with (tmp_path / "logs" / f"token_usage_{DAYS[0]}.jsonl").open("ab") as file:
        file.write(b'{"timestamp":"2026\n')
    return tmp_path


def lines(*days: str) -> str:
    return "".join(f"{line(day).decode()}\n" for day in days)


def test_everything_comes_back_by_default(work: Path) -> None:
    """The records on stdout, their account on stderr; sealed or not."""
    for _form in ("raw", "sealed"):
        done = run("export", cwd=work)
        assert (done.returncode, done.stdout) == (0, lines(*DAYS))
        assert done.stderr == "3 records · 1 rejected\n"
        run("rotate", "--seal-after", "0", "--force", cwd=work)


@pytest.mark.parametrize(
    ("options", "days"),
    [
        (("--since", DAYS[1]), DAYS[1:]),
        (("--until", DAYS[1]), DAYS[:2]),
        (("--since", DAYS[1], "--until", DAYS[1]), DAYS[1:2]),
        (("--month", "2026-11"), DAYS),
        (("--month", "2026-10"), ()),
        (("--all", "--format", "jsonl"), DAYS),
    ],
)
def test_period_is_that_of_a_report(work: Path, options: tuple[str, ...], days: list[str]) -> None:
    """In whole log days; an empty one is an answer."""
    done = run("export", *options, cwd=work)
    assert (done.returncode, done.stdout) == (0, lines(*days))


def test_two_periods_and_unknown_formats_are_wrong_use(work: Path) -> None:
    """The sentence names what would be right."""
    done = run("export", "--all", "--days", "3", cwd=work)
    assert (done.returncode, done.stdout) == (2, "")
    done = run("export", "--format", "jsn", cwd=work)
    assert done.returncode == 2
    assert "Did you mean jsonl?" in done.stderr


def test_file_is_written_whole(work: Path) -> None:
    """With the mode that it had; the account is on stderr."""
    output = work / "all.jsonl"
    output.write_text("old")
    output.chmod(0o640)
    done = run("export", "--output", "all.jsonl", cwd=work)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "3 records · 1 rejected\n")
    assert output.read_text() == lines(*DAYS)
    assert output.stat().st_mode & 0o777 == 0o640


def test_what_fails_leaves_the_old_file(work: Path) -> None:
    """And no other beside it."""
    (work / "all.jsonl").write_text("old")
    done = run("export", "--logs", "nowhere", "--output", "all.jsonl", cwd=work)
    assert done.returncode == 1
    assert "There is no log directory 'nowhere'" in done.stderr
    assert (work / "all.jsonl").read_text() == "old"
    assert {path.name for path in work.iterdir()} == {"all.jsonl", "logs"}


def test_days_of_which_only_sums_are_left_are_named(work: Path) -> None:
    """What is missing is said."""
    run("rotate", "--keep-days", "1", "--force", cwd=work)
    done = run("export", cwd=work)
    assert done.returncode == 0
    assert f"only sums are left: {DAYS[0]}" in done.stderr


@pytest.mark.slow
def test_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    """As in `tokenusage export | head -1`."""
    write_day(tmp_path / "logs", DAYS[0], [line(DAYS[0])] * 50_000)
    command = [sys.executable, "-m", "tokenusage", "export"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == line(DAYS[0]) + b"\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
def test_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    """Ctrl-C in the middle of an export: exit code 130 and nothing new."""
    write_day(tmp_path / "logs", DAYS[0], [line(DAYS[0])] * 400_000)
    (tmp_path / "all.jsonl").write_text("old")
    code = "import sys; from tokenusage.cli.app import main; main(sys.argv[1:])"
    target = tmp_path / "all.jsonl"
    process = python(code, "export", "--logs", tmp_path / "logs", "--output", target)
    while not list(tmp_path.glob(".all.jsonl.*")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} == {"all.jsonl", "logs"}
    assert (tmp_path / "all.jsonl").read_text() == "old"
