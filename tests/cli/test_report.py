import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from reports import HOSTILE
from support import FIELD_LINE, record, run, write_day

DAY = "2026-11-20"
PERIOD = ("--since", DAY, "--until", DAY)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory with three calls of two users on one day, one of them unpriced."""
    lines = [
        record(user_id=1, model_name="gpt-4o"),
        record(user_id="1", model_name="own", cost_estimate=None),
        record(user_id=2, operation_type="embedding", cost_estimate=0.5, tags={"team": "a"}),
    ]
    write_day(tmp_path / "logs", DAY, lines)
    return tmp_path


def document(cwd: Path, *arguments: str) -> dict[str, object]:
    """Return what ``report --format json`` says."""
    done = run("report", *PERIOD, "--format", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def calls(cwd: Path, *arguments: str) -> int:
    """Return how many calls a report counts."""
    totals = document(cwd, *arguments)["totals"]
    assert isinstance(totals, dict)
    return int(totals["calls"])


def on_a_terminal(arguments: Sequence[str], cwd: Path, **variables: str) -> str:
    """Return what the program prints when its stdout is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tokenusage", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"} | variables,
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:
        pass  # How a terminal says that the other end is closed.
    assert process.wait() == 0
    os.close(ours)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_the_overview_is_what_a_report_shows(logs: Path) -> None:
    """Totals, sections and ledger, without colour in a pipe, and nothing on stderr."""
    done = run("report", *PERIOD, cwd=logs)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 calls (100.0% ok) · 330 tokens · ≥ $0.5010 (1 call unpriced) · 2 users" in done.stdout
    assert re.findall("^(OPERATION|MODEL|DAY|USER|TOTAL) ", done.stdout, re.MULTILINE) == [
        "OPERATION", "MODEL", "USER", "TOTAL",
    ]  # fmt: skip
    assert "1 file · 3 records · 0 rejected · 1 unpriced · 0 estimated\n" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_line_from_the_field_is_found(tmp_path: Path) -> None:
    """What an application wrote in 2024 is read as it is."""
    write_day(tmp_path / "logs", "2024-12-26", [FIELD_LINE])
    done = run(
        "report",
        "--user",
        "123",
        "--operation",
        "rag_answer",
        "--since",
        "2024-12-01",
        cwd=tmp_path,
    )
    assert "1 call (100.0% ok) · 1,400 tokens · $0.000285 · 1 user" in done.stdout


def test_every_filter_counts_what_it_names(logs: Path) -> None:
    """Values of one option are alternatives, options add up; 1 and "1" are one user."""
    assert calls(logs, "--user", "1") == 2
    assert calls(logs, "--user", "1", "--user", "2") == 3
    assert calls(logs, "--model", "gpt-*") == 2
    assert calls(logs, "--operation", "embedding", "--user", "1") == 0
    assert calls(logs, "--where", "tag.team=a") == 1


def test_dimensions_come_with_commas_or_repeated(logs: Path) -> None:
    """Both make one table with a column for each."""
    for by in (["--by", "user,model"], ["--by", "user", "--by", "model"]):
        answer = document(logs, *by)
        assert answer["by"] == ["user", "model"]
        rows = answer["rows"]
        assert isinstance(rows, list)
        assert {(row["user"], row["model"]) for row in rows} == {
            ("1", "gpt-4o"), ("1", "own"), ("2", "gpt-4o-mini"),
        }  # fmt: skip


def test_rows_are_sorted_and_limited_as_asked(logs: Path) -> None:
    """Smallest first with --ascending; the rest is a line with its sums."""
    done = run(
        "report",
        *PERIOD,
        "--by",
        "user",
        "--sort",
        "calls",
        "--ascending",
        "--limit",
        "1",
        cwd=logs,
    )
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines[4:6]] == [["2", "1", "0"], ["1", "more", "2"]]


def test_strict_fails_when_anything_is_short(logs: Path) -> None:
    """The figures are printed all the same, and what they lack is named."""
    done = run("report", *PERIOD, "--strict", cwd=logs)
    assert done.returncode == 1
    assert "TOTAL" in done.stdout
    assert done.stderr == "tokenusage: The figures are short (--strict): 1 unpriced.\n"
    assert run("report", *PERIOD, "--strict", "--user", "2", cwd=logs).returncode == 0


def test_csv_has_its_account_on_stderr(logs: Path) -> None:
    """The data stays loadable, and the totals are not silently short."""
    write_day(logs / "logs", "2026-11-20.x", [b"nonsense"])
    done = run("report", *PERIOD, "--by", "model", "--format", "csv", cwd=logs)
    assert done.stdout.startswith("model,calls,failed,success_rate,")
    assert "3 records · 1 rejected" in done.stderr
    assert "rejected: token_usage_2026-11-20.x.jsonl:1: " in done.stderr


