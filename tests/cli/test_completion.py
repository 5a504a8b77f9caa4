"""Completion, through Typer's protocol and in a real bash."""

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from reports import HOSTILE
from support import record, run, write_day

from tokenusage.cli.completion import PLAIN, complete_dimensions

MARK = "harm"
HARMFUL = (
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"\\$(touch {MARK})",
    f"'; touch {MARK}; '",
    f'"; touch {MARK}; "',
    f"x;touch {MARK}",
    "*",
    "~root",
    "--strict",
    "=ls",
    "two words",
    HOSTILE.replace("\ud800", ""),
)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory whose logs hold names of every kind."""
    names = ("ann", "ann@x.org", "7", "us:ann", "größe", *HARMFUL)
    write_day(
        tmp_path / "logs",
        "2026-11-20",
        [record(user_id=name, model_name=name, operation_type=name) for name in names],
    )
    return tmp_path


def offered(
    cwd: Path, *words: str, shell: str = "bash", env: Mapping[str, str] | None = None
) -> list[str]:
    """Return what is offered for the last of the words behind the program's name."""
    protocol = {
        "_TOKENUSAGE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "\n".join(["tokenusage", *words]),
        "COMP_CWORD": str(len(words)),
        "_TYPER_COMPLETE_ARGS": " ".join(["tokenusage", *words]),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = run(cwd=cwd, env=protocol | dict(env or {}))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (["t"], ["top"]),
        (["top", "us"], ["users"]),
        (["top", "users", "--by", "c"], ["cost", "calls"]),
        (["top", "users", "--lim"], ["--limit"]),
        (["report", "--format", ""], ["table", "json", "csv", "markdown"]),
        (["report", "--cost", "e"], ["effective"]),
        (["report", "--by", "day,mo"], ["day,month", "day,model"]),
        (["report", "--sort", "p50"], ["p50_response_time"]),
        (["report", "--where", "user"], ["user_id=", "user_email="]),
        (["schema", "do"], ["doctor"]),
    ],
)
def test_words_that_are_fixed_are_completed(
    tmp_path: Path, words: list[str], some: list[str]
) -> None:
    """Commands, options, arguments and the values of options; no log is needed."""
    assert offered(tmp_path, *words) == some


@pytest.mark.parametrize("option", ["--user", "--operation", "--model"])
def test_names_come_from_the_logs(logs: Path, option: str) -> None:
    """Only those that need no quotes in any shell."""
    assert offered(logs, "report", option, "") == ["7", "ann", "ann@x.org", "größe", "us:ann"]
    assert offered(logs, "top", "users", option, "an") == ["ann", "ann@x.org"]


def test_the_log_directory_is_the_one_of_the_command(logs: Path) -> None:
    """--logs on the line, else the environment, else the configuration."""
    write_day(logs / "other", "2026-11-20", [record(user_id="bob")])
    asked = ("report", "--user", "")
    assert offered(logs, "report", "--logs", "other", "--user", "") == ["bob"]
    assert offered(logs, *asked, env={"TOKENUSAGE_LOGS": "other"}) == ["bob"]
    (logs / "tokenusage.toml").write_text('logs = "other"\n')
    assert offered(logs, *asked) == ["bob"]


def test_whatever_is_wrong_is_not_said_at_the_prompt(tmp_path: Path) -> None:
    """No directory, damaged files, a wrong configuration: nothing is offered."""
    asked = ("report", "--user", "")
    assert offered(tmp_path, *asked) == [""]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "summary_2026-10.parquet").write_bytes(b"PAR1")
    assert offered(tmp_path, *asked) == [""]
    (tmp_path / "tokenusage.toml").write_text("qery_chars = 3\n")
    assert offered(tmp_path, *asked) == [""]
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["summary_2026-10.parquet"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_the_same(logs: Path, shell: str) -> None:
    """Each in its own form."""
    text = "\n".join(offered(logs, "report", "--user", "an", shell=shell))
    assert "ann@x.org" in text
    assert MARK not in "\n".join(offered(logs, "report", "--user", "", shell=shell))
    assert "users" in "\n".join(offered(logs, "top", "u", shell=shell))


@pytest.mark.parametrize("name", HARMFUL)
def test_names_that_a_shell_would_take_apart_are_not_plain(name: str) -> None:
    """Nor what looks like an option, or like a directory to be expanded."""
    assert not PLAIN.fullmatch(name)


def test_dimensions_are_offered_once() -> None:
    """One that stands before the comma has been used."""
    assert "user,user" not in complete_dimensions("user,")
    assert complete_dimensions("user,day,x")[0] == "user,day,hour"


def put_program(directory: Path) -> None:
    """Write the program as a shell finds it."""
    program = directory / "tokenusage"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tokenusage "$@"\n')
    program.chmod(0o755)


BASH = """
PATH="$PWD:$PATH"
eval "$(tokenusage --show-completion bash)"
COMP_WORDS=(tokenusage "$@")
COMP_CWORD=$#
COMP_LINE="tokenusage $*"
_tokenusage_completion tokenusage "${!#}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
def test_bash_completes_with_the_script_that_is_shown(logs: Path) -> None:
    """A name that is a command runs nowhere, and none is expanded to files."""
    put_program(logs)
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", "report", "--user", ""],
        cwd=logs,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["7", "ann", "ann@x.org", "größe", "us:ann"]
    assert not (logs / MARK).exists()


def typed(cwd: Path, line: str, expected: str) -> str:
    """Return what a terminal shows for a line that ends in a tab, once it shows what is expected.

    Bash runs with the script that is shown; it is waited for at most 20 seconds.
    """
    (cwd / "rc").write_text(
        'PS1=READY PATH="$PWD:$PATH"\neval "$(tokenusage --show-completion bash)"\n'
    )
    ours, its = pty.openpty()
    with subprocess.Popen(
        ["bash", "--noprofile", "--rcfile", "rc", "-i"],
        cwd=cwd, stdin=its, stdout=its, stderr=its, start_new_session=True,
        env=os.environ | {"TERM": "dumb", "INPUTRC": os.devnull, "HISTFILE": ""},
    ) as bash:  # fmt: skip
        os.close(its)
        read_until(ours, "READY")
        os.write(ours, line.encode())
        shown = read_until(ours, expected)
        bash.kill()
    os.close(ours)
    return shown


def read_until(descriptor: int, expected: str) -> str:
    """Return what can be read, up to what is expected, for at most 20 seconds."""
    shown, deadline = "", time.monotonic() + 20
    while expected not in shown and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.1)[0]:
            shown += os.read(descriptor, 4096).decode(errors="replace")
    return shown


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash here")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("report --model ft\t", " ft:gpt-4o:acme "),
        ("report --model ft:gpt-4o:\t", " ft:gpt-4o:acme "),
        ("report --model=ft:g\t", " --model=ft:gpt-4o:acme "),
        ('report --model "ft:g\t', ' "ft:gpt-4o:acme" '),
        ("report --logs=logs --user ann@\t", " ann@x.org "),
        ("report --where user_i\tx", " user_id=x"),
        ("calls --id some\tx", " --id some\ax"),
        ("import some\t", " somefile "),
    ],
)
def test_bash_completes_words_with_its_own_marks_in_them(
    tmp_path: Path, line: str, expected: str
) -> None:
    """In an interactive bash: names with : and @, values behind =, and files only for files."""
    named = record(user_id="ann@x.org", model_name="ft:gpt-4o:acme")
    write_day(tmp_path / "logs", "2026-11-20", [named])
    (tmp_path / "somefile").touch()
    put_program(tmp_path)
    assert expected in typed(tmp_path, f"tokenusage {line}", expected)
