from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from support import run

from tokenusage.cli.log import log
from tokenusage.errors import LogsError, WrongUseError


@pytest.fixture(autouse=True)
def _without_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TOKENUSAGE_CONFIG", "TOKENUSAGE_LOGS"):
        monkeypatch.delenv(name, raising=False)


def logged() -> dict[str, Any]:
    """Return the one record in ``logs``."""
    (path,) = Path("logs").iterdir()
    (line,) = path.read_bytes().splitlines()
    found: dict[str, Any] = orjson.loads(line)
    return found


def test_log_writes_one_priced_record(capsys: pytest.CaptureFixture[str]) -> None:
    """The record is in today's file with its cost, and its id is printed."""
    log(model="gpt-4o-mini", operation="summary", prompt_tokens=1250, completion_tokens=150)
    record = logged()
    assert capsys.readouterr().out == f"{record['id']}\n"
    assert record["total_tokens"] == 1400
    assert record["cost_estimate"] == 0.0002775
    age = datetime.now(UTC) - datetime.fromisoformat(record["timestamp"])
    assert age.total_seconds() < 60


def test_log_takes_every_option() -> None:
    """Each option becomes its field; an error is a failure."""
    log(
        model="gpt-4o",
        operation="cron",
        prompt_tokens=0,
        user="123",
        query="nightly",
        response_time=1.5,
        error="timed out",
        provider="openai",
        session="s1",
        tags=["team=a", "note=x=y"],
        timestamp="2026-11-20T12:00:00+01:00",
    )
    expected = {
        "timestamp": "2026-11-20T11:00:00.000000+00:00",
        "user_id": "123",
        "query": "nightly",
        "response_time": 1.5,
        "success": False,
        "error_message": "timed out",
        "provider": "openai",
        "session_id": "s1",
        "tags": {"team": "a", "note": "x=y"},
    }
    assert logged().items() >= expected.items()


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"prompt_tokens": -1}, "prompt_tokens"),
        ({"response_time": float("nan")}, "response_time"),
        ({"timestamp": "soon"}, "--timestamp"),
        ({"tags": ["team"]}, "--tag takes NAME=VALUE"),
        ({"tags": ["timestamp=1"]}, "timestamp"),
    ],
)
def test_wrong_values_write_nothing(options: dict[str, Any], part: str) -> None:
    """A value that a record can't have is wrong use, and nothing is written."""
    with pytest.raises(WrongUseError, match=part):
        log(model="gpt-4o", operation="cron", **{"prompt_tokens": 1, **options})
    assert not Path("logs").exists()


def test_a_dropped_record_is_an_error() -> None:
    """Where the log can't be written the sentence says why."""
    Path("logs").write_text("in the way")
    with pytest.raises(LogsError, match="not logged to 'logs': "):
        log(model="gpt-4o", operation="cron", prompt_tokens=1)


def test_log_from_the_command_line(tmp_path: Path) -> None:
    """A shell script gets the id and 0, or one sentence and 2."""
    options = ("log", "--model", "gpt-4o", "--operation", "cron", "--prompt-tokens")
    done = run(*options, "12", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{logged()['id']}\n")
    wrong = run(*options, "many", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert len(wrong.stderr.splitlines()) == 1
