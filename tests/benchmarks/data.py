"""Log directories to measure on: lines as the logger writes them, the same ones every time."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tokenusage.logs import day_file_name
from tokenusage.record import encode

DAYS = 30
OPERATIONS = ("rag_answer", "rag_streaming", "embedding", "batch_embedding")
MODELS = (
    "gpt-4o-mini",
    "gpt-4o",
    "claude-sonnet-4-5",
    "gemini-2.5-flash",
    "text-embedding-3-small",
    "our-own-8b",
)
WORDS = ("what", "is", "the", "meaning", "of", "life", "invoice", "second", "quarter", "summarise")


def write_logs(directory: Path, records: int, today: datetime) -> Path:
    """Write `records` records over the 30 days that end with `today`, unless they are there."""
    return _write(directory, records, today, range(DAYS - 1, -1, -1))


def one_day(directory: Path, records: int, today: datetime) -> Path:
    """Write `records` records of the day before yesterday, unless they are there."""
    return _write(directory, records, today, range(2, 1, -1))


def _write(directory: Path, records: int, today: datetime, days: range) -> Path:
    """Write as many records of each day, each so many days back."""
    ready = directory / f"{today:%Y-%m-%d}.ready"
    if ready.exists():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    rng = random.Random(records)
    counter = iter(range(records))
    for back in days:
        day = today.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=back)
        size = records // len(days) + (back < records % len(days))
        with (directory / day_file_name(day.date())).open("wb") as file:
            file.writelines(
                line(rng, _moment(rng, day, place, size), next(counter)) for place in range(size)
            )
    ready.touch()
    return directory


def _moment(rng: random.Random, day: datetime, place: int, size: int) -> datetime:
    return day + timedelta(microseconds=86_399_000_000 * place // size + rng.randrange(10**6))


def line(rng: random.Random, moment: datetime, number: int) -> bytes:
    """Return the line of a call that ended at `moment`; `number` makes its id."""
    prompt, completion = rng.randrange(10, 8000), rng.randrange(900)
    priced = rng.random() > 0.02
    ok = rng.random() > 0.01
    return encode(
        {
            "timestamp": moment.astimezone(UTC).isoformat(timespec="microseconds"),
            "user_id": rng.randrange(500),
            "operation_type": rng.choice(OPERATIONS),
            "query": " ".join(rng.choices(WORDS, k=14)),
            "model_name": rng.choice(MODELS),
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "cost_estimate": round(prompt * 15e-8 + completion * 6e-7, 12) if priced else None,
            "response_time": round(rng.random() * 5, 6),
            "success": ok,
            "error_message": None if ok else "RateLimitError: try again in 2 s",
            "id": f"{0x1F2E3D4C5B6A7988:016x}{number:08x}",
            "cost_source": "genai-prices 0.2.3",
        }
    )
