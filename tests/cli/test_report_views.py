"""What ``tokenusage report`` has beside its tables: charts, comparisons and averages of tags."""

import csv
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support import record, run, write_day

from tokenusage.show.schema import schema_text

OCTOBER = ("--month", "2026-10")
COMPARED = ("--month", "2026-11", "--compare", "2026-10-01..2026-10-31")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Return a directory with a few calls in October and more in November 2026."""
    for day, cost, grade in (
        ("2026-10-05", 1, 0.1),
        ("2026-10-07", 2, "high"),
        ("2026-11-05", 3, 0.2),
    ):
        lines = [
            record(f"{day}T12:00:00+00:00", cost_estimate=cost, tags={"confidence": grade}),
            record(f"{day}T13:00:00+00:00", model_name="own", cost_estimate=None, tags={}),
            record(f"{day}T13:30:00+00:00", cache="session", tags={"confidence": 9}),
        ]
        write_day(tmp_path / "logs", day, lines)
    return tmp_path


def document(cwd: Path, *arguments: str) -> dict[str, Any]:
    """Return what ``report --format json`` says."""
    done = run("report", "--format", "json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_chart_has_a_bar_for_each_day(logs: Path) -> None:
    """In a pipe in plain text, days without calls among them, as wide as COLUMNS says."""
    arguments = ("--since", "2026-10-05", "--until", "2026-10-08", "--by", "day", "--chart")
    done = run("report", *arguments, cwd=logs, env={"COLUMNS": "70"})
    assert (done.returncode, done.stderr) == (0, "")
    lengths = re.findall(r"^(2026-10-0\d).*?(█*)$", done.stdout, re.MULTILINE)
    assert [(day, len(bar) > 0) for day, bar in lengths] == [
        ("2026-10-05", True), ("2026-10-06", False), ("2026-10-07", True), ("2026-10-08", False),
    ]  # fmt: skip
    assert len(lengths[2][1]) == pytest.approx(2 * len(lengths[0][1]), abs=1)
    assert max(map(len, done.stdout.splitlines())) == 70
    assert "\x1b" not in done.stdout


def test_an_encoding_without_blocks_gets_plain_characters(logs: Path) -> None:
    """A bar of escapes says nothing; a file is UTF-8 whatever the terminal is."""
    arguments = ("report", *OCTOBER, "--by", "day,model", "--chart", "--sort", "calls")
    plain = run(*arguments, cwd=logs, env={"PYTHONIOENCODING": "ascii"}).stdout
    assert re.search("^2026-10-05 .*#=*$", plain, re.MULTILINE)
    assert "u258" not in plain
    run(*arguments, "--output", "chart.txt", cwd=logs, env={"PYTHONIOENCODING": "ascii"})
    assert "█" in (logs / "chart.txt").read_text()


def test_a_chart_in_a_document_is_a_block_of_code(logs: Path) -> None:
    """So that its columns stay below each other."""
    done = run("report", *OCTOBER, "--by", "week", "--chart", "--format", "markdown", cwd=logs)
    assert re.search("```text\nWEEK .*```\n", done.stdout, re.DOTALL)


def test_an_empty_period_has_no_chart(logs: Path) -> None:
    """But the hint that every empty report has."""
    done = run("report", "--month", "2020-01", "--by", "day", "--chart", cwd=logs)
    assert "No calls in this period." in done.stdout


def test_a_comparison_shows_both_periods(logs: Path) -> None:
    """October whole, whenever it is asked; both ledgers are said."""
    done = run("report", *COMPARED, "--by", "model", cwd=logs)
    assert "2026-11, 2026-11-01 to 2026-11-30 UTC · against 2026-10, 2026-10-01 to" in done.stdout
    assert re.search(r"^gpt-4o-mini .* 3\.00+ +3\.00+ +0 +=", done.stdout, re.MULTILINE)
    assert "1 file · 3 records" in done.stdout
    assert "before: 2 files · 6 records" in done.stdout


def test_dates_that_are_compared_are_inclusive(logs: Path) -> None:
    """The 7th of October counts."""
    arguments = ("--since", "2026-11-05", "--until", "2026-11-05", "--compare")
    answer = document(logs, *arguments, "2026-10-07..2026-10-07")
    assert answer["totals"]["before"]["cost"] == 2
    assert answer["totals"]["difference"]["cost"] == 1
    assert answer["before_period"]["end"] == "2026-10-08T00:00:00+00:00"


def test_a_comparison_is_of_the_two_reports(logs: Path) -> None:
    """Each side's figures are those of the report of that period."""
    answer = document(logs, *COMPARED, "--by", "operation")
    (row,) = answer["rows"]
    (now,) = document(logs, "--month", "2026-11", "--by", "operation")["rows"]
    (before,) = document(logs, *OCTOBER, "--by", "operation")["rows"]
    assert row | now == row
    assert row["before"] == before


