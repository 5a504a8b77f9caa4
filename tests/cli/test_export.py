import subprocess
import sys
from io import BytesIO
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from exporting import calls_in, cells, csv_rows, sheets
from support import record, run, write_day

DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")


def line(day: str, **fields: object) -> bytes:
    return orjson.dumps(record(f"{day}T12:00:00.000000+00:00", **fields))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory whose logs hold a record of each of some days, and a torn line."""
    for day in DAYS:
        write_day(tmp_path / "logs", day, [line(day)])
    with (tmp_path / "logs" / f"token_usage_{DAYS[0]}.jsonl").open("ab") as file:
        file.write(b'{"timestamp":"2026\n')
    return tmp_path


def lines(*days: str) -> str:
    return "".join(f"{line(day).decode()}\n" for day in days)


def test_everything_comes_back_by_default(work: Path) -> None:
    """The records on stdout, their account on stderr; sealed or not."""
    for _form in ("raw", "sealed"):
        done = run("export", cwd=work)
        assert (done.returncode, done.stdout) == (0, lines(*DAYS))
        assert done.stderr == "3 records · 1 rejected\n"
        run("rotate", "--seal-after", "0", "--force", cwd=work)


@pytest.mark.parametrize(
    ("options", "days"),
    [
        (("--since", DAYS[1]), DAYS[1:]),
        (("--until", DAYS[1]), DAYS[:2]),
        (("--since", DAYS[1], "--until", DAYS[1]), DAYS[1:2]),
        (("--month", "2026-11"), DAYS),
        (("--month", "2026-10"), ()),
        (("--all", "--format", "jsonl"), DAYS),
    ],
)
def test_period_is_that_of_a_report(work: Path, options: tuple[str, ...], days: list[str]) -> None:
    """An empty one is an answer."""
    done = run("export", *options, cwd=work)
    assert (done.returncode, done.stdout) == (0, lines(*days))


def test_two_periods_and_unknown_formats_are_wrong_use(work: Path) -> None:
    """The sentence names what would be right."""
    done = run("export", "--all", "--days", "3", cwd=work)
    assert (done.returncode, done.stdout) == (2, "")
    done = run("export", "--format", "jsn", cwd=work)
    assert done.returncode == 2
    assert "Did you mean jsonl?" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "xlsx"), "--format xlsx is no text: add --output calls.xlsx."),
        (("--cost", "current"), "--cost current changes lines"),
        (("--by", "usr"), "There is no dimension 'usr'"),
        (("--by", "overveiw"), "Did you mean overview?"),
        (("--by", "overview,user"), "--by overview stands alone"),
        (("--format", "csv", "--output", "a.parquet"), "--format csv does not go with"),
        (("--output", f"logs/token_usage_{DAYS[0]}.jsonl"), "choose another"),
    ],
)
def test_options_that_fit_nothing_are_wrong_use(
    work: Path, options: tuple[str, ...], sentence: str
) -> None:
    """The sentence says what would fit."""
    done = run("export", *options, cwd=work)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_timestamp_decides_the_period_in_its_zone(tmp_path: Path) -> None:
    """In whichever file it stands; what is left out is counted."""
    logs = tmp_path / "logs"
    write_day(logs, DAYS[1], [line(DAYS[0], user_id=7), line(DAYS[1], user_id=8)])
    late = orjson.dumps(record(f"{DAYS[0]}T23:30:00.000000+00:00", user_id=9))
    write_day(logs, DAYS[0], [late, line(DAYS[0])])
    done = run("export", "--since", DAYS[1], "--tz", "Europe/Berlin", cwd=tmp_path)
    assert done.stdout.encode() == late + b"\n" + line(DAYS[1], user_id=8) + b"\n"
    assert done.stderr == "2 records · 0 rejected · 2 outside the period\n"


@pytest.mark.parametrize("sealed", [False, True])
def test_filters_pick_lines(work: Path, *, sealed: bool) -> None:
    """Byte for byte, from a torn file and from a sealed one."""
    wanted = line(DAYS[0], user_id="ann", tags={"team": "a"}, unknown=[1.50, "x"])
    with (work / "logs" / f"token_usage_{DAYS[0]}.jsonl").open("ab") as file:
        file.write(wanted + b"\n" + line(DAYS[0], user_id="ann", tags={"team": "b"}) + b"\n")
    if sealed:
        run("rotate", "--seal-after", "0", "--force", cwd=work)
    done = run("export", "--user", "ann", "--where", "tag.team=a", cwd=work)
    assert done.stdout.encode() == wanted + b"\n"
    assert done.stderr == "1 record · 1 rejected · 4 filtered out\n"


def test_calls_come_in_every_format(work: Path) -> None:
    """A row each, and their account on stderr as a report's CSV has it."""
    for format_ in ("csv", "parquet", "xlsx"):
        output = work / f"calls.{format_}"
        done = run("export", "--format", format_, "--output", output.name, cwd=work)
        assert (done.returncode, done.stdout) == (0, "")
        first, note = done.stderr.splitlines()
        assert first == "3 files · 3 records · 1 rejected · 0 unpriced · 0 estimated"
        assert note.startswith(f"rejected: token_usage_{DAYS[0]}.jsonl:2: ")
    assert [row["timestamp"][:10] for row in csv_rows((work / "calls.csv").read_text())] == [*DAYS]
    assert pq.read_table(work / "calls.parquet")["total_tokens"].to_pylist() == [110] * 3
    book = sheets(work / "calls.xlsx")
    assert [row["total_tokens"] for row in cells(book["calls"])] == [110] * 3
    assert {"what": "rejected", "value": 1} in cells(book["account"])


