"""What several rooms of tests share: real lines, real files, the program as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

FIELD_LINE = (
    b'{"timestamp": "2024-12-26T10:30:45.123456", "user_id": 123, "operation_type": "rag_answer", '
    b'"query": "What is the meaning of life?", "model_name": "gpt-4o-mini", '
    b'"prompt_tokens": 1250, "completion_tokens": 150, "total_tokens": 1400, '
    b'"cost_estimate": 0.000285, "response_time": 2.34, "success": true, "error_message": null}'
)
"""A line from the field, as an application wrote it in 2024."""


def record(timestamp: str = "2026-11-20T12:00:00.000000+00:00", **fields: Any) -> dict[str, Any]:
    """Return a whole record with small figures, `fields` over it."""
    base: dict[str, Any] = {
        "timestamp": timestamp,
        "user_id": 1,
        "operation_type": "rag_answer",
        "query": None,
        "model_name": "gpt-4o-mini",
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "cost_estimate": 0.001,
        "response_time": 0.5,
        "success": True,
        "error_message": None,
    }
    return base | fields


def write_day(logs: Path, day: str, lines: Iterable[bytes | Mapping[str, Any]]) -> Path:
    """Write records or raw lines as the file of `day` and return its path."""
    logs.mkdir(parents=True, exist_ok=True)
    path = logs / f"token_usage_{day}.jsonl"
    path.write_bytes(
        b"".join((x if isinstance(x, bytes) else orjson.dumps(dict(x))) + b"\n" for x in lines)
    )
    return path


def run(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``tokenusage ARGUMENTS`` in a process of its own, in `cwd`, without a terminal."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TOKENUSAGE_", "COLUMNS"))}
    return subprocess.run(
        [sys.executable, "-m", "tokenusage", *arguments],
        cwd=cwd,
        env=clean | dict(env or {}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