def test_strict_looks_at_both_periods(logs: Path) -> None:
    """Here only the other one is short of something."""
    (logs / "logs" / "token_usage_2026-11-05.jsonl").unlink()
    arguments = ("--month", "2026-11", "--strict")
    assert run("report", *arguments, cwd=logs).returncode == 0
    done = run("report", *arguments, "--compare", "previous", cwd=logs)
    assert (done.returncode, "2 unpriced" in done.stderr) == (1, True)


def test_strict_says_the_accounts_of_both_periods_first(logs: Path) -> None:
    """Whichever of them is short of something."""
    words = ("--month", "2026-10", "--compare", "2026-11-01..2026-11-22", "--strict")
    done = run("report", *words, "--format", "csv", cwd=logs)
    ours, theirs, short = done.stderr.splitlines()
    assert "unpriced" in ours
    assert theirs.startswith("before: ")
    assert short.startswith("tokenusage: The figures are short (--strict): 2 unpriced")


def test_csv_of_a_comparison_has_both_accounts_on_stderr(logs: Path) -> None:
    """Which says which is which."""
    done = run("report", *COMPARED, "--by", "model", "--format", "csv", cwd=logs)
    models = [line["model"] for line in csv.DictReader(StringIO(done.stdout))]
    assert models == ["gpt-4o-mini", "own"]
    assert [line.partition(" · ")[0] for line in done.stderr.splitlines()] == [
        "1 file", "before: 2 files",
    ]  # fmt: skip


def test_a_mean_is_over_the_calls_that_carry_a_number(logs: Path) -> None:
    """A text is none, a cache hit is no call, and a call without it is not a 0."""
    answer = document(logs, "--all", "--mean", "tag.confidence")
    assert answer["totals"]["mean_tag.confidence"] == 0.15
    found = {row["model"]: row["mean_tag.confidence"] for row in answer["sections"]["model"]}
    assert found == {"gpt-4o-mini": 0.15, "own": None}
    days = {row["day"]: row["mean_tag.confidence"] for row in answer["sections"]["day"]}
    assert days == {"2026-10-05": 0.1, "2026-10-07": None, "2026-11-05": 0.2}


@pytest.mark.slow
def test_a_mean_is_in_every_format(logs: Path) -> None:
    """And rows are sorted by it."""
    arguments = ("report", "--all", "--by", "day", "--mean", "tag.confidence", "--percentiles")
    table = run(*arguments, "--sort", "mean_tag.confidence", cwd=logs).stdout
    assert "Mean confidence" in table
    assert re.findall(r"^2026-\S+", table, re.MULTILINE) == [
        "2026-11-05", "2026-10-05", "2026-10-07",
    ]  # fmt: skip
    assert "| Mean confidence |" in run(*arguments, "--format", "markdown", cwd=logs).stdout
    lines = csv.DictReader(StringIO(run(*arguments, "--format", "csv", cwd=logs).stdout))
    assert [line["mean_tag.confidence"] for line in lines] == ["0.1", "", "0.2"]
    compared = run("report", *COMPARED, "--mean", "tag.confidence", cwd=logs).stdout
    assert "▲ 100.0%" in compared


