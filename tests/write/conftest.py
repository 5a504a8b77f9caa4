from collections.abc import Iterator
from pathlib import Path

import pytest
from writing import LinearPricer

from tokenusage.write.tracker import Tracker


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def tracker(logs: Path) -> Iterator[Tracker]:
    with Tracker(logs, pricer=LinearPricer()) as tracker:
        yield tracker
