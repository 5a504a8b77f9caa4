"""Batches: recorded once, when the application looks at what has come of them.

Every record has an id made of the batch's, so that two polls, two processes and two
machines that write the same directory count once: readers drop the second record of
an id within a UTC day, and the batch's own end decides the day.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

from tokenusage.capture.body.encoded import read_along
from tokenusage.capture.body.sse import parse
from tokenusage.capture.body.tee import response_behind
from tokenusage.capture.call import UNKNOWN, Capture
from tokenusage.capture.clients.endpoints import batch_of, batch_results_of
from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.plain import plain
from tokenusage.capture.providers import host_of, provider_of
from tokenusage.context import Scope, current, entered

MOST: Final = 10_000
"""Batches that are remembered; the oldest make room."""

_PROCESSING: Final = {"processing": "batch"}
"""What genai-prices asks for, to charge half."""

_OVER: Final = frozenset({"completed", "expired", "cancelled"})
"""What OpenAI calls a batch of which nothing more will come; what was done is charged."""


class Batches:
    """Remembers the batches that this process has seen.

    Args:
        capture: Takes what fails here, and has the tracker.
    """

    def __init__(self, capture: Capture) -> None:
        self.capture = capture
        self._lock = threading.RLock()
        self._ends: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._recorded: OrderedDict[tuple[str, str], int] = OrderedDict()

    def polled(self, answer: Any, *, url: str, provider: str, host: str) -> None:
        """Take the state of a batch, as a poll has answered: SDK's object or mapping.

        One record, where it is OpenAI's batch and is over; Anthropic's tell their
        usage in the results.
        """
        body = plain(answer)
        batch_id = batch_of(url)
        if not isinstance(body, Mapping) or batch_id is None:
            return
        key = (host, batch_id)
        if body.get("object") != "batch":
            self._note_end(key, body.get("ended_at"))
        elif body.get("status") in _OVER and body.get("usage") and self.claim(key, 0):
            self._record_batch(body, key, provider)

    def claim(self, key: tuple[str, str], index: int) -> bool:
        """Say whether the result at `index` of a batch is recorded for the first time."""
        with self._lock:
            done = self._recorded.get(key, 0)
            if index < done:
                return False
            self._recorded[key] = index + 1
            self._recorded.move_to_end(key)
            _limit(self._recorded)
            return True

    def end_of(self, key: tuple[str, str]) -> datetime | None:
        """Return when a batch has ended, where a poll has said it."""
        return self._ends.get(key)

    def _note_end(self, key: tuple[str, str], ended_at: Any) -> None:
        if isinstance(ended_at, str):  # out of a raw response
            ended_at = datetime.fromisoformat(ended_at)
        if isinstance(ended_at, datetime):
            with self._lock:
                self._ends[key] = ended_at
                _limit(self._ends)

    def _record_batch(self, body: Mapping[str, Any], key: tuple[str, str], provider: str) -> None:
        fields: dict[str, Any] = {**fields_of(body, provider=provider)}
        # The batch's own id is no response's.
        fields.pop("response_id", None)
        fields.setdefault("model_name", body.get("model") or UNKNOWN)
        counts = body.get("request_counts")
        ended = next((body[at] for at in _ENDS if body.get(at)), None)
        if ended is not None:
            fields["timestamp"] = datetime.fromtimestamp(ended, UTC)
        if isinstance(counts, Mapping):
            fields["items"] = counts.get("completed")
        _record(self.capture, fields, provider=provider, key=key, scope=current())


_ENDS: Final = ("completed_at", "expired_at", "cancelled_at")


class Results:
    """Reads the results of one of Anthropic's batches along: JSON, one a line.

    Args:
        batches: Remembers which results are recorded.
        key: The host and the batch's id.
        provider: Who has answered.
    """

    __slots__ = ("_batches", "_buffer", "_index", "_key", "_provider", "_scope")

    def __init__(self, batches: Batches, key: tuple[str, str], *, provider: str) -> None:
        self._batches = batches
        self._key = key
        self._provider = provider
        self._scope = current()
        self._index = 0
        self._buffer = b""

    def feed(self, piece: bytes) -> bytes:
        """Record the results that `piece` completes."""
        with self._batches.capture.guard():
            *lines, self._buffer = (self._buffer + piece).split(b"\n")
            for line in lines:
                self._read(line)
        return piece

    def rest(self) -> bytes:
        """Return nothing: all has passed."""
        return b""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Record the last result, where no newline ends it."""
        if exhausted and error is None:
            with self._batches.capture.guard():
                self._read(self._buffer)

    def _read(self, line: bytes) -> None:
        entry = parse(line)
        result = entry.get("result") if entry else None
        if not isinstance(entry, dict) or not isinstance(result, dict):
            return
        index, self._index = self._index, self._index + 1
        if result.get("type") not in {"succeeded", "errored"}:
            return  # expired or cancelled: nothing was done
        if not self._batches.claim(self._key, index):
            return
        with self._batches.capture.guard():
            fields = self._fields(result)
            ended = self._batches.end_of(self._key)
            if ended is not None:
                fields["timestamp"] = ended
            _record(
                self._batches.capture,
                fields,
                provider=self._provider,
                key=self._key,
                scope=self._scope,
                entry=str(entry.get("custom_id")),
            )

    def _fields(self, result: Mapping[str, Any]) -> dict[str, Any]:
        if result["type"] == "succeeded":
            return {**fields_of(result["message"], provider=self._provider)}
        error = result.get("error") or {}
        inner = error.get("error") or error
        message = f"{inner.get('type')}: {inner.get('message')}"
        return {"model_name": UNKNOWN, "success": False, "error_message": message}


