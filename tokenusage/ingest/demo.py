"""Believable samples: what the log of a small team looks like, to try the reports on.

The team runs a support assistant that answers from documents: it embeds
questions and documents, retrieves, and answers on models of three providers and
one of its own, which no price list knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final

from tokenusage.errors import LogsError
from tokenusage.ingest.build import build
from tokenusage.logs import list_logs
from tokenusage.record import Record, encode
from tokenusage.write.appender import Appender
from tokenusage.write.cost import PriceSource

_QUERY_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    provider: str
    prompt_caching: bool = False
    reasoning: bool = False


@dataclass(frozen=True, slots=True)
class _Workload:
    """One operation: medians of what its calls use, and the models that they go to."""

    operation: str
    share: float
    prompt: int
    completion: int
    seconds: float
    models: tuple[tuple[_Model, int], ...]
    """With weights."""
    cache: tuple[str, ...]
    """How a call can be answered without the provider."""


@dataclass(frozen=True, slots=True)
class _User:
    id: int | str
    email: str | None
    team: str
    weight: int


_MINI: Final = _Model("gpt-4o-mini", "openai", prompt_caching=True)
_GPT: Final = _Model("gpt-5-mini", "openai", prompt_caching=True, reasoning=True)
_CLAUDE: Final = _Model("claude-sonnet-4-5", "anthropic", prompt_caching=True)
_GEMINI: Final = _Model("gemini-2.5-flash", "google", reasoning=True)
_OWN: Final = _Model("support-tuned-8b", "self-hosted")
_EMBED_SMALL: Final = _Model("text-embedding-3-small", "openai")
_EMBED_LARGE: Final = _Model("text-embedding-3-large", "openai")

_ANSWERING: Final = ((_MINI, 50), (_CLAUDE, 16), (_GEMINI, 20), (_GPT, 10), (_OWN, 4))

_WORKLOADS: Final = (
    _Workload("embedding", 0.46, 22, 0, 0.18, ((_EMBED_SMALL, 1),), ("session", "persistent")),
    _Workload("rag_answer", 0.27, 1900, 190, 2.3, _ANSWERING, ("persistent", "search_results")),
    _Workload("rag_streaming", 0.21, 2300, 310, 4.1, _ANSWERING, ("session", "search_results")),
    _Workload("batch_embedding", 0.06, 14_000, 0, 1.9, ((_EMBED_LARGE, 1), (_EMBED_SMALL, 3)), ()),
)

_USERS: Final = (
    _User(101, "ana@example.com", "support", 9),
    _User(102, "ben@example.com", "support", 7),
    _User(107, "chloe@example.com", "sales", 4),
    _User("dev@example.com", "dev@example.com", "platform", 3),
    _User("eval@example.com", "eval@example.com", "platform", 2),
)
_INDEXER: Final = _User("indexer@example.com", None, "platform", 0)
"""Who embeds documents in batches."""

_QUERIES: Final = (
    "How do I reset a customer's password?",
    "What is the notice period of the business plan?",
    "Summarise the open tickets of Northwind",
    "Which invoices are overdue since October?",
    "Why was the refund for order 5512 declined?",
    "Translate the return policy into French",
    "What changed in the API between v2 and v3?",
    "Draft an answer to a complaint about late delivery",
)

_ERRORS: Final = (
    "RateLimitError: 429 Too Many Requests",
    "APITimeoutError: Request timed out.",
    "InternalServerError: 529 Overloaded",
    "APIConnectionError: Connection reset by peer",
)

_HOURS: Final = (1, 1, 1, 1, 1, 2, 4, 9, 18, 26, 28, 25, 17, 24, 27, 26, 22, 15, 9, 6, 5, 4, 3, 2)
"""How busy each hour of a day is (UTC)."""

_WEEKDAYS: Final = (1.0, 1.1, 1.05, 1.0, 0.8, 0.2, 0.15)
"""How busy each day is, Monday first."""

_FAILURES: Final = 0.02
_CACHE_HITS: Final = 0.07


def write_demo(
    directory: Path,
    *,
    now: datetime,
    days: int,
    calls: int,
    rng: Random,
    pricer: PriceSource,
    appender: Appender,
) -> None:
    """Write `calls` samples of the last `days` days.

    The same `rng` state, `now` and prices give the same bytes.

    Args:
        directory: where `appender` writes; must hold no records.
        now: the present in UTC; the samples end here.
        days: calendar days, today included.
        calls: records, cache hits among them.
        rng: decides everything else.
        pricer: prices each call at its own time.
        appender: writes the days.

    Raises:
        LogsError: `directory` holds records, or can't be read or written.
    """
    if directory.exists() and list_logs(directory).in_use:
        raise LogsError(
            f"{str(directory)!r} already holds records, which samples must not mix with: "
            "name an empty or new directory with --logs."
        )
    for day, records in groupby(make_records(now, days, calls, rng, pricer), _day):
        try:
            appender.append(day, b"".join(map(encode, records)))
        except OSError as error:
            reason = error.strerror or error
            raise LogsError(f"Writing to {str(directory)!r} failed: {reason}.") from error


def make_records(
    now: datetime, days: int, calls: int, rng: Random, pricer: PriceSource
) -> Iterator[Record]:
    """Yield the samples that `write_demo` writes, in order of time."""
    for moment in _moments(now, days, calls, rng):
        yield build(_call(moment, rng), pricer, _QUERY_CHARS)


def _day(record: Record) -> date:
    return date.fromisoformat(record["timestamp"][:10])


def _moments(now: datetime, days: int, calls: int, rng: Random) -> list[datetime]:
    """Return the ends of `calls` calls in order, in the rhythm of days and weeks."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=days - 1)
    # In the first second of a day there is no hour behind it yet.
    count = max(1, -(-(now - start) // timedelta(hours=1)))
    hours = [start + timedelta(hours=number) for number in range(count)]
    weights = [_HOURS[hour.hour] * _WEEKDAYS[hour.weekday()] for hour in hours]
    weights[-1] *= (now - hours[-1]) / timedelta(hours=1) or 1
    return sorted(
        hour + rng.random() * min(timedelta(hours=1), now - hour)
        for hour in rng.choices(hours, weights, k=calls)
    )


def _call(at: datetime, rng: Random) -> dict[str, Any]:
    """Return the fields of one call that ended `at`."""
    work = rng.choices(_WORKLOADS, [work.share for work in _WORKLOADS])[0]
    batched = work.operation == "batch_embedding"
    user = _INDEXER if batched else rng.choices(_USERS, [user.weight for user in _USERS])[0]
    model = rng.choices(*zip(*work.models, strict=True))[0]
    fields: dict[str, Any] = {
        "timestamp": at,
        "user_id": user.id,
        "operation_type": work.operation,
        "query": rng.choice(_QUERIES),
        "model_name": model.name,
        "id": f"{rng.getrandbits(96):024x}",
        "provider": model.provider,
        "tags": {"team": user.team, "env": "prod" if rng.random() < 0.9 else "staging"},
    }
    if user.email is not None:
        fields["user_email"] = user.email
    if batched:
        fields |= {"batch_id": f"reindex-{at:%Y%m%d}", "items": rng.randint(20, 200), "query": None}
    else:
        # A user comes back to the same conversation within half a day.
        fields["session_id"] = f"s-{at:%m%d}-{'am' if at.hour < 12 else 'pm'}-{user.id}"
    return fields | _outcome(work, model, rng)


def _outcome(work: _Workload, model: _Model, rng: Random) -> dict[str, Any]:
    """Return what came of a call: cached, failed or answered."""
    if work.cache and rng.random() < _CACHE_HITS:
        return {"cache": rng.choice(work.cache), "response_time": _seconds(0.006, rng)}
    if rng.random() < _FAILURES:
        return {"error_message": rng.choice(_ERRORS), "response_time": _seconds(9.0, rng)}
    prompt, completion = _around(work.prompt, rng), _around(work.completion, rng)
    fields: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "response_time": _seconds(work.seconds, rng),
        "usage_source": "estimated" if rng.random() < 0.01 else "provider",
    }
    if model.prompt_caching and prompt > 1024 and rng.random() < 0.4:
        # Providers cache prefixes in steps of 128 tokens, from 1,024 up.
        fields["cache_read_tokens"] = rng.randrange(1024, prompt + 1, 128)
    if model.reasoning:
        fields["reasoning_tokens"] = round(completion * rng.uniform(0.2, 0.6))
    return fields


def _around(median: int, rng: Random) -> int:
    return round(rng.lognormvariate(log(median), 0.45)) if median else 0


def _seconds(median: float, rng: Random) -> float:
    return round(rng.lognormvariate(log(median), 0.4), 3)
