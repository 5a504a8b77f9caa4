import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pyte
import pytest
from support import record, run

PATIENCE = 30.0


def append(logs: Path, *calls: dict[str, Any]) -> None:
    """Write calls of this moment to today's file."""
    logs.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    with (logs / f"token_usage_{now.date()}.jsonl").open("ab") as file:
        stamp = {"timestamp": now.isoformat(timespec="microseconds")}
        file.writelines(orjson.dumps(call | stamp) + b"\n" for call in calls)


class Terminal:
    """A process on a terminal of its own, and what stands on its screen."""

    def __init__(self, cwd: Path, *arguments: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            # Not `execv`: readline sets COLUMNS and LINES behind the back of os.environ.
            left_out = ("COLUMNS", "LINES", "NO_COLOR")
            env = {name: text for name, text in os.environ.items() if name not in left_out}
            command = [sys.executable, "-m", "tokenusage", "watch", *arguments]
            os.execve(sys.executable, command, env | {"TERM": "xterm-256color"})
        self.written = b""
        self.resize(100, 30)

    def resize(self, columns: int, rows: int) -> None:
        """Give it another size, and a screen that is blank."""
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, size)

    def press(self, keys: str) -> None:
        """Type keys."""
        os.write(self.descriptor, keys.encode())

    def shows(self, pattern: str) -> str:
        """Wait until the screen shows something, and return it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            text = "\n".join(self.screen.display)
            if match := re.search(pattern, text):
                return match[0]
            self._read()
        raise AssertionError(f"{pattern!r} never came:\n{text}")

    def ends(self) -> int:
        """Wait until the process has ended, and return its exit code."""
        while self._read():
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bool:
        if select.select([self.descriptor], [], [], 0.1)[0]:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:
                return False
            self.written += data
            self.stream.feed(data)
            return bool(data)
        return True


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Terminal]:
    """The live screen over a directory with one call."""
    append(tmp_path / "logs", record())
    terminal = Terminal(tmp_path, "--interval", "0.2")
    yield terminal
    os.close(terminal.descriptor)


@pytest.mark.slow
def test_screen_follows_and_groups(watching: Terminal, tmp_path: Path) -> None:
    """A call that is written comes up; keys change the grouping; q quits."""
    watching.shows("1 call ")
    append(tmp_path / "logs", record(user_id="ann", success=False))
    watching.shows(r"2 calls \(50\.0% ok\)")
    for key, heading in (("u", "USER"), ("o", "OPERATION"), ("d", "FROM"), ("m", "MODEL")):
        watching.press(key)
        watching.shows(rf"(?m)^{heading} +Calls")
    watching.press("q")
    assert watching.ends() == 0
    assert watching.written.endswith(b"\x1b[?1049l")


@pytest.mark.slow
def test_pause_goes_on_reading(watching: Terminal, tmp_path: Path) -> None:
    """The screen holds still and says so, and misses nothing."""
    watching.shows("1 call ")
    watching.press("p")
    watching.shows("PAUSED, still reading")
    append(tmp_path / "logs", record())
    time.sleep(0.8)
    watching.shows("1 call ")
    watching.press("p")
    watching.shows("2 calls ")
    watching.press("q")
    assert watching.ends() == 0


@pytest.mark.slow
def test_resize_draws_anew(watching: Terminal) -> None:
    """In the new width, at once."""
    watching.shows("Failed")
    watching.resize(60, 20)
    watching.shows(r"(?m)^MODEL +Calls +Prompt.*\n(.*\n)*.*q quit")
    watching.press("q")
    assert watching.ends() == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGQUIT, 131)]
)
def test_terminal_is_given_back(watching: Terminal, number: int, code: int) -> None:
    """Whatever ends it: echo, cursor and the first screen are there again."""
    before = termios.tcgetattr(watching.descriptor)
    watching.shows("1 call ")
    assert termios.tcgetattr(watching.descriptor) != before
    os.kill(watching.pid, number)
    assert watching.ends() == code
    assert watching.written.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")


@pytest.mark.slow
def test_terminal_that_is_closed_is_a_quiet_end(tmp_path: Path) -> None:
    """Nothing goes wrong: nobody is looking any more."""
    master, slave = pty.openpty()
    append(tmp_path / "logs", record())
    with subprocess.Popen(
        [sys.executable, "-m", "tokenusage", "watch", "--interval", "0.2"],
        cwd=tmp_path,
        env={**os.environ, "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(slave)
        assert process.stderr is not None
        assert os.read(master, 100)
        os.close(master)
        assert process.wait(PATIENCE) == 128 + signal.SIGHUP
        assert process.stderr.read() == b""


@pytest.mark.slow
def test_stopped_program_gives_the_terminal_back_meanwhile(watching: Terminal) -> None:
    """Ctrl-Z leaves the screen; when it goes on it is there again."""
    watching.shows("1 call ")
    os.kill(watching.pid, signal.SIGTSTP)
    _, status = os.waitpid(watching.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert termios.tcgetattr(watching.descriptor)[3] & termios.ECHO
    watching.screen.reset()
    os.kill(watching.pid, signal.SIGCONT)
    watching.shows("1 call ")
    watching.press("q")
    assert watching.ends() == 0


@pytest.mark.slow
def test_pipe_gets_a_line_an_interval_until_it_has_enough(tmp_path: Path) -> None:
    """A caption, heads and then lines; when the reader leaves, it ends quietly."""
    (tmp_path / "logs").mkdir()
    command = [sys.executable, "-m", "tokenusage", "watch", "--interval", "0.2"]
    env = {**os.environ, "COLUMNS": "100"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        heading = [process.stdout.readline().split(" ")[0] for _ in range(3)]
        assert heading == ["Live", "\n", "TIME"]
        append(tmp_path / "logs", record(), record(cost_estimate=None))
        lines = [process.stdout.readline()]
        while " 2 " not in lines[-1]:
            lines.append(process.stdout.readline())
        assert lines[-1].split()[2:] == ["2", "0", "220", "≥", "0.0010", "2", "≥", "0.0010"]
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


@pytest.mark.slow
def test_what_makes_lines_short_is_said_beside_them(tmp_path: Path) -> None:
    """On stderr, once, and again when there is more of it."""
    command = [sys.executable, "-m", "tokenusage", "watch", "--interval", "0.2"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(2)]
        append(tmp_path / "logs")
        name = f"token_usage_{datetime.now(UTC).date()}.jsonl"
        (tmp_path / "logs" / name).write_bytes(b"torn\n")
        told += [process.stderr.readline() for _ in range(2)]
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        told.append(process.stderr.read())
    assert told == [
        "1 files not read\n",
        "not read: there is no directory 'logs' yet\n",
        "1 rejected\n",
        f"rejected: {name}:1: is not JSON\n",
        "",
    ]


@pytest.mark.slow
def test_json_is_an_object_a_line(tmp_path: Path) -> None:
    """Each as its schema says; the directory need not be there yet."""
    schema = json.loads(files("tokenusage.show").joinpath("schemas/watch.json").read_text())
    command = [sys.executable, "-m", "tokenusage", "watch", "--interval=0.2", "--format=json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        documents = [json.loads(process.stdout.readline())]
        append(tmp_path / "logs", record(), record(id="a"), record(id="a"))
        while documents[-1]["totals"]["calls"] == 0:
            documents.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    for document in documents:
        jsonschema.validate(document, schema)
    assert documents[-1]["new"]["calls"] == documents[-1]["totals"]["calls"] == 2
    assert documents[-1]["ledger"]["duplicates"] == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--interval", "0.1"), "from 0.2s to 1h"),
        (("--interval", "soon"), "'soon'"),
        (("--window", "30s"), "from 1m to 7d"),
        (("--window", "1y"), "'1y'"),
        (("--window", "-1h"), "--window"),
        (("--tz", "Mars"), "Mars"),
        (("--format", "xml"), "xml"),
        (("--where", "operation"), "FIELD=VALUE"),
    ],
)
def test_wrong_words_are_wrong_use(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    """Exit 2, one sentence that says what would be right."""
    done = run("watch", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert named in done.stderr
