"""The examples in --help, as somebody copies them."""

import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import run

from tokenusage.cli.app import app
from tokenusage.cli.command import Group

EXAMPLE = re.compile(r"^    (tokenusage .*)$", re.MULTILINE)
COMMANDS = tuple(command.name or "" for command in app.registered_commands)
ELSEWHERE = "/var/log/llm"
"""A directory in the examples that is none of the tests."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with logs, samples and the files that the examples bring in."""
    work = tmp_path_factory.mktemp("work")
    (work / "calls.csv").write_text("time,input\n2026-11-20T10:00:00Z,5\n")
    event = {"event": "call", "prompt_tokens": 5, "request": {"model": "gpt-4o"}}
    event["timestamp"] = "2026-11-20T10:00:00Z"
    (work / "events.jsonl").write_text(f"{json.dumps(event)}\n")
    for logs in ("logs", "logs/demo", "llm"):
        assert run("demo", "--logs", logs, cwd=work).returncode == 0
    return work


def examples(command: str, cwd: Path) -> list[str]:
    return EXAMPLE.findall(run(command, "--help", cwd=cwd).stdout)


def test_the_program_is_a_group_of_commands() -> None:
    """What is registered is what the tests below run through."""
    assert app.info.cls is Group
    assert {"report", "summary", "top", "calls", "watch", "export"} <= set(COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"watch", "demo"}])
def test_every_command_shows_examples_that_work(work: Path, command: str) -> None:
    """There are two at least; `doctor` may find something in the samples."""
    shown = examples(command, work)
    assert len(shown) >= 2
    for example in shown:
        words = shlex.split(example.replace(ELSEWHERE, "llm"))
        assert words[:2] == ["tokenusage", command]
        done = run(*words[1:], cwd=work)
        assert done.returncode in ({0, 1} if command == "doctor" else {0}), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_examples_of_demo_work_where_there_is_nothing(tmp_path: Path) -> None:
    """Each in a directory of its own, as samples never mix with records."""
    shown = examples("demo", tmp_path)
    assert len(shown) >= 2
    for place, example in enumerate(shown):
        (tmp_path / str(place)).mkdir()
        assert run(*shlex.split(example)[1:], cwd=tmp_path / str(place)).returncode == 0


@pytest.mark.slow
def test_the_examples_of_watch_work_until_they_are_left(work: Path) -> None:
    """The first line comes at once, and Ctrl-C is the way out."""
    shown = examples("watch", work)
    assert len(shown) >= 2
    for example in shown:
        command = [sys.executable, "-m", *shlex.split(example)]
        with subprocess.Popen(command, cwd=work, stdout=subprocess.PIPE) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            assert watching.wait(timeout=30) == 0
