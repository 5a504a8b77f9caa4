import re
import subprocess
import sys
from pathlib import Path

from support import record, run, write_day

COMMANDS = (
    *("report", "summary", "top", "calls", "watch", "statusline"),
    *("rotate", "export", "forget", "doctor", "log"),
    *("prices", "import", "schema", "demo"),
)


def test_help_shows_report_first(tmp_path: Path) -> None:
    """The rest stands in groups behind it."""
    done = run("--help", cwd=tmp_path)
    assert re.findall("^  ([a-z]+) ", done.stdout, re.MULTILINE) == list(COMMANDS)
    assert run(cwd=tmp_path).stdout == done.stdout


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    """One line, for a bug report."""
    assert re.fullmatch(
        r"tokenusage [0-9]+\.[0-9]+\.[0-9]+\n", run("--version", cwd=tmp_path).stdout
    )


def test_an_unknown_command_gets_the_nearest_name(tmp_path: Path) -> None:
    """One line on stderr, exit 2."""
    done = run("doctr", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tokenusage: No such command 'doctr'. Did you mean 'doctor'?\n"


def test_a_wrong_configuration_is_wrong_use(tmp_path: Path) -> None:
    """Exit 2, one line that names the key."""
    (tmp_path / "tokenusage.toml").write_text("qery_chars = 3\n")
    done = run("report", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "query_chars" in done.stderr


def loaded_by(cwd: Path, *arguments: str) -> set[str]:
    """Return which modules stand in memory after a command, and that it worked."""
    code = (
        "import sys\nfrom tokenusage.cli import main\n"
        f"try:\n    main({list(arguments)})\n"
        "except SystemExit as end:\n    print(end.code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True
    )
    exit_code, *modules = done.stderr.split()
    assert exit_code == "0"
    return set(modules)


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    """What a command lives on is imported when it runs."""
    heavy = {"pandas", "numpy", "pyarrow", "rich", "genai_prices", "pydantic"}
    assert not heavy & loaded_by(tmp_path, "--help")
    assert not heavy & loaded_by(tmp_path, "report", "--help")


def test_a_report_needs_no_pydantic(tmp_path: Path) -> None:
    """Typer would import it to turn a word into a word."""
    write_day(tmp_path / "logs", "2026-11-20", [record()])
    modules = loaded_by(tmp_path, "report", "--all", "--user", "1", "--logs", "logs")
    assert "pydantic" not in modules
    assert "pandas" in modules


def test_hostile_words_in_an_error_are_inert(tmp_path: Path) -> None:
    """An argument that is quoted back moves no cursor, and stays on its line."""
    done = run("report", "--by", "x\x1b[2J\ny", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_the_unexpected_is_one_line_too(tmp_path: Path) -> None:
    """A defect says where to look instead of printing a traceback, unless it is asked for."""
    code = (
        "from tokenusage.cli import app, main\n"
        "def broken() -> None:\n    raise ZeroDivisionError('x')\n"
        "app.app.command('broken')(broken)\nmain(['broken'])"
    )

    def attempt(**env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    assert attempt().returncode == 1
    assert attempt().stderr.count("\n") == 1
    assert "TOKENUSAGE_DEBUG=1" in attempt().stderr
    assert "Traceback" in attempt(TOKENUSAGE_DEBUG="1").stderr
