"""Days of which only the summary is left: what reports, load and import make of them."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from support import record, run, write_day

import tokenusage
from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Query
from tokenusage.keep.plan import Wishes
from tokenusage.keep.rotate import rotate
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OLD = "2026-11-10"
NEW = "2026-11-21"


def remove_old(logs: Path, keep_days: int = 5) -> None:
    wishes = Wishes(keep_days=keep_days, force=True)
    assert not rotate(logs, now=NOW, naive_zone=UTC, wishes=wishes).failures


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory with a day that is only a summary, and one that has its records."""
    logs = tmp_path / "logs"
    old = [record(f"{OLD}T{hour:02}:30:00+00:00", id=f"o{hour}") for hour in range(24)]
    write_day(logs, OLD, [*old, old[0], b"bad"])
    write_day(logs, NEW, [record(f"{NEW}T12:00:00+00:00", id="n", session_id="s")])
    remove_old(logs)
    assert not list(logs.glob(f"*{OLD}*"))
    return logs


def ask(logs: Path, *words: str) -> dict[str, Any]:
    done = run("report", "--logs", str(logs), "--format", "json", *words, cwd=logs)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_old_totals_stay(logs: Path) -> None:
    """Calls, duplicates and rejected lines are those that the records had, and the day is named."""
    found = ask(logs, "--all", "--by", "day")
    assert [(row["day"], row["calls"]) for row in found["rows"]] == [(NEW, 1), (OLD, 24)][::-1]
    ledger = found["ledger"]
    assert (ledger["lines"], ledger["duplicates"], ledger["rejected"]) == (27, 1, 1)
    assert ledger["summary_only_days"] == [OLD]
    assert ledger["unanswered_days"] == []


def test_what_a_summary_cannot_answer_is_said(logs: Path) -> None:
    """The records that there are answer, the other days are listed, and --strict fails."""
    found = ask(logs, "--all", "--by", "session")
    assert found["totals"]["calls"] == 1
    assert found["ledger"]["unanswered_days"] == [OLD]
    words = ("report", "--logs", str(logs), "--all", "--by", "session")
    assert OLD in run(*words, cwd=logs).stdout
    strict = run(*words, "--strict", cwd=logs)
    assert strict.returncode == 1
    assert "1 unanswered days" in strict.stderr


def test_in_another_zone_the_day_is_the_utc_day(logs: Path) -> None:
    """It is counted under its date; in part of a day it can't be counted at all."""
    found = ask(logs, "--since", OLD, "--until", OLD, "--tz", "Asia/Tokyo", "--by", "day")
    assert [(row["day"], row["calls"]) for row in found["rows"]] == [(OLD, 24)]
    assert found["ledger"]["summary_only_days"] == [OLD]
    # The days beside it are opened, for records that the zone moves, but don't count it.
    found = ask(logs, "--since", "2026-11-11", "--until", "2026-11-12", "--tz", "Asia/Tokyo")
    assert found["totals"]["calls"] == 0
    assert found["ledger"]["outside"] == 24


def test_part_of_a_day_is_unanswered(logs: Path) -> None:
    """The last so many hours end within the day: nothing of it is counted, and it is named."""
    query = Query(make_period(now=NOW, hours=24 * 12 - 1))
    scan = Scan(logs, plan(query, naive_zone=UTC, now=NOW))
    found = answer(query, scan, prices=PriceTable(), now=NOW)
    assert found.totals.calls == 1
    assert found.ledger.unanswered_days == [OLD]
    assert found.ledger.summary_only_days == []


def test_late_records_are_added(logs: Path) -> None:
    """What arrives for such a day counts with it at once, and is taken in by the next run."""
    late = record(f"{OLD}T12:00:00+00:00", user_id="late")
    write_day(logs, OLD, [late])
    assert ask(logs, "--all", "--user", "late")["totals"]["calls"] == 1
    assert ask(logs, "--all")["totals"]["calls"] == 26
    before = ask(logs, "--all", "--by", "day,user")
    remove_old(logs)
    assert not list(logs.glob(f"*{OLD}*"))
    after = ask(logs, "--all", "--by", "day,user")
    assert after["rows"] == before["rows"]
    assert after["ledger"]["lines"] == before["ledger"]["lines"]


def test_load_says_which_days_it_has_no_records_of(logs: Path) -> None:
    """A frame of records can't hold what has none left."""
    frame = tokenusage.load(logs, since="2026-11-01", until="2026-11-30")
    assert len(frame) == 1
    assert frame.attrs["ledger"]["unanswered_days"] == [OLD]


def test_import_refuses_a_day_whose_ids_are_gone(logs: Path, tmp_path: Path) -> None:
    """It could not tell a new call from one that is in the sums already."""
    trace = tmp_path / "trace.csv"
    trace.write_text(f"time,in\n{OLD}T10:00:00Z,5\n{NEW}T10:00:00Z,5\n")
    maps = ("--map", "timestamp=time", "--map", "prompt_tokens=in", "--set", "model_name=m")
    done = run("import", str(trace), *maps, "--logs", str(logs), cwd=tmp_path)
    assert "only a summary is left" in done.stdout + done.stderr
    assert ask(logs, "--all")["totals"]["calls"] == 26


def test_import_knows_the_ids_of_a_sealed_day(tmp_path: Path) -> None:
    """Importing again after sealing adds nothing."""
    trace = tmp_path / "trace.csv"
    trace.write_text(f"time,in\n{OLD}T10:00:00Z,5\n")
    maps = ("--map", "timestamp=time", "--map", "prompt_tokens=in", "--set", "model_name=m")
    words = ("import", str(trace), *maps, "--logs", str(tmp_path / "logs"))
    assert run(*words, cwd=tmp_path).returncode == 0
    wishes = Wishes(seal_after=1, force=True)
    assert not rotate(tmp_path / "logs", now=NOW, naive_zone=UTC, wishes=wishes).failures
    assert list((tmp_path / "logs").glob("*.parquet"))
    assert run(*words, cwd=tmp_path).returncode == 0
    assert ask(tmp_path / "logs", "--all")["totals"]["calls"] == 1


def test_empty_period_names_the_newest_summary(logs: Path) -> None:
    """A hint that works when typed, even where no log file is left."""
    remove_old(logs, keep_days=1)
    (logs / f"token_usage_{NEW}.jsonl").unlink(missing_ok=True)
    shown = run("report", "--logs", str(logs), "--since", "2030-01-01", cwd=logs).stdout
    assert "--since 2026-11-2" in shown
    assert date.fromisoformat(shown.split("--since ")[1].split()[0])