def test_formats_go_through_a_pipe(work: Path) -> None:
    """As they do into a file, where the format allows it."""
    assert len(csv_rows(run("export", "--format", "csv", cwd=work).stdout)) == 3
    command = [sys.executable, "-m", "tokenusage", "export", "--format", "parquet"]
    piped = subprocess.run(command, cwd=work, capture_output=True, check=True)
    assert len(pq.read_table(BytesIO(piped.stdout))) == 3


def test_rows_are_those_of_a_report(work: Path) -> None:
    """The same text, whether or not the report has dimensions."""
    for by, report_by in (("model,user", ["--by", "model,user"]), ("overview", [])):
        exported = run("export", "--by", by, "--format", "csv", cwd=work)
        report = run("report", "--all", *report_by, "--format", "csv", cwd=work)
        assert (exported.stdout, exported.stderr) == (report.stdout, report.stderr)


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.csv", "calls.PARQUET", "calls.xlsx"])
def test_name_of_the_file_tells_the_format(work: Path, name: str) -> None:
    """As --format does; in the directory of the logs too."""
    format_ = name.lower().partition(".")[2]
    assert run("export", "--output", f"logs/{name}", cwd=work).returncode == 0
    run("export", "--format", format_, "--output", "asked", cwd=work)
    (work / "asked").rename(work / f"asked.{format_}")
    assert calls_in(work / "logs" / name) == calls_in(work / f"asked.{format_}")


def test_names_of_other_programs_files_are_jsonl(work: Path) -> None:
    """The format that is there without any."""
    run("export", "--output", "calls.log", cwd=work)
    assert (work / "calls.log").read_text() == lines(*DAYS)


def test_overview_of_a_month_is_a_workbook(work: Path) -> None:
    """The monthly report to hand on."""
    wanted = ("--month", "2026-11", "--by", "overview")
    done = run("export", *wanted, "--output", "november.xlsx", cwd=work)
    assert done.returncode == 0
    book = sheets(work / "november.xlsx")
    assert list(book) == ["totals", "operation", "model", "day", "user", "account"]
    assert cells(book["totals"])[0]["cost"] == 0.003


def test_file_is_written_whole(work: Path) -> None:
    """With the mode that it had; the account is on stderr."""
    output = work / "all.jsonl"
    output.write_text("old")
    output.chmod(0o640)
    done = run("export", "--output", "all.jsonl", cwd=work)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "3 records · 1 rejected\n")
    assert output.read_text() == lines(*DAYS)
    assert output.stat().st_mode & 0o777 == 0o640


def test_what_fails_leaves_the_old_file(work: Path) -> None:
    """And no other beside it."""
    (work / "all.jsonl").write_text("old")
    done = run("export", "--logs", "nowhere", "--output", "all.jsonl", cwd=work)
    assert done.returncode == 1
    assert "There is no log directory 'nowhere'" in done.stderr
    assert (work / "all.jsonl").read_text() == "old"
    assert {path.name for path in work.iterdir()} == {"all.jsonl", "logs"}


def test_days_of_which_only_sums_are_left_are_named(work: Path) -> None:
    """What is missing is said."""
    run("rotate", "--keep-days", "1", "--force", cwd=work)
    done = run("export", cwd=work)
    assert done.returncode == 0
    assert f"only sums are left: {DAYS[0]}" in done.stderr