@pytest.mark.slow
def test_a_day_of_which_sums_are_left_has_no_mean(tmp_path: Path) -> None:
    """It is named, and counts in no figure beside the mean either."""
    lines = [record("2020-01-05T12:00:00+00:00", tags={"confidence": 1})]
    write_day(tmp_path / "logs", "2020-01-05", lines)
    done = run("rotate", "--keep-days", "30", "--force", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    answer = document(tmp_path, "--all", "--mean", "tag.confidence")
    assert answer["ledger"]["unanswered_days"] == ["2020-01-05"]
    assert answer["totals"]["calls"] == 0
    assert document(tmp_path, "--all")["totals"]["calls"] == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--by", "day,model,tag.confidence"),
        ("--by", "user,success,cache", "--percentiles", "--mean", "tag.confidence"),
        ("--month", "2020-01"),
    ],
)
def test_documents_fit_their_schemas(logs: Path, arguments: tuple[str, ...]) -> None:
    """Reports and comparisons, with and without --by, empty ones too."""
    period = () if "--month" in arguments else ("--month", "2026-11")
    report = document(logs, *period, *arguments)
    jsonschema.validate(report, json.loads(schema_text("report")))
    compared = document(logs, *period, *arguments, "--compare", "previous")
    jsonschema.validate(compared, json.loads(schema_text("comparison")))


def test_a_monthly_report_reads_as_a_document(logs: Path) -> None:
    """A heading for each section, its days in their order, and what ≥ means."""
    arguments = (*OCTOBER, "--format", "markdown", "--output", "october.md")
    assert run("report", *arguments, cwd=logs).returncode == 0
    text = (logs / "october.md").read_text()
    assert re.findall("^#+ .*$", text, re.MULTILINE) == [
        "## Token usage", "### By operation", "### By model", "### By day", "### By user",
    ]  # fmt: skip
    days = re.findall(r"^\| (2026-10-\d\d) ", text, re.MULTILINE)
    assert days == [f"2026-10-{day:02}" for day in range(1, 32)]
    assert "≥: calls without a price are missing from the cost." in text


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--chart"], "begin --by with hour, day, week, month or year"),
        (["--by", "model", "--chart"], "--by day,model"),
        (["--by", "day,model,user", "--chart"], "use --by day,model."),
        (["--by", "day", "--chart", "--format", "json"], "leave it out of --format json"),
        (["--by", "day", "--chart", "--format", "csv"], "leave it out of --format csv"),
        (["--by", "day", "--chart", "--sort", "avg_cost"], "sort by calls, failed"),
        (["--by", "day", "--chart", "--sort", "cost", "--ascending"], "in order of time"),
        (["--by", "day", "--chart", "--compare", "previous"], "give one of them"),
        (["--by", "day", "--chart", "--mean", "tag.a"], "no place for --percentiles and --mean"),
        (["--by", "day", "--chart", "--percentiles"], "no place for --percentiles and --mean"),
        (["--all", "--compare", "previous"], "use --days, --month"),
        (["--since", "2026-11-01", "--compare", "previous"], "use --days, --month"),
        (["--compare", "prevous"], "Did you mean previous?"),
        (["--mean", "confidence"], "write --mean tag.NAME"),
        (["--mean", "tag."], "write --mean tag.NAME"),
        (["--mean", "tag.a", "--mean", "tag.a"], "named twice"),
        (["--sort", "mean_tag.a"], "Add --mean tag.a"),
    ],
)
def test_wrong_use_is_answered_in_a_line(tmp_path: Path, arguments: list[str], hint: str) -> None:
    """Exit 2, before anything is read, with what would be right."""
    done = run("report", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert hint in done.stderr
