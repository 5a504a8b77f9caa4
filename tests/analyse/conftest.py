from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

import pytest
from watching import HOUR

from tokenusage.analyse.query import Filters
from tokenusage.analyse.watcher import Watcher


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[Watcher]:
    """A watch over an hour."""
    with Watcher(tmp_path / "logs", Filters(), HOUR, naive_zone=UTC) as watcher:
        yield watcher
