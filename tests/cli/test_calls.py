import csv
import json
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from reports import HOSTILE
from support import record, run, write_day

from tokenusage.show.schema import schema_text

DAY = "2026-11-20"
PERIOD = ("--since", DAY, "--until", DAY)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory with four calls of one day and a cache hit."""
    lines = [
        record(f"{DAY}T10:00:00Z", user_id=1, cost_estimate=0.5, query="first", id="a"),
        record(f"{DAY}T11:00:00Z", user_id=2, cost_estimate=None, response_time=9.0, id="b"),
        record(f"{DAY}T12:00:00Z", success=False, error_message="Overloaded: 529", id="c"),
        record(f"{DAY}T13:00:00Z", total_tokens=9000, usage_source="estimated", id="d", zz=[1]),
        record(f"{DAY}T14:00:00Z", cache="session", id="e"),
    ]
    write_day(tmp_path / "logs", DAY, lines)
    return tmp_path


def document(cwd: Path, *arguments: str) -> dict[str, Any]:
    """Return what ``calls --format json`` says, which fits its schema."""
    done = run("calls", *PERIOD, "--format", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(answer, json.loads(schema_text("calls")))
    return answer


def ids(cwd: Path, *arguments: str) -> str:
    """Return the ids of the calls of a page, in order."""
    return "".join(row["id"] for row in document(cwd, *arguments)["rows"])


def test_calls_are_listed_newest_first(logs: Path) -> None:
    """With the page, the number of pages and the ledger, and without colour in a pipe."""
    done = run("calls", *PERIOD, cwd=logs, env={"COLUMNS": "140"})
    assert (done.returncode, done.stderr) == (0, "")
    _, headline, _, *lines = done.stdout.splitlines()
    assert headline == "4 calls · page 1 of 1 · newest first · 1 cache hit not listed"
    assert [line.split()[1] for line in lines[1:5]] == [
        "13:00:00", "12:00:00", "11:00:00", "10:00:00",
    ]  # fmt: skip
    assert "failed: Overloaded: 529" in lines[2]
    assert lines[1].split()[-1] == "estimated"
    assert lines[-1] == "1 file · 5 records · 0 rejected · 1 unpriced · 1 estimated"


def test_json_has_every_figure_of_a_call(logs: Path) -> None:
    """Under the names of the row model."""
    answer = document(logs, "--user", "1", "--order", "cost", "--limit", "1")
    assert (answer["calls"], answer["pages"], answer["exact"]) == (3, 3, True)
    assert answer["rows"] == [
        {
            "time": f"{DAY}T10:00:00.000000+00:00",
            "user": "1",
            "operation": "rag_answer",
            "model": "gpt-4o-mini",
            "prompt_tokens": 100,
            "completion_tokens": 10,
            "total_tokens": 110,
            "cost": 0.5,
            "response_time": 0.5,
            "success": True,
            "error_message": None,
            "usage_source": None,
            "query": "first",
            "id": "a",
        }
    ]


@pytest.mark.slow
def test_orders_and_filters_choose_the_calls(logs: Path) -> None:
    """The largest first, the unknown last; filters are those of a report."""
    assert ids(logs, "--order", "cost") == "adcb"
    assert ids(logs, "--order", "tokens") == "dcba"
    assert ids(logs, "--order", "response_time") == "bdca"
    assert ids(logs, "--failed") == ids(logs, "--where", "success=false") == "c"
    assert ids(logs, "--user", "2") == "b"


@pytest.mark.slow
def test_pages_follow_each_other(logs: Path) -> None:
    """One beyond the last is an answer, which says so."""
    assert [ids(logs, "--limit", "3", "--page", page) for page in "123"] == ["dcb", "a", ""]
    done = run("calls", *PERIOD, "--limit", "3", "--page", "3", cwd=logs)
    assert done.returncode == 0
    assert "There is no page 3: the last one is 2." in done.stdout


def test_csv_and_markdown_hold_the_same_calls(logs: Path) -> None:
    """CSV for programs, with the account on stderr; Markdown to be pasted."""
    done = run("calls", *PERIOD, "--format", "csv", cwd=logs)
    rows = list(csv.DictReader(StringIO(done.stdout)))
    assert [row["id"] for row in rows] == list("dcba")
    assert (rows[2]["cost"], rows[1]["success"]) == ("", "false")
    assert "5 records" in done.stderr
    markdown = run("calls", *PERIOD, "--format", "markdown", cwd=logs).stdout
    assert "| failed: Overloaded: 529 |" in markdown


def test_one_call_is_shown_whole(logs: Path) -> None:
    """Whenever it was: every field, also one that nobody knows, with its unit and its place."""
    text = run("calls", "--id", "d", cwd=logs).stdout
    assert text.startswith(f"Call · logs/token_usage_{DAY}.jsonl:4\n")
    lines = [line.split(maxsplit=1) for line in text.splitlines()]
    assert ["total_tokens", "9000 tokens"] in lines
    assert ["zz", "[1]"] in lines


@pytest.mark.slow
def test_a_long_value_is_shown_whole(tmp_path: Path) -> None:
    """Four megabytes of it, before anybody thinks that nothing happens."""
    write_day(tmp_path / "logs", DAY, [record(id="a", query="x" * (4 << 20) + "end")])
    done = run("calls", "--id", "a", cwd=tmp_path)
    assert done.stdout.count("x") >= 4 << 20
    assert "xend" in done.stdout.replace("\n", "").replace(" ", "")


def test_one_call_as_json_is_the_record(logs: Path) -> None:
    """As it was logged, in a document that fits its schema; csv and Markdown hold the same."""
    answer = json.loads(run("calls", "--id", "d", "--format", "json", cwd=logs).stdout)
    jsonschema.validate(answer, json.loads(schema_text("call")))
    assert answer["call"]["zz"] == [1]
    assert (answer["file"], answer["line"]) == (f"token_usage_{DAY}.jsonl", 4)
    assert (
        "response_time,0.5,seconds\n"
        in run("calls", "--id", "d", "--format", "csv", cwd=logs).stdout
    )
    assert (
        "| response_time | 0.5 seconds |"
        in run("calls", "--id", "d", "--format", "markdown", cwd=logs).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--limit", "0"), 2, "--limit must be 1 or more, not 0."),
        (("--page", "-1"), 2, "--page must be 1 or more, not -1."),
        (("--order", "costs"), 2, "--order 'costs' is none of date, cost, tokens, response_time."),
        (("--id", "a", "--failed"), 2, "--id names one call: leave the filters out."),
        (("--id", "a", "--page", "2"), 2, "--id names one call: leave --order, --limit and"),
        (("--id", ""), 2, "--id is empty: give the id of a call."),
        (("--id", "nope"), 1, "There is no call with the id 'nope' in 'logs'."),
        (
            ("--id", "a", "--since", "2026-11-21", "--until", "2026-11-21"),
            1,
            "There is no call with the id 'a' in 'logs' in the files of 2026-11-21 UTC.",
        ),
        (("--logs", "missing"), 1, "There is no log directory 'missing'"),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence(
    logs: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    """With its exit code, and nothing on stdout."""
    done = run("calls", *arguments, cwd=logs)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"tokenusage: {sentence}")


def test_an_empty_period_is_an_answer(logs: Path) -> None:
    """With a hint that works when it is typed."""
    done = run("calls", "--since", "2026-01-01", "--until", "2026-01-02", cwd=logs)
    assert done.returncode == 0
    assert f"  tokenusage calls --since {DAY}\n" in done.stdout


@pytest.mark.parametrize("format_", ["table", "json", "csv", "markdown"])
def test_hostile_texts_are_inert(tmp_path: Path, format_: str) -> None:
    """In the list and in the single call, in every format."""
    hostile = HOSTILE.replace("\ud800", "")
    line = record(user_id=hostile, query=hostile, model_name=hostile, id="a", tags={hostile: 1})
    write_day(tmp_path / "logs", DAY, [line])
    for which in (PERIOD, ("--id", "a")):
        done = run("calls", *which, "--format", format_, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("format_", "heavy"), [("table", {"pandas"}), ("json", {"pandas", "rich"})]
)
def test_no_library_is_loaded_that_is_not_needed(logs: Path, format_: str, heavy: set[str]) -> None:
    """Importing pandas alone would take as long as everything else together."""
    script = (
        "import atexit, sys\n"
        "from tokenusage.cli import main\n"
        "atexit.register(lambda: print(*{m.split('.')[0] for m in sys.modules}, file=sys.stderr))\n"
        f"main(['calls', '--since', '{DAY}', '--user', '1', '--format', '{format_}'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=logs, capture_output=True, text=True, check=True
    )
    assert "pyarrow" in done.stderr.split()
    assert not heavy & set(done.stderr.split())
