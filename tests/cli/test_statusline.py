import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import record, run, write_day

from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Query
from tokenusage.analyse.today import Today
from tokenusage.cli.quick import cache_path
from tokenusage.read.scan import Scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def status(cwd: Path, *arguments: str) -> str:
    env = {"XDG_CACHE_HOME": str(cwd / "cache")}
    return run("statusline", *arguments, cwd=cwd, env=env).stdout


def now_text() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def write_today(logs: Path, *calls: dict[str, Any], name: str = "") -> Path:
    """Append calls to today's file."""
    logs.mkdir(exist_ok=True)
    path = logs / f"token_usage_{datetime.now(UTC).date()}{name}.jsonl"
    with path.open("ab") as file:
        file.writelines(orjson.dumps(call) + b"\n" for call in calls)
    return path


def test_todays_cost_in_one_line(tmp_path: Path) -> None:
    """What was appended since the last look counts in the next."""
    write_today(tmp_path / "logs", record(now_text(), cost_estimate=12.4))
    assert status(tmp_path) == "$12.40 today · 1 call\n"
    write_today(tmp_path / "logs", record(now_text(), cost_estimate=0.1))
    assert status(tmp_path) == "$12.50 today · 2 calls\n"


def test_unpriced_calls_make_it_at_least(tmp_path: Path) -> None:
    """Unknown is never 0."""
    unpriced = record(now_text(), cost_estimate=None)
    write_today(tmp_path / "logs", unpriced)
    assert status(tmp_path) == "cost unknown today · 1 call\n"
    write_today(tmp_path / "logs", record(now_text(), cost_estimate=2))
    assert status(tmp_path) == "≥ $2.00 today · 2 calls\n"


def test_empty_directory_cost_nothing(tmp_path: Path) -> None:
    """There is a line all the same."""
    (tmp_path / "logs").mkdir()
    assert status(tmp_path) == "$0.00 today\n"


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("--logs", "nowhere"), 1, "nowhere"),
        (("--tz", "Mars/Olympus"), 2, "Mars/Olympus"),
        (("--tz",), 2, "--tz"),
        (("--loggs", "x"), 2, "--logs"),
    ],
)
def test_wrong_words_are_answered_as_by_every_command(
    tmp_path: Path, arguments: tuple[str, ...], code: int, named: str
) -> None:
    """One sentence on stderr, and the exit code of its kind."""
    done = run("statusline", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1)
    assert named in done.stderr


def test_damaged_state_is_forgotten(tmp_path: Path) -> None:
    """It is a cache: the logs are read anew."""
    write_today(tmp_path / "logs", record(now_text(), cost_estimate=3))
    status(tmp_path)
    (state,) = (tmp_path / "cache" / "tokenusage").iterdir()
    state.write_bytes(state.read_bytes()[:-5] + b"wrong")
    assert status(tmp_path) == "$3.00 today · 1 call\n"


def test_names_that_are_no_text_are_no_harm(tmp_path: Path) -> None:
    """A directory and a file may have any bytes in their names."""
    logs = tmp_path / os.fsdecode(b"sur\xff")
    write_today(logs, record(now_text(), cost_estimate=3), name=os.fsdecode(b".h\xff"))
    for _ in range(2):
        assert status(tmp_path, "--logs", str(logs)) == "$3.00 today · 1 call\n"
    assert len(list((tmp_path / "cache" / "tokenusage").iterdir())) == 1


