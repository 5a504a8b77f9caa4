"""What the tests of sealing share: one day, sealed, and what is in it."""

from datetime import UTC, date
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from support import record

from tokenusage.keep.seal.day import Sealing, seal
from tokenusage.keep.seal.decode import to_lines
from tokenusage.logs import list_logs
from tokenusage.read.sealed import Footer, open_sealed

DAY = date(2026, 11, 20)
NAME = "token_usage_2026-11-20"


def seal_day(logs: Path) -> Sealing | None:
    """Seal `DAY`."""
    return seal(logs, DAY, naive_zone=UTC)


def sealed_lines(logs: Path) -> list[bytes]:
    """Return the lines that the sealed file of `DAY` gives back."""
    table = pq.read_table(logs / f"{NAME}.parquet")
    return [line.removesuffix(b"\n") for line in to_lines(table).cast(pa.binary()).to_pylist()]


def footer(logs: Path) -> Footer:
    """Return what the sealed file of `DAY` says of itself."""
    return open_sealed(list_logs(logs).sealed[DAY])[0]


def lines(*numbers: int) -> list[bytes]:
    """Return records with these numbers in their ids, as lines."""
    return [orjson.dumps(record(id=f"id-{number}")) for number in numbers]


def names(logs: Path) -> set[str]:
    """Return the names of all files."""
    return {path.name for path in logs.iterdir()}
