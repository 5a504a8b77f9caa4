"""What the tests of rotation share: a clock, days of records, and what reports say of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from support import record, write_day

from tokenusage.analyse.answer import answer
from tokenusage.analyse.period import make_period
from tokenusage.analyse.plan import plan
from tokenusage.analyse.query import Query
from tokenusage.keep.outcome import Outcome
from tokenusage.keep.plan import Action, Wishes
from tokenusage.keep.rotate import rotate
from tokenusage.price.table import PriceTable
from tokenusage.read.scan import Scan
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.machine import render_json

NOW: Final = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TODAY: Final = NOW.date()


def ago(days: int) -> date:
    """Return the day so many days before `TODAY`."""
    return TODAY - timedelta(days=days)


def lines(day: date, count: int = 3, start: int = 0) -> list[dict[str, Any]]:
    """Return records of a day with ids of their own."""
    return [
        record(
            f"{day}T12:00:00.{number:06d}+00:00",
            user_id=number % 2,
            cost_estimate=0.1 + number,
            id=f"{day}-{number}",
        )
        for number in range(start, start + count)
    ]


def fill(logs: Path, *days: date, count: int = 3) -> Path:
    """Write some records into the file of each day, and return the directory."""
    for day in days:
        write_day(logs, str(day), lines(day, count))
    return logs


def add_late(logs: Path, day: date, number: int) -> None:
    """Append one more record to the log file of a day, as a writer would."""
    late = write_day(logs / "elsewhere", str(day), lines(day, 1, number))
    with (logs / late.name).open("ab") as file:
        file.write(late.read_bytes())
    late.unlink()
    late.parent.rmdir()


def every_form(logs: Path) -> Path:
    """Fill a directory with a day in every form, and late records for each of them."""
    fill(logs, *map(ago, (1, 2, 4, 5, 7, 8)))
    with (logs / f"token_usage_{ago(8)}.jsonl").open("ab") as file:
        file.write(b"oops\n")
    turn(logs, keep_days=7, seal_after=4)
    fill(logs, ago(6))
    for day in (ago(5), ago(8)):
        add_late(logs, day, 100)
    write_day(logs, str(ago(3)), [*lines(ago(3)), b"oops"])
    return logs


def turn(logs: Path, *, now: datetime = NOW, **wishes: Any) -> Outcome:
    """Rotate at `NOW`."""
    return rotate(logs, now=now, naive_zone=UTC, wishes=Wishes(**wishes))


def done(outcome: Outcome) -> dict[date, Action]:
    """Return what was done with each day."""
    return {result.day: result.done for result in outcome.results}


def totals(logs: Path, by: str = "user", now: datetime = NOW) -> dict[str, Any]:
    """Return what a report says of all that a directory holds, but for its ledger's files."""
    query = Query(make_period(now=now, everything=True), by=(by, "day"))
    with Scan(logs, plan(query, naive_zone=UTC, now=now)) as scan:
        found = answer(query, scan, prices=PriceTable(), now=now)
    document: dict[str, Any] = orjson.loads(render_json(found, Order()))
    for key in ("files", "bytes", "summary_only_days"):
        document["ledger"].pop(key)
    return document


def names(logs: Path) -> set[str]:
    """Return the names of all files but the lock."""
    return {path.name for path in logs.iterdir()} - {".tokenusage.lock"}


def contents(logs: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file but the lock, in order of name."""
    for name in sorted(names(logs)):
        yield name, (logs / name).read_bytes()