def test_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Where stdout goes to one; the exit code is that of a failure."""
    (tmp_path / "logs").mkdir()
    command = [sys.executable, "-m", "tokenusage", "statusline"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    said = "tokenusage: stdout can't be written: No space left on device.\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_user_without_a_home_keeps_nothing(tmp_path: Path) -> None:
    """And is answered all the same."""
    cache = cache_path(tmp_path, "UTC", {})
    write_day(tmp_path, "2026-11-22", [record("2026-11-22T01:00:00Z")])
    assert today_of(tmp_path, "UTC", cache)[0] == 1
    assert not cache.exists()


def test_no_library_is_loaded(tmp_path: Path) -> None:
    """A prompt waits for it."""
    (tmp_path / "logs").mkdir()
    code = (
        "import sys\nfrom tokenusage.cli import main\n"
        "try:\n    main(['statusline'])\nexcept SystemExit:\n    print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"typer", "rich", "pandas", "pyarrow", "numpy"} & set(done.stdout.split())


def test_two_at_once_do_no_harm(tmp_path: Path) -> None:
    """Each says the whole, and leaves a state that is."""
    write_today(tmp_path / "logs", *(record(now_text(), id=str(n)) for n in range(100)))
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "tokenusage", "statusline"]
    running = [
        subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = {process.communicate()[0] for process in running}
    assert said == {"$0.1000 today · 100 calls\n"} == {status(tmp_path)}


def report_of(logs: Path, zone: str) -> tuple[int, int, int]:
    """Return calls, picodollars and unpriced calls as a report of today has them."""
    from tokenusage.analyse.answer import answer
    from tokenusage.price.table import PriceTable

    query = Query(make_period(now=NOW, days=1, tz=zone))
    with Scan(logs, plan(query, naive_zone=ZoneInfo("UTC"), now=NOW)) as scan:
        totals = answer(query, scan, prices=PriceTable(), now=NOW).totals
    return totals.calls, totals.cost_pico, totals.unpriced


def today_of(logs: Path, zone: str, cache: Path) -> tuple[int, int, int]:
    """Return the same as the prompt has them."""
    period = make_period(now=NOW, days=1, tz=zone)
    sums = Today(logs, period, ZoneInfo("UTC"), cache).sums()
    return sums.calls, sums.cost_pico, sums.unpriced


CALLS = st.builds(
    lambda minutes, name, cost, cache: orjson.dumps(
        record(
            (NOW - timedelta(minutes=minutes)).isoformat(timespec="microseconds"),
            cost_estimate=cost,
            **({} if name is None else {"id": name}),
            **({} if cache is None else {"cache": cache}),
        )
    ),
    st.integers(-600, 2000),
    st.sampled_from([None, None, "a", "b", "c"]),
    st.none() | st.floats(0, 10),
    st.sampled_from([None, None, "session", ""]),
)
LINES = st.lists(CALLS | st.sampled_from([b"", b"torn", b'{"timestamp":"x"', b"\x00"]), max_size=6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    appended=st.lists(
        st.tuples(st.sampled_from(["2026-11-21", "2026-11-22", "2026-11-22.host-1-a"]), LINES),
        max_size=4,
    ),
    cut=st.integers(0, 400),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
def test_it_is_the_report_of_the_day_after_every_write(
    tmp_path_factory: pytest.TempPathFactory,
    appended: list[tuple[str, list[bytes]]],
    cut: int,
    zone: str,
) -> None:
    """Wherever a write is cut, whatever it holds, and whichever file it goes to."""
    root = tmp_path_factory.mktemp("root")
    (root / "logs").mkdir()
    for day, lines in appended:
        data = b"".join(line + b"\n" for line in lines)
        with (root / "logs" / f"token_usage_{day}.jsonl").open("ab", buffering=0) as file:
            for piece in (data[:cut], data[cut:]):
                file.write(piece)
                expected = report_of(root / "logs", zone)
                assert today_of(root / "logs", zone, root / "state") == expected


def test_rewritten_file_is_read_anew(tmp_path: Path) -> None:
    """As when a user was forgotten."""
    logs = tmp_path / "logs"
    write_day(logs, "2026-11-22", [record("2026-11-22T01:00:00Z"), record("2026-11-22T02:00:00Z")])
    assert today_of(logs, "UTC", tmp_path / "state")[0] == 2
    new = write_day(tmp_path / "new", "2026-11-22", [record("2026-11-22T02:00:00Z")])
    new.rename(logs / new.name)
    assert today_of(logs, "UTC", tmp_path / "state")[0] == 1


def test_line_that_is_changed_in_its_place_is_read_anew(tmp_path: Path) -> None:
    """The file is as long as it was, and the same one."""
    logs, state = tmp_path / "logs", tmp_path / "state"
    path = write_day(logs, "2026-11-22", [record("2026-11-22T01:00:00Z", cost_estimate=0.001)])
    assert today_of(logs, "UTC", state)[1] == 10**9
    with path.open("r+b") as file:
        file.write(path.read_bytes().replace(b"0.001", b"0.009"))
    assert today_of(logs, "UTC", state)[1] == 9 * 10**9


@pytest.mark.slow
def test_interrupted_look_is_gone_on_with(tmp_path: Path) -> None:
    """What it has read is not read again: two prompts need not begin with the same megabytes."""
    line = orjson.dumps(record("2026-11-22T01:00:00Z", query="x" * 400)) + b"\n"
    path = write_day(tmp_path / "logs", "2026-11-22", [])
    path.write_bytes(line * 100_000)
    state = tmp_path / "state"
    command = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_statusline as t;"
        "from pathlib import Path; t.today_of(Path('logs'), 'UTC', Path('state'))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", command, str(Path(__file__).parent)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
    ) as process:
        while not state.exists() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
    recalled = orjson.loads(state.read_bytes().split(b"\n")[1])
    (mark,) = recalled["document"]["marks"].values()
    assert 0 < mark[1] < path.stat().st_size
    assert today_of(tmp_path / "logs", "UTC", state)[0] == 100_000


def test_sealed_part_of_a_day_counts(tmp_path: Path) -> None:
    """West of Greenwich today may have begun in a UTC day that is sealed."""
    logs = tmp_path / "logs"
    calls = [record(f"2026-11-21T{hour}:00:00.000000Z", id=hour) for hour in ("01", "20", "21")]
    write_day(logs, "2026-11-21", calls)
    expected = report_of(logs, "America/New_York")
    seal = {"TOKENUSAGE_CONFIG": str(tmp_path / "c.toml")}
    (tmp_path / "c.toml").write_text("seal_after = 0\n")
    done = run("rotate", "--logs", str(logs), cwd=tmp_path, env=seal)
    assert done.returncode == 0, done.stderr
    evening = write_day(logs, "2026-11-22", [record("2026-11-22T08:00:00Z", id="x")])
    assert evening.exists()
    for _ in range(2):
        found = today_of(logs, "America/New_York", tmp_path / "state")
        assert found == report_of(logs, "America/New_York")
    assert expected[0] == 0


def test_help_says_what_the_first_look_takes(tmp_path: Path) -> None:
    """The whole program knows the command as well."""
    assert "first look" in run("statusline", "--help", cwd=tmp_path).stdout
    assert "statusline" in run("--help", cwd=tmp_path).stdout


def test_figure_is_that_of_the_command_report(tmp_path: Path) -> None:
    """The same truth, as a user types it."""
    write_today(tmp_path / "logs", *(record(now_text(), id=str(n % 7)) for n in range(10)))
    done = run("report", "--days", "1", "--format", "json", cwd=tmp_path)
    totals = json.loads(done.stdout)["totals"]
    assert status(tmp_path) == f"${totals['cost']:.6f} today · {totals['calls']} calls\n"