def test_an_empty_period_gives_a_hint_that_works(logs: Path) -> None:
    """The command that it names finds calls, in the same directory."""
    (logs / "logs").rename(logs / "my logs")
    done = run("report", "--month", "2020-01", "--logs", "my logs", cwd=logs)
    assert done.returncode == 0
    hint = re.search("^  (tokenusage .*)$", done.stdout, re.MULTILINE)
    assert hint is not None
    assert hint[1] == f"tokenusage report --logs 'my logs' --since {DAY}"
    command = hint[1].replace("tokenusage", f"{sys.executable} -m tokenusage", 1)
    again = subprocess.run(
        command, shell=True, cwd=logs, capture_output=True, text=True, check=True
    )
    assert "3 calls" in again.stdout


def test_a_directory_that_is_not_there_is_an_error_with_advice(tmp_path: Path) -> None:
    """Exit 1, one sentence, what to do."""
    done = run("report", "--logs", "nothing", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"tokenusage: There is no log directory 'nothing': .*--logs.*\n", done.stderr
    )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--sort", "cots"], "Did you mean cost?"),
        (["--by", "modle"], "Did you mean model?"),
        (["--format", "jsn"], "Did you mean json?"),
        (["--cost", "curent"], "Did you mean current?"),
        (["--tz", "Europe/Berlim"], "Did you mean Europe/Berlin?"),
        (["--dais", "3"], "Did you mean --days?"),
        (["--days", "x"], "--days takes a whole number, not 'x'."),
        (["--days", "3", "--hours", "2"], "give one of them"),
        (["--limit", "0"], "--limit must be 1 or more"),
        (["--where", "team"], "--where takes FIELD=VALUE"),
        (["--ascending"], "--ascending needs a --sort COLUMN."),
        (["--since", "20261101"], "must be a date such as"),
    ],
)
def test_wrong_use_is_answered_in_a_line(tmp_path: Path, arguments: list[str], hint: str) -> None:
    """Exit 2, and the nearest right word."""
    done = run("report", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert hint in done.stderr


def test_output_goes_whole_into_the_file(logs: Path) -> None:
    """Nothing on stdout, no temporary file left, the mode of the old file kept."""
    target = logs / "november.md"
    target.write_text("old")
    target.chmod(0o640)
    done = run("report", *PERIOD, "--format", "markdown", "--output", "november.md", cwd=logs)
    assert (done.returncode, done.stdout) == (0, "")
    assert target.read_text().startswith("## Token usage\n")
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in logs.iterdir()) == ["logs", "november.md"]


def test_columns_decides_the_width(logs: Path) -> None:
    """A pipe is as wide as COLUMNS says, and else wide enough for everything."""
    narrow = run("report", *PERIOD, cwd=logs, env={"COLUMNS": "60"}).stdout
    wide = run("report", *PERIOD, cwd=logs).stdout
    assert max(map(len, narrow.splitlines())) <= 60
    assert "Unpriced" in wide
    assert "Unpriced" not in narrow


def test_a_terminal_gets_colour_and_rules(logs: Path) -> None:
    """NO_COLOR takes the one, a dumb terminal both."""
    arguments = ["report", *PERIOD]
    coloured = on_a_terminal(arguments, logs)
    assert "\x1b[1;36m" in coloured
    assert "───" in coloured
    plain = on_a_terminal(arguments, logs, NO_COLOR="1")
    assert "36m" not in plain
    assert "───" in plain
    dumb = on_a_terminal(arguments, logs, TERM="dumb")
    assert not re.search("[\x1b─]", dumb)


@pytest.mark.parametrize("format_", ["table", "json", "csv", "markdown"])
def test_hostile_names_reach_no_terminal(tmp_path: Path, format_: str) -> None:
    """On a real terminal only the program's own colours are left, in every format."""
    name = HOSTILE[:-1]
    hostile = record(user_id=name, model_name=name, operation_type=name, tags={name: name})
    write_day(tmp_path / "logs", DAY, [hostile])
    for by in ([], ["--by", f"model,tag.{name}"]):
        text = on_a_terminal(
            ["report", *PERIOD, "--format", format_, *by, "--user", name], tmp_path
        )
        assert "[red" in text or r"\[red" in text
        assert re.sub(r"\x1b\[[0-9;]*m|\n", "", text).isprintable()
        assert "\x1b[31m[red" not in text


def test_a_reader_who_has_seen_enough_ends_it_quietly(logs: Path) -> None:
    """A pipe that nobody reads any more is no failure and leaves no traceback."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as gone:
        done = subprocess.run(
            [sys.executable, "-m", "tokenusage", "report", "--since", DAY, "--format", "csv"],
            cwd=logs,
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_json_stays_json_where_the_output_is_ascii(tmp_path: Path) -> None:
    """What the encoding lacks is escaped as JSON escapes it."""
    write_day(tmp_path / "logs", "2026-11-20", [record(user_id="é😀")])
    words = ("report", "--all", "--by", "user", "--format", "json")
    done = run(*words, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})
    assert done.stdout.isascii()
    assert json.loads(done.stdout)["rows"][0]["user"] == "é😀"
