"""The form of the suite, a log directory that leaves no gigabytes behind, and the figures."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torture.sizes import LONG, SHORT, Sizes

FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def sizes() -> Sizes:
    """The sizes of the form that was asked for."""
    return LONG if os.environ.get("TOKENUSAGE_TORTURE") == "long" else SHORT


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """A log directory, removed after the test: pytest would keep three of them."""
    yield tmp_path / "logs"
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """What notes a line of figures for the end of the run."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the figures of all tests."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)
