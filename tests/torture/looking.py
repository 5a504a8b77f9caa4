"""What the crew has left: every line is looked at, in memory that no query adds to."""

import os
import subprocess
import sys
import time
from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import orjson
from torture.crew import ACKNOWLEDGEMENT, query_of

from tokenusage.record import LINE_START

Numbers: TypeAlias = "array[int]"  # in quotes: it takes no [int] at run time before 3.12
Hashes = npt.NDArray[np.int64]
"""Hashes of ids: ten million of the texts themselves would take a gigabyte."""


@dataclass(slots=True)
class Found:
    """What stands in a log directory."""

    files: int = 0
    torn: int = 0
    """Lines that are no record."""
    writers: dict[str, Numbers] = field(default_factory=lambda: defaultdict(lambda: array("I")))
    """The numbers of each writer's records, in order of file and line."""
    ids: Numbers = field(default_factory=lambda: array("q"))

    @property
    def records(self) -> int:
        """How many records there are."""
        return len(self.ids)


def start(work: str, logs: Path, *arguments: object) -> subprocess.Popen[str]:
    """Start a process of the crew."""
    return subprocess.Popen(
        [sys.executable, "-m", "torture.crew", work, str(logs), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], timeout: float) -> None:
    """Wait for a process, and make sure that all was well in it."""
    _, errors = process.communicate(timeout=timeout)
    assert process.returncode == 0, errors


def await_writers(logs: Path, count: int) -> Path:
    """Wait until each of `count` writers has logged, and return the file that they share."""
    acknowledged = logs.parent / "acknowledged"
    end = time.monotonic() + 30
    while sum(path.stat().st_size > 0 for path in acknowledged.glob("*")) < count:
        assert time.monotonic() < end
        time.sleep(0.01)
    [shared] = logs.glob("token_usage_????-??-??.jsonl")
    return shared


def look(logs: Path, large_every: int) -> Found:
    """Read every line, and make sure of what holds whatever happens to the writers.

    Each record is as it was written, once, in its writer's order within the file,
    and nothing is glued to it.
    """
    found = Found()
    for path in sorted(logs.iterdir()):
        found.files += 1
        last: dict[str, int] = defaultdict(lambda: -1)
        with path.open("rb") as file:
            for line in file:
                try:
                    record = orjson.loads(line)
                except orjson.JSONDecodeError:
                    assert line.count(LINE_START) <= 1, "a record is glued to a torn one"
                    found.torn += 1
                    continue
                writer, number = record["tags"]["writer"], record["tags"]["n"]
                assert number > last[writer], f"{writer} {number}"
                assert record["query"] == query_of(number, large_every)
                last[writer] = number
                found.writers[writer].append(number)
                found.ids.append(hash(record["id"]))
    assert len(np.unique(_hashes(found.ids))) == found.records, "an id stands there twice"
    return found


def acknowledged(logs: Path) -> Numbers:
    """Return the hashes of all ids that the crew knows to be logged; a torn last one is none."""
    return array(
        "q",
        [
            hash(word)
            for path in (logs.parent / "acknowledged").iterdir()
            for word in path.read_text().split("\n")[:-1]
        ],
    )


def acknowledgements(logs: Path) -> int:
    """Return how many records the crew knows to be logged by now."""
    files = (logs.parent / "acknowledged").iterdir()
    return sum(path.stat().st_size // ACKNOWLEDGEMENT for path in files)


def missing(found: Found, said: Numbers) -> int:
    """Return how many acknowledged records were not found."""
    return int((~np.isin(_hashes(said), _hashes(found.ids))).sum())


def _hashes(ids: Numbers) -> Hashes:
    return np.frombuffer(ids, np.int64)
