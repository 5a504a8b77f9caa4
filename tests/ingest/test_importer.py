import resource
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import FIELD_LINE, record, write_day

from tokenusage.errors import LogsError
from tokenusage.ingest.importer import MAX_SHOWN, Importer, Outcome
from tokenusage.ingest.known import known_ids
from tokenusage.ingest.mapping import parse_mapping
from tokenusage.ingest.source import Source
from tokenusage.record import Record
from tokenusage.write.appender import Appender

TRACE = ("timestamp=t", "prompt_tokens=in", "completion_tokens=out")


class NoPrices:
    """Knows no price."""

    def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:  # noqa: ARG002 - a PriceSource
        """Return a cost and its source."""
        return None, None


def bring(
    logs: Path, path: Path, *maps: str, sets: tuple[str, ...] = (), only: tuple[str, ...] = ()
) -> Outcome:
    """Import one file."""
    importer = Importer(
        logs,
        parse_mapping(maps, sets, only, UTC),
        appender=Appender(logs),
        pricer=NoPrices(),
        query_chars=500,
    )
    importer.add(Source(path))
    return importer.outcome


def counts(outcome: Outcome) -> tuple[int, int, int, int]:
    return outcome.imported, outcome.known, outcome.skipped, outcome.rejected


def logged(logs: Path) -> list[dict[str, Any]]:
    """Return every record in `logs`; each line must be one, in the file of its day."""
    records = []
    for path in sorted(logs.iterdir()):
        for line in path.read_bytes().splitlines():
            found = orjson.loads(line)
            assert found["timestamp"][:10] in path.name
            records.append(found)
    return records


def write_csv(path: Path, *rows: str) -> Path:
    path.write_text("\r\n".join(["t,in,out", *rows]))
    return path


def test_rows_go_to_their_days(tmp_path: Path) -> None:
    """Each row becomes a record in the file of its own UTC day."""
    source = write_csv(
        tmp_path / "a.csv", "2026-11-20 23:59:59.9999999,1,2", "2026-11-21T01:00+02:00,3,4"
    )
    assert counts(bring(tmp_path / "logs", source, *TRACE)) == (2, 0, 0, 0)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["token_usage_2026-11-20.jsonl"]
    assert [r["total_tokens"] for r in logged(tmp_path / "logs")] == [3, 7]


def test_importing_twice_counts_once(tmp_path: Path) -> None:
    """A second import adds nothing, and one of the grown file adds what is new."""
    rows = ["2026-11-20 12:00,1,2", "2026-11-21 12:00,1,2", "2026-11-20 12:00,1,2"]
    source = write_csv(tmp_path / "a.csv", *rows)
    logs = tmp_path / "logs"
    assert counts(bring(logs, source, *TRACE)) == (3, 0, 0, 0)
    before = logged(logs)
    assert counts(bring(logs, source, *TRACE)) == (0, 3, 0, 0)
    assert logged(logs) == before
    write_csv(source, *rows, "2026-11-20 12:00,1,2")
    assert counts(bring(logs, source, *TRACE)) == (1, 3, 0, 0)


def test_equal_rows_are_calls_of_their_own(tmp_path: Path) -> None:
    """Equal rows of one file have different ids, and the same ones in every import."""
    source = write_csv(tmp_path / "a.csv", *["2026-11-20 12:00,1,2"] * 5)
    for logs in (tmp_path / "one", tmp_path / "two"):
        assert counts(bring(logs, source, *TRACE)) == (5, 0, 0, 0)
    one, two = ([r["id"] for r in logged(tmp_path / n)] for n in ("one", "two"))
    assert one == two
    assert len(set(one)) == 5
    assert all(len(id_) == 24 and int(id_, 16) >= 0 for id_ in one)


def test_another_mapping_makes_other_records(tmp_path: Path) -> None:
    """The same row under another mapping is another record."""
    source = write_csv(tmp_path / "a.csv", "2026-11-20 12:00,1,2")
    assert bring(tmp_path / "logs", source, *TRACE).imported == 1
    assert bring(tmp_path / "logs", source, *TRACE, sets=("operation_type=chat",)).imported == 1


def test_bad_rows_are_named_and_the_rest_goes_in(tmp_path: Path) -> None:
    """A row that can't be a record is rejected with file, line and reason."""
    source = write_csv(
        tmp_path / "a.csv", "soon,1,2", "2026-11-20 12:00,1,2", "2026-11-20 12:00,-1,2", "1,2"
    )
    outcome = bring(tmp_path / "logs", source, *TRACE)
    assert counts(outcome) == (1, 0, 0, 3)
    assert [(bad.path.name, bad.line) for bad in outcome.rejections] == [
        ("a.csv", 2),
        ("a.csv", 4),
        ("a.csv", 5),
    ]
    assert outcome.rejections[0].reason.startswith("timestamp is 'soon'")


