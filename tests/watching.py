"""Calls for a watch: appended as they come, at moments around a fixed one."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from support import record

from tokenusage.analyse.window import Look

NOW: Final = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


def append(logs: Path, *calls: dict[str, Any] | bytes, day: str = "2026-11-22") -> Path:
    """Append calls or raw lines to the file of a day, and return its path."""
    logs.mkdir(exist_ok=True)
    path = logs / f"token_usage_{day}.jsonl"
    with path.open("ab") as file:
        file.writelines((x if isinstance(x, bytes) else orjson.dumps(x)) + b"\n" for x in calls)
    return path


def at(moment: datetime, **fields: Any) -> dict[str, Any]:
    """Return a record that ended at a moment."""
    return record(moment.isoformat(timespec="microseconds"), **fields)


def calls(look: Look) -> int:
    """Return how many calls a look has counted."""
    return look.totals.calls
