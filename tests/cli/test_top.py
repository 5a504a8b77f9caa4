import csv
import json
import re
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
    """Return a directory with calls of three users on one day, one of them unpriced."""
    lines = [
        record(user_id=1, user_email="a@x.org", cost_estimate=0.25, query="dear", session_id="s"),
        record(user_id="1", user_email="b@x.org", cost_estimate=0.25, response_time=2.0),
        record(user_id=1, user_email="b@x.org", cost_estimate=0.1, success=False),
        record(user_id=2, cost_estimate=0.3, total_tokens=9000, query="long\nwords", task_id="t"),
        record(user_id="own", cost_estimate=None, operation_type="embedding", model_name="own"),
    ]
    write_day(tmp_path / "logs", DAY, lines)
    return tmp_path


def document(cwd: Path, *arguments: str) -> dict[str, Any]:
    """Return what ``top --format json`` says, which fits its schema."""
    done = run("top", *arguments, *PERIOD, "--format", "json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(answer, json.loads(schema_text("top")))
    return answer


def test_users_are_ranked_by_cost_with_their_shares(logs: Path) -> None:
    """Rank, name, usual e-mail, figures, share of the total, the share so far, and a bar."""
    done = run("top", "users", *PERIOD, cwd=logs, env={"COLUMNS": "100"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Top users by cost · {DAY} UTC · logs/\n")
    lines = [line.split() for line in done.stdout.splitlines()]
    bar = "█" * 24
    assert ["1", "1", "b@x.org", "3", "1", "330", "0.6000", "1.00", "67%", "67%", bar] in lines
    assert ["2", "2", "—", "1", "0", "9,000", "0.3000", "0.50", "33%", "100%", bar[:12]] in lines
    assert ["3", "own", "—", "1", "0", "110", "—", "0.50", "—", "—"] in lines
    assert "5 records · 0 rejected · 1 unpriced" in done.stdout


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("models", ["gpt-4o-mini", "own"]),
        ("operations", ["rag_answer", "embedding"]),
        ("sessions", ["s", None]),
        ("tasks", ["t", None]),
        ("queries", ["long\nwords", "dear", None]),
    ],
)
def test_everything_that_has_a_name_can_be_ranked(
    logs: Path, what: str, names: list[str | None]
) -> None:
    """Calls without a session, task or query are one group without a name and a rank."""
    answer = document(logs, what)
    (column,) = {"model", "operation", "session", "task", "query"} & set(answer["rows"][0])
    assert [row[column] for row in answer["rows"]] == names
    ranks = [place if name else None for place, name in enumerate(names, start=1)]
    assert [row["rank"] for row in answer["rows"]] == ranks


@pytest.mark.parametrize(("format_", "rank"), [("table", "   "), ("markdown", "|  | ")])
def test_calls_without_a_name_are_a_row_apart(logs: Path, format_: str, rank: str) -> None:
    """Or a sentence, where no call has one."""
    page = run("top", "sessions", *PERIOD, "--format", format_, cwd=logs).stdout
    assert f"\n{rank}without a session " in page
    nobody = run("top", "tasks", *PERIOD, "--user", "1", "--format", format_, cwd=logs).stdout
    assert "\nNo call has a task in this period.\n" in nobody
    assert "without a task" not in nobody


@pytest.mark.parametrize(
    ("by", "first", "share"),
    [
        ("tokens", "2", 9000 / 9440),
        ("calls", "1", 3 / 5),
        ("failures", "1", 1.0),
        ("response_time", "1", 3 / 4),
    ],
)
def test_what_decides_can_be_chosen(logs: Path, by: str, first: str, share: float) -> None:
    """Shares are of what is ranked by; of the summed time where the average decides."""
    row = document(logs, "users", "--by", by)["rows"][0]
    assert (row["user"], row["share"]) == (first, share)


def test_a_limit_counts_the_others_together(logs: Path) -> None:
    """They are a row of the table, and `more` and `rest` in JSON; totals are of all."""
    answer = document(logs, "users", "--limit", "1")
    assert (answer["more"], answer["rest"]["calls"], answer["totals"]["calls"]) == (2, 2, 5)
    text = run("top", "users", *PERIOD, "--limit", "1", cwd=logs).stdout
    assert re.search(r"^ +2 more +2 +0 +9,110 +≥ 0.3000", text, re.MULTILINE)


def test_figures_are_those_of_the_report(logs: Path) -> None:
    """One row model: a row of top is the row of ``report --by``."""
    done = run("report", *PERIOD, "--by", "model", "--format", "json", cwd=logs)
    report, answer = json.loads(done.stdout), document(logs, "models")
    ours = {"rank", "share", "cumulative_share"}
    plain = [{k: v for k, v in row.items() if k not in ours} for row in answer["rows"]]
    assert plain == report["rows"]
    for key in ("period", "filters", "cost", "totals", "ledger"):
        assert answer[key] == report[key]


def test_users_come_from_the_summaries(logs: Path) -> None:
    """No record is read: a day that only its sums are left of is answered too."""
    before = document(logs, "users")
    assert run("rotate", "--keep-days", "1", cwd=logs).returncode == 0
    after = document(logs, "users")
    assert after["ledger"]["summary_only_days"] == [DAY]
    assert after["rows"] == before["rows"]


def test_csv_and_markdown_hold_the_same_rows(logs: Path) -> None:
    """What the table says, for a spreadsheet and for a page."""
    text = run("top", "users", *PERIOD, "--format", "csv", cwd=logs).stdout
    rows = list(csv.DictReader(StringIO(text)))
    assert [(row["rank"], row["user"], row["cost"]) for row in rows] == [
        ("1", "1", "0.6"), ("2", "2", "0.3"), ("3", "own", ""),
    ]  # fmt: skip
    page = run("top", "users", *PERIOD, "--format", "markdown", cwd=logs).stdout
    assert "| 1 | 1 | b@x.org | 3 | 1 | 330 | 0.6000 | 1.00 | 67% | 67% |" in page
    assert "|  | **Total** |  | 5 | 1 | 9,440 | ≥ 0.9000 | 0.80 | 100% |  |" in page


@pytest.mark.parametrize("format_", ["table", "json", "csv", "markdown"])
def test_hostile_queries_are_inert(tmp_path: Path, format_: str) -> None:
    """No query moves a cursor or breaks a line, in any format."""
    query = HOSTILE.replace("\ud800", "")
    write_day(tmp_path / "logs", DAY, [record(query=query)])
    text = run("top", "queries", *PERIOD, "--format", format_, cwd=tmp_path).stdout
    assert text.replace("\n", "").isprintable()


def test_a_wrong_word_gets_the_nearest(logs: Path) -> None:
    """One sentence, exit 2, nothing read."""
    for arguments, near in (
        (("user",), "Did you mean users?"),
        (("users", "--by", "token"), "Did you mean tokens?"),
        (("users", "--limit", "0"), "--limit must be 1 or more"),
        (("users", "--format", "yaml"), "none of table, json"),
    ):
        done = run("top", *arguments, cwd=logs)
        assert (done.returncode, done.stdout) == (2, "")
        assert near in done.stderr


def test_an_empty_period_is_an_answer_with_a_hint(logs: Path) -> None:
    """The hint works when it is typed."""
    done = run("top", "users", "--month", "2025-01", cwd=logs)
    assert done.returncode == 0
    hint = f"tokenusage top users --since {DAY}"
    assert f"  {hint}\n" in done.stdout
    assert "TOTAL" in run(*hint.split()[1:], cwd=logs).stdout
    assert document(logs, "users", "--user", "nobody")["rows"] == []


def test_strict_fails_where_a_price_is_missing(logs: Path) -> None:
    """The ranking is printed all the same."""
    done = run("top", "users", *PERIOD, "--strict", cwd=logs)
    assert done.returncode == 1
    assert "TOTAL" in done.stdout
    assert "1 unpriced" in done.stderr


def test_bars_are_of_what_the_encoding_has(logs: Path) -> None:
    """ASCII where there are no blocks."""
    env = {"COLUMNS": "120", "PYTHONIOENCODING": "ascii"}
    text = run("top", "users", *PERIOD, cwd=logs, env=env).stdout
    assert text.isascii()
    assert "  ####" in text
    whole = run("top", "users", *PERIOD, cwd=logs, env={"COLUMNS": "120"}).stdout
    assert list(map(len, text.splitlines())) == [len(line) for line in whole.splitlines()]
    assert ">=0.9000" in text


def test_output_is_a_file(logs: Path) -> None:
    """Whole, and nothing on stdout."""
    done = run("top", "users", *PERIOD, "--output", "top.txt", cwd=logs)
    assert (done.returncode, done.stdout) == (0, "")
    assert "█" in (logs / "top.txt").read_text()
