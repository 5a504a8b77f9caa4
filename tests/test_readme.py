"""The README against the program."""

import re
import tomllib
from pathlib import Path

import pytest
from support import run

from tokenusage.config import load_settings

README = (Path(__file__).parent.parent / "README.md").read_text()


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands_of_help(text: str) -> list[str]:
    """Return the commands in the order in which --help shows them."""
    commands = text.partition("\nOptions:")[0]
    return re.findall(r"^  ([a-z]+) {2,}\S", commands, re.MULTILINE)


def test_command_list_is_that_of_the_help(tmp_path: Path) -> None:
    """README and --help show the same commands in the same order, report first."""
    shown = commands_of_help(run("--help", cwd=tmp_path).stdout)
    assert re.findall(r"^\| `tokenusage ([a-z]+)` \|", README, re.MULTILINE) == shown
    assert shown[0] == "report"


def command_lines() -> list[str]:
    lines = [line for block in examples("console") for line in block.splitlines()]
    return [line.partition("#")[0].strip() for line in lines if line.startswith("$ tokenusage ")]


@pytest.mark.slow
@pytest.mark.parametrize("line", command_lines())
def test_command_lines_work_as_they_are_written(tmp_path: Path, line: str) -> None:
    """Every command that the README shows runs on a fresh directory of samples."""
    (tmp_path / "trace.csv").write_text("TIME,in\n2026-11-20T10:00:00Z,5\n")
    run("demo", cwd=tmp_path)
    done = run(*line.split()[2:], cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_configuration_is_what_the_program_reads(tmp_path: Path) -> None:
    """The example file is read without complaint, and says what holds by default."""
    (example,) = examples("toml")
    path = tmp_path / "tokenusage.toml"
    path.write_text(example)
    settings = load_settings({}, tmp_path)
    assert settings.query_chars == tomllib.loads(example)["query_chars"] == 500
    assert settings.prices.alias("my-deployment") == "gpt-4o"


@pytest.mark.parametrize("block", examples("python"), ids=range(len(examples("python"))))
def test_python_examples_compile(block: str) -> None:
    """What is shown is Python, with names that exist."""
    compile(block, "README", "exec")
    for name in re.findall(r"from tokenusage import (\w+)|tokenusage\.(\w+)\(", block):
        assert hasattr(__import__("tokenusage"), "".join(name))
