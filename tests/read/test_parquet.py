"""Parquet files that are damaged, somebody else's, or made to fill the memory."""

import subprocess
import sys
from datetime import UTC
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import record, run, write_day

from tokenusage.keep.seal.day import seal
from tokenusage.logs import list_logs
from tokenusage.read.ledger import Account
from tokenusage.read.parquet import KEY, MAX_GROUP_ROWS
from tokenusage.read.sealed import FORMAT, SCHEMA

DAY = "2026-11-10"
NOTHING = Account().as_json()
NAME = f"token_usage_{DAY}.parquet"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A sealed day and one of JSON lines."""
    logs = tmp_path / "logs"
    write_day(logs, DAY, [record(f"{DAY}T10:00:00Z")] * 50)
    seal(logs, next(file.day for file in list_logs(logs).raw), naive_zone=UTC)
    write_day(logs, "2026-11-11", [record("2026-11-11T10:00:00Z")])
    return logs


def shown(logs: Path, code: int = 0, *words: str) -> str:
    done = run("report", "--all", "--logs", str(logs), *words, cwd=logs)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("content", [b"", b"PAR1", b"x" * 1000])
def test_a_file_that_is_no_parquet_is_named_and_not_read(logs: Path, content: bytes) -> None:
    """The other days are answered, the ledger says what is missing, and --strict fails."""
    (logs / NAME).write_bytes(content)
    text = shown(logs)
    assert f"not read: {NAME} is damaged" in text
    assert "1 call " in text
    assert "files not read" in shown(logs, 1, "--strict")


@pytest.mark.parametrize("place", [10, -200, -2000])
def test_flipped_bytes_never_change_a_figure(logs: Path, place: int) -> None:
    """A damaged file is refused in a sentence, whether its footer or its pages are hit."""
    path = logs / NAME
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    done = run("report", "--all", "--logs", str(logs), cwd=logs)
    assert "Traceback" not in done.stderr
    assert NAME in done.stdout + done.stderr or "51 calls" in done.stdout


def test_other_peoples_parquet_is_named_and_not_read(logs: Path) -> None:
    """A file of that name without our footer, or with other columns, is not ours."""
    pq.write_table(pa.table({"a": [1]}), logs / NAME)
    assert f"{NAME} was not written by tokenusage" in shown(logs)
    footer = {KEY: orjson.dumps({"format": FORMAT})}
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata(footer), logs / NAME)
    assert "by another version of tokenusage" in shown(logs)


def test_a_symlink_in_a_sealed_days_place_is_refused(logs: Path, tmp_path: Path) -> None:
    """What it leads to is not opened."""
    (logs / NAME).rename(tmp_path / "elsewhere")
    (logs / NAME).symlink_to(tmp_path / "elsewhere")
    assert f"{NAME} is not a regular file" in shown(logs)


def write_sealed(path: Path, rows: int, **columns: pa.ChunkedArray) -> None:
    """Write a row group of nulls, but for `columns`, as a sealed file."""
    nulls = {field.name: pa.nulls(rows, field.type) for field in SCHEMA}
    document = {"format": FORMAT, "sources": [], "account": NOTHING, "rejected_bytes": 0}
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        writer.add_key_value_metadata({KEY: orjson.dumps(document)})
        writer.write_table(pa.table(nulls | columns, schema=SCHEMA), row_group_size=rows)
    assert path.stat().st_size < 1 << 20


def test_more_rows_than_are_ever_written_are_refused(logs: Path) -> None:
    """Nothing of such a file is unfolded."""
    write_sealed(logs / NAME, MAX_GROUP_ROWS + 1)
    assert f"{NAME} unfolds to more than tokenusage" in shown(logs)


@pytest.mark.slow
def test_a_bomb_costs_a_sentence_and_no_memory(logs: Path) -> None:
    """A text of some kilobytes that stands for gigabytes is never unfolded."""
    text = pa.repeat(pa.scalar("x" * 50_000), 20_000)
    write_sealed(logs / NAME, 100_000, operation_type=pa.chunked_array([text] * 5))
    limited = 'ulimit -v 4000000 && exec "$@"'
    words = (sys.executable, "-m", "tokenusage", "report", "--all", "--logs", str(logs))
    done = subprocess.run(
        ["sh", "-c", limited, "sh", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"not read: {NAME} is damaged: a row in it is no record" in done.stdout
