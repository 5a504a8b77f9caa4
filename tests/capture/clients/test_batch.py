"""Batches, looked at through the real SDKs: recorded once, by their id."""

import gzip
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from answers import MESSAGE
from replaying import Replay, Reply, httpx_of

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.batch import MOST, Batches
from tokenusage.capture.clients.stainless import hook
from tokenusage.write.tracker import Tracker

Logged = Callable[[], list[dict[str, Any]]]
Hooked = Callable[..., None]

BATCH: dict[str, Any] = {
    "id": "batch_1",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "model": "gpt-4o-mini-2024-07-18",
    "input_file_id": "file-1",
    "completion_window": "24h",
    "status": "completed",
    "created_at": 1_795_000_000,
    "completed_at": 1_795_003_600,
    "request_counts": {"total": 100, "completed": 95, "failed": 5},
    "usage": {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 200},
        "output_tokens": 500,
        "output_tokens_details": {"reasoning_tokens": 300},
        "total_tokens": 1500,
    },
}

MESSAGE_BATCH: dict[str, Any] = {
    "id": "msgbatch_1",
    "type": "message_batch",
    "processing_status": "ended",
    "ended_at": "2026-11-20T10:00:00Z",
    "created_at": "2026-11-20T09:00:00Z",
    "expires_at": "2026-11-21T09:00:00Z",
    "request_counts": {"canceled": 0, "errored": 1, "expired": 1, "processing": 0, "succeeded": 1},
    "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results",
}

RESULTS = b"\n".join(
    orjson.dumps({"custom_id": f"c{index}", "result": result})
    for index, result in enumerate(
        (
            {"type": "succeeded", "message": MESSAGE},
            {"type": "expired"},
            {
                "type": "errored",
                "error": {"type": "error", "error": {"type": "api_error", "message": "Oh"}},
            },
        )
    )
)


@pytest.fixture
def openai() -> ModuleType:
    """Return the SDK, where it is installed."""
    sdk: ModuleType = pytest.importorskip("openai")
    return sdk


@pytest.fixture
def anthropic() -> ModuleType:
    """Return the SDK, where it is installed."""
    sdk: ModuleType = pytest.importorskip("anthropic")
    return sdk


def test_openai_batch_is_recorded_once(
    replay: Replay, hooked: Hooked, logged: Logged, openai: Any
) -> None:
    """However often a batch is polled, it is one record of its own day, at half the price."""
    hooked(openai)
    running = {**BATCH, "status": "in_progress", "completed_at": None, "usage": None}
    replay.answer(Reply(body=running), Reply(body=BATCH))
    with replay.client(httpx_of(openai)) as http:
        client = openai.OpenAI(api_key="k", http_client=http)
        for _ in range(3):
            assert client.batches.retrieve("batch_1").id == "batch_1"
        client.batches.with_raw_response.retrieve("batch_1")
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (1000, 500)
    assert (record["cache_read_tokens"], record["reasoning_tokens"]) == (200, 300)
    assert (record["batch_id"], record["items"]) == ("batch_1", 95)
    assert record["price_context"] == {"processing": "batch"}
    assert record["timestamp"] == "2026-11-18T12:06:40.000000+00:00"
    assert (record["operation_type"], record["response_time"]) == ("batch", None)
    assert "response_id" not in record
    # (800 × 0.15 + 200 × 0.075 + 500 × 0.60) / 1 000 000, halved: the list's batch price
    assert record["cost_estimate"] == pytest.approx(0.0002175, rel=0.04)


def test_another_process_gives_the_same_id(
    replay: Replay, logged: Logged, openai: Any, tmp_path: Path
) -> None:
    """Two processes that poll a batch write the same id, which readers count once."""
    replay.answer(Reply(body=BATCH))
    for _ in range(2):
        with Tracker(tmp_path / "logs") as tracker, replay.client(httpx_of(openai)) as http:
            unhook = hook(openai, Capture(tracker))
            openai.OpenAI(api_key="k", http_client=http).batches.retrieve("batch_1")
            unhook()
    first, second = logged()
    assert (first["id"], first["timestamp"]) == (second["id"], second["timestamp"])


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "deflate, gzip"])
def test_anthropic_results_are_recorded_once(
    replay: Replay, hooked: Hooked, logged: Logged, anthropic: Any, encoding: str
) -> None:
    """Each result is a record of the batch's day; reading them again adds nothing."""
    hooked(anthropic)
    content = zlib.compress(RESULTS) if "deflate" in encoding else RESULTS
    content = gzip.compress(content) if "gzip" in encoding else content
    results = Reply(
        body=content,
        headers={"content-type": "application/x-jsonl", "content-encoding": encoding},
    )
    replay.answer(Reply(body=MESSAGE_BATCH), results, Reply(body=MESSAGE_BATCH), results)
    with replay.client(httpx_of(anthropic)) as http:
        client = anthropic.Anthropic(api_key="k", http_client=http)
        for _ in range(2):
            read = [entry.custom_id for entry in client.messages.batches.results("msgbatch_1")]
            assert read == ["c0", "c1", "c2"]
    done, failed = logged()
    assert (done["prompt_tokens"], done["completion_tokens"], done["success"]) == (18, 7, True)
    assert (done["batch_id"], done["price_context"]["processing"]) == ("msgbatch_1", "batch")
    assert done["timestamp"] == "2026-11-20T10:00:00.000000+00:00"
    assert (failed["success"], failed["error_message"]) == (False, "api_error: Oh")
    assert done["id"] != failed["id"]


def test_results_left_early_are_continued(
    replay: Replay, hooked: Hooked, logged: Logged, anthropic: Any
) -> None:
    """What the first reading did not reach, the second records."""
    hooked(anthropic)
    results = Reply(
        pieces=tuple(line + b"\n" for line in RESULTS.split(b"\n")),
        headers={"content-type": "application/x-jsonl"},
        delay=0.02,
    )
    replay.answer(Reply(body=MESSAGE_BATCH), results, Reply(body=MESSAGE_BATCH), results)
    with replay.client(httpx_of(anthropic)) as http:
        client = anthropic.Anthropic(api_key="k", http_client=http)
        opened = client.messages.batches.results("msgbatch_1")
        next(opened)
        opened.http_response.close()
        assert len(logged()) == 1
        list(client.messages.batches.results("msgbatch_1"))
    assert [record["success"] for record in logged()] == [True, False]


def test_memory_of_batches_is_bounded(capture: Capture) -> None:
    """A process that lives for years forgets the oldest."""
    batches = Batches(capture)
    for number in range(MOST + 1):
        assert batches.claim(("host", str(number)), 0)
    assert not batches.claim(("host", str(MOST)), 0)
    assert batches.claim(("host", "0"), 0)
