"""Readers beside writers; fault 16."""

import signal
import time
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

import orjson
import pytest
from support import FIELD_LINE, record, run
from torture.crew import NOON
from torture.looking import acknowledgements, await_writers, finish, look, start
from torture.sizes import Sizes

from tokenusage.analyse.stats import usage_stats

WRITERS = 3
PAUSE = 0.001
"""Seconds between the records of a writer, so that the readers keep up."""

pytestmark = pytest.mark.slow


def calls(logs: Path) -> int:
    """Return how many calls a report counts at the end of the day of `NOON`."""
    total: int = usage_stats(logs, now=NOON)["total_calls"]
    return total


def test_totals_never_shrink_beside_writers(
    logs: Path, sizes: Sizes, tell: Callable[[str], None]
) -> None:
    """Whatever was acknowledged before a reading is in it, once; now and then writers spill."""
    writers = [start("writer", logs, f"w{n}", 50, PAUSE) for n in range(WRITERS)]
    shared = await_writers(logs, WRITERS)
    counts = [0]
    end = time.monotonic() + sizes.reading_seconds
    while time.monotonic() < end:
        before = acknowledgements(logs)
        counts.append(calls(logs))
        assert max(before, counts[-2]) <= counts[-1] <= acknowledgements(logs) + WRITERS
        if len(counts) == 5:
            with shared.open("rb") as other:
                flock(other, LOCK_EX)
                time.sleep(0.4)
    for writer in writers:
        writer.send_signal(signal.SIGTERM)
        finish(writer, timeout=30)

    found = look(logs, 50)
    done = run("report", "--all", "--format", "json", "--logs", str(logs), cwd=logs)
    ledger = orjson.loads(done.stdout)["ledger"]
    assert calls(logs) == found.records == ledger["records"] == acknowledgements(logs)
    assert (ledger["rejected"], ledger["duplicates"]) == (0, 0)
    assert found.files > 1
    tell(f"readings: {len(counts) - 1:,} beside {WRITERS} writers, {found.records:,} records")


def test_a_file_cut_anywhere_never_counts_less_than_before(logs: Path, sizes: Sizes) -> None:
    """A line is counted once, with its last brace, and nothing is rejected on the way."""
    logs.mkdir()
    path = logs / "token_usage_2026-11-20.jsonl"
    odd = record(query='"}\u2028{"timestamp":"', tags={"a": "}"})
    field = FIELD_LINE.replace(b"2024-12-26", b"2026-11-20")
    lines = [field, orjson.dumps(odd), b'{"timestamp": "torn', orjson.dumps(odd)]
    data = b"\n".join(lines)
    ends = [len(b"\n".join(lines[: n + 1])) for n in (0, 1, 3)]
    around = {end + step for end in ends for step in (-1, 0, 1) if end + step <= len(data)}
    for cut in sorted({*range(0, len(data) + 1, sizes.cut_every), *around}):
        path.write_bytes(data[:cut])
        assert calls(logs) == sum(end <= cut for end in ends), cut
