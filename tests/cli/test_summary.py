import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support import record, run, write_day

from tokenusage.show.schema import schema_text

SESSION = {"session_id": "s1", "task_id": "t1", "batch_id": "b1", "items": 4}


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory with a call of two minutes ago, one of 40 days ago, and a cache hit."""
    now = datetime.now(UTC)
    moments = [now - ago for ago in (timedelta(minutes=2), timedelta(days=40))]
    kinds: tuple[dict[str, Any], ...] = (SESSION, {"user_id": 2})
    for moment, more in zip(moments, kinds, strict=True):
        fields: dict[str, Any] = {**more, "tags": {"grade": 0.5}}
        call = record(moment.isoformat(timespec="microseconds"), **fields)
        hit = call | {"cache": "session", "cost_estimate": 0}
        write_day(
            tmp_path / "logs", f"{moment:%Y-%m-%d}", [call, *([hit] if more == SESSION else [])]
        )
    return tmp_path


def document(cwd: Path, *arguments: str) -> dict[str, Any]:
    """Return what ``summary --format json`` says, after it was held against its schema."""
    done = run("summary", "--format", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    validator = jsonschema.Draft202012Validator(json.loads(schema_text("summary")))
    validator.validate(said)
    return said


def test_the_page_has_a_row_for_each_period(logs: Path) -> None:
    """Without colour in a pipe, with the sections below and nothing on stderr."""
    done = run("summary", cwd=logs)
    assert (done.returncode, done.stderr) == (0, "")
    row = re.compile("^(last hour|last 24 hours|all time) +([0-9]+)", re.MULTILINE)
    assert row.findall(done.stdout)[:3] == [
        ("last hour", "1"),
        ("last 24 hours", "1"),
        ("all time", "2"),
    ]
    for heading in ("OPERATION", "sessions", "tasks", "TOKENS", "CACHE"):
        assert re.search(f"^{heading} ", done.stdout, re.MULTILINE), heading
    assert "\x1b" not in done.stdout


def test_json_is_what_its_schema_says(logs: Path) -> None:
    """All sections are there, those with nothing to say too."""
    said = document(logs, "--tz", "Europe/Berlin")
    assert said["schema"] == "tokenusage.summary/1"
    assert [period["name"] for period in said["periods"]][::4] == ["last_hour", "all_time"]
    assert said["periods"][0]["change"] == {"calls": None, "cost": None}
    assert (said["sessions"]["number"], said["cache"]["session"]) == (1, 1)
    write_day(logs / "empty", "2026-11-20", [])
    assert document(logs, "--logs", "empty")["sessions"]["avg_calls"] is None


def test_filters_say_which_calls_count(logs: Path) -> None:
    """In every section."""
    said = document(logs, "--user", "2")
    assert said["periods"][-1]["calls"] == 1
    assert (said["sessions"]["number"], said["ledger"]["filtered"]) == (0, 2)


def test_a_numeric_tag_is_averaged(logs: Path) -> None:
    """In each period, in every format; only tags are."""
    said = document(logs, "--mean", "tag.grade")
    assert said["periods"][0]["mean_tag.grade"] == 0.5
    assert "Mean grade" in run("summary", "--mean", "tag.grade", cwd=logs).stdout
    done = run("summary", "--mean", "cost", cwd=logs)
    assert done.returncode == 2
    assert "--mean tag.NAME" in done.stderr


def test_csv_has_a_line_for_each_figure(logs: Path) -> None:
    """The same figures as JSON, and the account on stderr."""
    done = run("summary", "--format", "csv", cwd=logs)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["section,key,figure,value", "period,last_hour,calls,1"]
    assert "items,all_time,items,4" in lines
    assert "operation,rag_answer,cost,0.002" in lines
    assert "3 records" in done.stderr


def test_markdown_goes_into_a_file(logs: Path) -> None:
    """Whole, and without a word on stdout."""
    done = run("summary", "--format", "markdown", "--output", "morning.md", cwd=logs)
    assert (done.returncode, done.stdout) == (0, "")
    text = (logs / "morning.md").read_text()
    assert text.startswith("## Summary\n")
    assert "| last hour | 1 |" in text


def test_nothing_to_sum_up_is_an_answer(tmp_path: Path) -> None:
    """It says what to do about it."""
    (tmp_path / "logs").mkdir()
    done = run("summary", cwd=tmp_path)
    assert done.returncode == 0
    assert "There are no log files in logs yet." in done.stdout


def test_strict_minds_what_is_short(logs: Path) -> None:
    """A line that is no record makes the page short."""
    assert run("summary", "--strict", cwd=logs).returncode == 0
    write_day(logs / "logs", "2026-01-01", [b"oops"])
    done = run("summary", "--strict", cwd=logs)
    assert done.returncode == 1
    assert "1 rejected" in done.stderr


@pytest.mark.slow
def test_a_directory_with_retention_is_whole(tmp_path: Path) -> None:
    """What sums can't tell is said, on stderr too; but calls, tokens and costs are not short."""
    now = datetime.now(UTC)
    for day in (now - timedelta(days=n) for n in range(62)):
        write_day(tmp_path / "logs", f"{day:%Y-%m-%d}", [record(day.isoformat(), **SESSION)])
    assert run("rotate", "--keep-days", "7", cwd=tmp_path).returncode == 0
    done = run("summary", "--strict", "--format", "csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\nnot in percentiles, sessions, tasks, tokens and prices of items" in done.stderr
    assert "not in these figures" not in done.stderr
    said = document(tmp_path, "--strict", "--mean", "tag.grade")
    assert said["periods"][3]["before"]["calls"] > 0
    assert (said["periods"][4]["calls"], said["ledger"]["unanswered_days"]) == (62, [])


def test_marks_are_such_as_the_encoding_has(logs: Path) -> None:
    """As wide as those that a page has elsewhere, so that columns stay below each other."""
    write_day(logs / "logs", "2026-01-01", [record("2026-01-01T00:00:00Z", cost_estimate=None)])
    pages = [
        run("summary", cwd=logs, env={"PYTHONIOENCODING": encoding}).stdout.splitlines()
        for encoding in ("ascii", "utf-8")
    ]
    ascii_page, page = pages
    assert all(line.isascii() for line in ascii_page)
    assert [len(line) for line in ascii_page] == [len(line) for line in page]
    assert ">=0.00" in "".join(ascii_page)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    """In one sentence."""
    done = run("summary", "--logs", "nowhere", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("tokenusage: There is no log directory 'nowhere'")


def test_the_page_needs_no_pandas(logs: Path) -> None:
    """Importing it would take as long as everything else together."""
    code = (
        "import sys\n"
        "from tokenusage.cli.app import main\n"
        "try:\n"
        "    main(['summary'])\n"
        "except SystemExit:\n"
        "    print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=logs, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("\nFalse\n")
