from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from support import run

from tokenusage.cli.demo import demo
from tokenusage.errors import LogsError, WrongUseError


@pytest.fixture(autouse=True)
def _without_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TOKENUSAGE_CONFIG", "TOKENUSAGE_LOGS"):
        monkeypatch.delenv(name, raising=False)


def test_demo_writes_samples_that_end_now(capsys: pytest.CaptureFixture[str]) -> None:
    """As many samples as asked for are written, and none of the future."""
    demo(calls=50, logs=Path("logs/demo"))
    assert capsys.readouterr().out == "50 sample calls written to logs/demo\n"
    lines = [line for p in Path("logs/demo").iterdir() for line in p.read_bytes().splitlines()]
    assert len(lines) == 50
    latest = max(orjson.loads(line)["timestamp"] for line in lines)
    assert datetime.fromisoformat(latest) <= datetime.now(UTC)


def test_demo_refuses_a_log_that_holds_records() -> None:
    """A second run leaves the directory as it is."""
    demo(calls=5)
    before = {path.name: path.read_bytes() for path in Path("logs").iterdir()}
    with pytest.raises(LogsError, match="already holds records"):
        demo(calls=5)
    assert {path.name: path.read_bytes() for path in Path("logs").iterdir()} == before


def test_demo_bounds() -> None:
    """Days and calls out of bounds are wrong use."""
    with pytest.raises(WrongUseError, match="--days"):
        demo(days=0)
    with pytest.raises(WrongUseError, match="--calls"):
        demo(calls=10**9)


def test_demo_is_what_report_shows(tmp_path: Path) -> None:
    """From the command line: the samples are clean, and a second demo is exit 1."""
    assert run("demo", "--calls", "80", "--seed", "3", cwd=tmp_path).returncode == 0
    report = run("report", "--days", "30", "--format", "json", cwd=tmp_path)
    ledger = orjson.loads(report.stdout)["ledger"]
    assert (ledger["records"], ledger["rejected"], ledger["duplicates"]) == (80, 0, 0)
    again = run("demo", cwd=tmp_path)
    assert again.returncode == 1
    assert len(again.stderr.splitlines()) == 1