def test_only_the_first_rejections_are_kept(tmp_path: Path) -> None:
    """All rejected rows are counted, the first ones remembered."""
    outcome = bring(tmp_path / "logs", write_csv(tmp_path / "a.csv", *["x,1,2"] * 50), *TRACE)
    assert (outcome.rejected, len(outcome.rejections)) == (50, MAX_SHOWN)
    assert not (tmp_path / "logs").exists()


def test_only_chooses_rows(tmp_path: Path) -> None:
    """Rows that --only leaves out are counted as skipped, and are not even checked."""
    source = tmp_path / "events.jsonl"
    source.write_bytes(
        b'{"e": "call", "time": 1755100406, "p": {"in": 10}}\n{"e": "start", "time": "no"}\n'
    )
    outcome = bring(
        tmp_path / "logs", source, "timestamp=time", "prompt_tokens=p.in", only=("e=call",)
    )
    assert counts(outcome) == (1, 0, 1, 0)


def test_our_own_lines_come_in_as_they_are(tmp_path: Path) -> None:
    """A log of another host keeps its ids and unknown fields; lines without an id get one."""
    own = record(id="abc", tags={"team": "a"}, mine=[1, {"x": None}], cost_estimate=0.25)
    source = write_day(tmp_path / "other", "2026-11-20", [own, FIELD_LINE])
    assert counts(bring(tmp_path / "logs", source)) == (2, 0, 0, 0)
    old, new = logged(tmp_path / "logs")
    assert new == own
    assert list(new) == list(own)
    assert old.pop("id")
    field = orjson.loads(FIELD_LINE) | {"timestamp": "2024-12-26T10:30:45.123456+00:00"}
    assert old == field
    assert counts(bring(tmp_path / "logs", source)) == (0, 2, 0, 0)


def test_fields_nested_too_deep_to_write(tmp_path: Path) -> None:
    """What can be read but not written is rejected, not raised."""
    source = tmp_path / "own.jsonl"
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    source.write_bytes(orjson.dumps(record())[:-1] + b', "mine": ' + deep + b"}\n")
    outcome = bring(tmp_path / "logs", source)
    assert "nested too deep" in outcome.rejections[0].reason


def test_an_interrupted_import_is_completed(tmp_path: Path) -> None:
    """A full disk tears a line; the rerun brings in exactly what is missing."""
    rows = [f"2026-11-20 12:00:{i % 60:02d},{i},2" for i in range(200)]
    source = write_csv(tmp_path / "a.csv", *rows)
    logs = tmp_path / "logs"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        with pytest.raises(LogsError, match="not imported twice"):
            bring(logs, source, *TRACE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    outcome = bring(logs, source, *TRACE)
    assert outcome.known > 0
    assert outcome.imported + outcome.known == 200
    assert len(known_ids(logs, date(2026, 11, 20)) or ()) == 200


@pytest.mark.slow
def test_control_c_leaves_whole_lines(tmp_path: Path) -> None:
    """An import that is interrupted leaves whole lines only, and a rerun completes it."""
    rows = [f"2026-11-{1 + i % 20:02d} 12:00,{i},2" for i in range(60_000)]
    source = write_csv(tmp_path / "a.csv", *rows)
    logs = tmp_path / "logs"
    arguments = ["import", str(source), "--logs", str(logs)]
    for option in TRACE:
        arguments += ["--map", option]
    process = subprocess.Popen([sys.executable, "-m", "tokenusage", *arguments])
    while process.poll() is None and not (logs.exists() and any(logs.iterdir())):
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130
    before = len(logged(logs))
    assert before < 60_000
    outcome = bring(logs, source, *TRACE)
    assert outcome.known == before
    assert Counter(r["prompt_tokens"] for r in logged(logs)) == Counter(range(60_000))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=12))
def test_sums_are_those_of_the_source(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, bool]]
) -> None:
    """However rows repeat and go wrong, what was good is in the log once, after every rerun."""
    tmp_path = tmp_path_factory.mktemp("import")
    lines = [f"2026-11-2{day} 12:00,{'' if bad else tokens},1" for day, tokens, bad in rows]
    source = write_csv(tmp_path / "a.csv", *lines)
    good = sorted(tokens for _, tokens, bad in rows if not bad)
    for _ in range(2):
        bring(tmp_path / "logs", source, *TRACE)
        found = logged(tmp_path / "logs") if good else []
        assert sorted(r["prompt_tokens"] for r in found) == good
