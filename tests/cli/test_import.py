import os
import pty
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from support import FIELD_LINE, run, write_day

from tokenusage.cli.import_ import import_
from tokenusage.errors import WrongUseError
from tokenusage.ingest.source import SourceError

REAL_DATA = os.environ.get("TOKENUSAGE_REAL_DATA")

needs_real_data = pytest.mark.skipif(
    REAL_DATA is None, reason="TOKENUSAGE_REAL_DATA names no directory with the real data"
)

AZURE = ["timestamp=TIMESTAMP", "prompt_tokens=ContextTokens", "completion_tokens=GeneratedTokens"]
AIDER = [
    "timestamp=time",
    "user_id=user_id",
    "model_name=properties.main_model",
    "prompt_tokens=properties.prompt_tokens",
    "completion_tokens=properties.completion_tokens",
    "total_tokens=properties.total_tokens",
    "cost_estimate=properties.cost",
]


@pytest.fixture(autouse=True)
def _without_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TOKENUSAGE_CONFIG", "TOKENUSAGE_LOGS"):
        monkeypatch.delenv(name, raising=False)


def source(tmp_path: Path, *rows: str, name: str = "calls.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join(["timestamp,prompt_tokens,model_name", *rows]))
    return path


def logged(logs: Path = Path("logs")) -> list[dict[str, Any]]:
    lines = [line for path in sorted(logs.iterdir()) for line in path.read_bytes().splitlines()]
    return [orjson.loads(line) for line in lines]


def test_the_closing_line_counts_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts go to stdout, rejected rows with file, line and reason to stderr."""
    path = source(tmp_path, "2026-11-20,5,gpt-4o", "soon,5,gpt-4o", "2026-11-20,5,other")
    import_([path], only=["model_name=gpt-4o"])
    out, err = capsys.readouterr()
    assert out == "1 row imported into logs · 0 already there · 1 skipped · 1 rejected\n"
    assert err == f"{path}:3: timestamp is 'soon', neither ISO 8601 nor a Unix time\n"
    import_([path], only=["model_name=gpt-4o"])
    assert capsys.readouterr().out.startswith("0 rows imported into logs · 1 already there")


def test_costs_come_from_the_price_list(tmp_path: Path) -> None:
    """A row without a cost is priced at the time of its call; an unknown model is not."""
    import_([source(tmp_path, "2026-11-20,1000000,gpt-4o-mini", "2026-11-20,1,no-such-model")])
    assert [r["cost_estimate"] for r in logged()] == [0.15, None]


def test_nothing_but_rejected_rows_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nothing could be imported the exit code is 1; only 20 rows are shown."""
    with pytest.raises(typer.Exit) as caught:
        import_([source(tmp_path, *["soon,5,gpt-4o"] * 25)])
    assert caught.value.exit_code == 1
    err = capsys.readouterr().err
    assert (len(err.splitlines()), err.splitlines()[-1]) == (21, "... and 5 more")


def test_several_files_are_one_import(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts are of all files; nothing is written where one of them is wrong."""
    one = source(tmp_path, "2026-11-20,5,gpt-4o", name="one.csv")
    two = source(tmp_path, "2026-11-20,6,gpt-4o", name="two.csv")
    with pytest.raises(SourceError):
        import_([one, Path("none.csv")])
    assert not Path("logs").exists()
    import_([one, two])
    assert capsys.readouterr().out.startswith("2 rows imported")


def test_the_logs_own_files_are_refused(tmp_path: Path) -> None:
    """A day file can't be imported into the directory that it stands in."""
    path = write_day(tmp_path / "logs", "2024-12-26", [FIELD_LINE])
    with pytest.raises(WrongUseError, match="file of the log"):
        import_([path])


def test_naive_times_are_in_the_zone_of_the_option(tmp_path: Path) -> None:
    """--tz goes over naive_timezone of the configuration, which goes over UTC."""
    path = source(tmp_path, "2026-11-20 12:00,5,gpt-4o")
    Path("tokenusage.toml").write_text('naive_timezone = "Asia/Tokyo"\n')
    import_([path], logs=Path("configured"))
    import_([path], logs=Path("given"), tz="Europe/Berlin")
    assert logged(Path("configured"))[0]["timestamp"] == "2026-11-20T03:00:00.000000+00:00"
    assert logged(Path("given"))[0]["timestamp"] == "2026-11-20T11:00:00.000000+00:00"
    with pytest.raises(WrongUseError, match="Europe/Berlin"):
        import_([path], tz="Europe/Berlim")


def test_hostile_rows_are_shown_inert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither file names nor values of rejected rows can reach the terminal as escapes."""
    path = source(tmp_path, "\x1b[31m\u202e,5,x", "2026-11-20,5,x", name="a\x1b[2J.csv")
    import_([path])
    err = capsys.readouterr().err
    assert err.strip().isprintable()
    assert "\\x1b[31m" in err


@pytest.mark.slow
def test_a_long_import_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    """A terminal sees a bar after a second, and only the counts are left on stdout."""
    path = source(tmp_path, *(f"2026-11-20,{n},gpt-4o" for n in range(150_000)))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "tokenusage", "import", str(path)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 65536)
        except OSError:  # how Linux says that the other side is gone
            break
    out, _ = process.communicate(timeout=60)
    os.close(ours)
    assert re.fullmatch(r"150,000 rows imported into logs · 0 .*\n", out)
    assert b"Importing" in shown
    assert b"%" in shown


def test_imported_calls_are_reported(tmp_path: Path) -> None:
    """What was imported from the command line is in the report, once."""
    path = source(tmp_path, "2026-11-20 12:00,5,a", "2026-11-20 12:00,5,a", "2026-11-21,7,b")
    for _ in range(2):
        assert run("import", str(path), "--set", "user_id=7", cwd=tmp_path).returncode == 0
    report = run("report", "--all", "--by", "user", "--format", "json", cwd=tmp_path)
    (row,) = orjson.loads(report.stdout)["rows"]
    assert (row["user"], row["calls"], row["prompt_tokens"]) == ("7", 3, 17)


@pytest.mark.parametrize(
    ("options", "code", "part"),
    [
        (("--map", "promt_tokens=x"), 2, "Did you mean prompt_tokens?"),
        (("--map", "query=model"), 2, "Did you mean model_name?"),
        (("--only", "modelname=x"), 2, "Did you mean model_name?"),
        (("--tz", "Europe/Berlim"), 2, "Europe/Berlin"),
        (("none.csv",), 1, "No such file"),
    ],
)
def test_wrong_use_is_one_sentence(
    tmp_path: Path, options: tuple[str, ...], code: int, part: str
) -> None:
    """A wrong option is exit 2, a file that can't be read exit 1; nothing is written."""
    path = source(tmp_path, "2026-11-20 12:00,5,a")
    result = run("import", str(path), *options, cwd=tmp_path)
    assert result.returncode == code
    assert part in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "logs").exists()


@needs_real_data
@pytest.mark.parametrize(
    ("name", "rows", "context", "generated", "hours"),
    [
        ("code", 8_819, 18_059_974, 245_896, {"18": 7_717, "19": 1_102}),
        ("conv", 19_366, 22_361_870, 4_088_665, {"18": 15_606, "19": 3_760}),
    ],
)
def test_azure_traces(
    name: str, rows: int, context: int, generated: int, hours: dict[str, int]
) -> None:
    """The Azure traces of 2023 come in exactly, hour by hour, and only once."""
    path = Path(REAL_DATA or "") / "azure2023" / f"AzureLLMInferenceTrace_{name}.csv"
    for _ in range(2):
        import_([path], maps=AZURE)
        records = logged()
        assert len(records) == len({r["id"] for r in records}) == rows
    assert sum(r["prompt_tokens"] for r in records) == context
    assert sum(r["completion_tokens"] for r in records) == generated
    by_hour: dict[str, int] = defaultdict(int)
    for record in records:
        by_hour[record["timestamp"][11:13]] += 1
    assert by_hour == hours


@needs_real_data
def test_aider_analytics() -> None:
    """The 107 calls of aider's log come in exactly, by model, by day and in their cost."""
    path = Path(REAL_DATA or "") / "aider" / "sample-analytics.jsonl"
    for _ in range(2):
        import_([path], maps=AIDER, only=["event=message_send"])
        records = logged()
        assert len(records) == 107
    tokens = {n: sum(r[n] for r in records) for n in ("prompt_tokens", "completion_tokens")}
    assert tokens == {"prompt_tokens": 2_484_349, "completion_tokens": 45_772}
    assert sum(r["total_tokens"] for r in records) == 2_530_121
    assert cost_of(records) == Decimal("5.305332")
    models = grouped(records, lambda r: str(r["model_name"]))
    days = grouped(records, lambda r: r["timestamp"][:10])
    assert (len(models), len(days)) == (12, 14)
    gpt = models["openai/gpt-5.2"]
    assert (len(gpt), cost_of(gpt)) == (36, Decimal("1.9701535"))
    assert sum(r["prompt_tokens"] for r in gpt) == 961_594
    assert sum(r["completion_tokens"] for r in gpt) == 20_526
    assert (len(days["2026-02-11"]), cost_of(days["2026-02-11"])) == (39, Decimal("2.031979"))


def cost_of(records: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(str(r["cost_estimate"] or 0)) for r in records), Decimal()).quantize(
        Decimal("1e-9")
    )


def grouped(
    records: list[dict[str, Any]], key: Callable[[dict[str, Any]], str]
) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return groups
