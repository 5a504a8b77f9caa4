"""Exports that are disturbed, stopped or watched while they are at work."""

import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import orjson
import pytest
from exporting import calls_in
from support import record, run, write_day
from writing import python

DAY = "2026-11-20"
LINE = orjson.dumps(record(f"{DAY}T12:00:00.000000+00:00"))

SEALED_MEANWHILE = """
    import sys
    from datetime import UTC, date
    from pathlib import Path
    from tokenusage.cli.app import main
    from tokenusage.keep.seal.day import seal
    done = []
    def seal_it(event, arguments):
        if event == "open" and str(arguments[0]).endswith(".web-1.jsonl") and not done:
            done.append(seal)
            seal(Path("logs"), date.fromisoformat(sys.argv[1]), naive_zone=UTC)
    sys.addaudithook(seal_it)
    main(["export", *sys.argv[2:]])
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: its logs hold two days, one of them in two files."""
    for day in ("2026-11-19", DAY):
        write_day(tmp_path / "logs", day, [LINE])
    (tmp_path / "logs" / f"token_usage_{DAY}.web-1.jsonl").write_bytes(LINE + b"\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet", "xlsx"])
def test_file_is_begun_anew_when_logs_are_replaced(work: Path, format_: str) -> None:
    """It holds every call once, and nothing is left of the first try."""
    process = python(SEALED_MEANWHILE, DAY, "--output", f"all.{format_}")
    assert "3 records" in process.communicate(timeout=60)[1]
    assert process.returncode == 0
    assert {path.name for path in work.iterdir()} == {f"all.{format_}", "logs"}
    assert not list((work / "logs").glob("*.web-1.jsonl"))
    run("export", "--output", f"then.{format_}", cwd=work)
    assert calls_in(work / f"all.{format_}") == calls_in(work / f"then.{format_}")


@pytest.mark.usefixtures("work")
@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_what_is_on_stdout_is_not_begun_anew(format_: str) -> None:
    """Some calls would be there twice: a sentence says that it is not whole."""
    process = python(SEALED_MEANWHILE, DAY, "--format", format_)
    _, said = process.communicate(timeout=60)
    assert "were replaced while they were being exported: export them again." in said
    assert process.returncode == 1


@pytest.mark.slow
def test_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    """As in `tokenusage export | head -1`."""
    write_day(tmp_path / "logs", DAY, [LINE] * 50_000)
    command = [sys.executable, "-m", "tokenusage", "export"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == LINE + b"\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format_", "number"),
    [
        ("jsonl", signal.SIGINT),
        ("csv", signal.SIGHUP),
        ("parquet", signal.SIGTERM),
        ("xlsx", signal.SIGINT),
        ("xlsx", signal.SIGTERM),
    ],
)
def test_interrupt_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, number: signal.Signals
) -> None:
    """In the middle of an export, by Ctrl-C or from outside: 128 + its number, nothing new."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    write_day(tmp_path / "logs", DAY, [LINE] * 400_000)
    (tmp_path / "all.out").write_text("old")
    code = "import sys; from tokenusage.cli.app import main; main(sys.argv[1:])"
    target = tmp_path / "all.out"
    wanted = ("--format", format_, "--output", target)
    process = python(code, "export", "--logs", tmp_path / "logs", *wanted)
    spool = ".all.out.sheets-*/*" if format_ == "xlsx" else ".all.out.*"
    while not list(tmp_path.glob(spool)):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert {path.name for path in tmp_path.iterdir()} == {"all.out", "logs", "tmp"}
    assert not list((tmp_path / "tmp").iterdir())
    assert (tmp_path / "all.out").read_text() == "old"


@pytest.mark.slow
def test_a_long_export_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """While it is written to a file."""
    write_day(tmp_path / "logs", DAY, [LINE] * 60_000)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tokenusage", "export", "--output", "calls.xlsx"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how Linux says that the other side is gone
            while more := os.read(ours, 65536):
                shown += more
    os.close(ours)
    assert process.returncode == 0
    assert b"Exporting" in shown