class BatchLook:
    """A look at a batch, or at its results, on its way through the SDK's `request`.

    Args:
        batches: Remembers what it shows.
        options: The SDK's request.
        base_url: The client's.
    """

    __slots__ = ("_batches", "_host", "_provider", "_url", "options")

    def __init__(self, batches: Batches, options: Any, base_url: str) -> None:
        self.options = options
        self._batches = batches
        self._url: str = options.url
        address = options.url if "://" in options.url else base_url
        self._host = host_of(address)
        self._provider = provider_of(address)

    def refused(self, _error: Exception) -> bool:
        """Say that nothing was added to the request."""
        return False

    def failed(self, _error: BaseException) -> None:
        """Hear that there is no answer, which is no call either."""

    def answered(self, result: Any, *, asynchronous: bool) -> None:
        """Hear the answer."""
        with self._batches.capture.guard():
            batch_id = batch_results_of(self._url)
            response = response_behind(result)
            if batch_id is None:
                self._polled(result, response)
                return
            if response is not None and not response.is_closed:
                key = (self._host, batch_id)
                results = Results(self._batches, key, provider=self._provider)
                read_along(results, self._batches.capture, response, asynchronous=asynchronous)

    def _polled(self, result: Any, response: Any | None) -> None:
        if response is not None:
            if not response.is_closed:
                return
            result = parse(response.content)
        self._batches.polled(result, url=self._url, provider=self._provider, host=self._host)


def _record(
    capture: Capture,
    fields: dict[str, Any],
    *,
    provider: str,
    key: tuple[str, str],
    scope: Scope,
    entry: str = "",
) -> None:
    """Write a record of a batch, or of one `entry` of it, in the scope that has asked for it."""
    host, batch_id = key
    name = f"{host}\n{batch_id}\n{entry}".encode()
    fields |= {
        "id": f"batch-{blake2b(name, digest_size=16).hexdigest()}",
        "batch_id": batch_id,
        "price_context": {**fields.get("price_context", {}), **_PROCESSING},
        "operation_type": scope.get("operation_type") or "batch",
    }
    if "provider" not in scope:
        fields.setdefault("provider", provider)
    with entered(scope):
        capture.tracker.record(**fields)


def _limit(known: OrderedDict[tuple[str, str], Any]) -> None:
    while len(known) > MOST:
        known.popitem(last=False)
