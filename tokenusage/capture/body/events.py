"""Reading along on a streamed body: server-sent events, and AWS's own."""

import base64
from collections.abc import Mapping
from struct import unpack_from
from typing import Any, Final

import orjson

from tokenusage.capture.body.sse import DONE, Splitter, data_of, parse, without_usage
from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.payload.fold import Fold

AWS_EVENTS: Final = "application/vnd.amazon.eventstream"
"""The type of Bedrock's streams."""

_ONE_LINE: Final = b"data: {"
"""How an event begins that may be one line of JSON, so that nothing has to be cut out of it."""


class StreamError(Exception):
    """An error that the provider has sent in the middle of a stream."""


class Events:
    """Reads a stream of server-sent events.

    Args:
        call: Hears of the stream's end.
        capture: Takes what fails here.
        swallow: Usage was asked for behind the application's back; it is not to see it.
        timed: The pieces come as the provider sends them; else the first output's time
            is not known.
    """

    __slots__ = (
        "_call",
        "_capture",
        "_done",
        "_error",
        "_fold",
        "_splitter",
        "_swallow",
        "_timed",
        "_typed",
    )

    def __init__(
        self, call: CapturedCall, capture: Capture, *, swallow: bool = False, timed: bool = True
    ) -> None:
        self._call = call
        self._capture = capture
        self._swallow = swallow
        self._timed = timed
        self._done = False
        self._splitter = Splitter()
        self._fold = Fold()
        self._error: StreamError | None = None
        self._typed = False

    def feed(self, piece: bytes) -> bytes:
        """Read the events that `piece` completes."""
        events = self._splitter.feed(piece)
        if len(events) == 1:  # as most pieces are
            passing = self._read(events[0])
        else:
            passing = b"".join([self._read(event) for event in events])
        return passing if self._swallow else piece

    def rest(self) -> bytes:
        """Return the beginning of an event that never ended."""
        rest = self._splitter.rest()
        return rest if self._swallow else b""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """End the call, as a whole stream where the last event was seen."""
        fold = self._fold
        if self._done or (exhausted and not self._typed):
            # Chat streams of some servers have no last event; others name theirs.
            fold.ended = True
        elif not self._typed and "usage" not in fold.response():
            fold.ended = False  # left behind the finish_reason, where usage may follow
        if not self._timed:
            fold.first_output = None
        self._call.stream_ended(fold, error or self._error)

    def _read(self, event: bytes) -> bytes:
        try:
            parsed = parse(event[6:]) if event.startswith(_ONE_LINE) else None
            if parsed is None:
                data = data_of(event)
                if data.startswith(DONE):
                    self._done = True
                    return event
                parsed = parse(data)
                if parsed is None:
                    return event
            kind = parsed.get("type")
            if kind is not None:
                self._typed = True
            if self._error is None and ("error" in parsed or kind == "error"):
                self._error = _error_in(parsed)
            self._fold.add(parsed)
            return without_usage(event, parsed) if self._swallow else event
        except Exception:
            with self._capture.guard():  # here alone: it would take time for every event
                raise
        return event


class AwsEvents:
    """Reads a stream in AWS's own framing, in which Bedrock wraps Anthropic's events.

    A message is its length, its headers' length, a checksum (4 bytes each), headers,
    payload, checksum. Checksums are the SDK's affair. Source:
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
    """

    __slots__ = ("_buffer", "_call", "_capture", "_error", "_fold")

    def __init__(self, call: CapturedCall, capture: Capture) -> None:
        self._call = call
        self._capture = capture
        self._fold = Fold()
        self._buffer = b""
        self._error: StreamError | None = None

    def feed(self, piece: bytes) -> bytes:
        """Read the messages that `piece` completes."""
        with self._capture.guard():
            self._buffer += piece
            while len(self._buffer) >= 12:
                length, headers = unpack_from(">II", self._buffer)
                if len(self._buffer) < length:
                    break
                payload = self._buffer[12 + headers : length - 4]
                self._buffer = self._buffer[max(length, 12) :]
                self._read(payload)
        return piece

    def rest(self) -> bytes:
        """Return nothing: all has passed."""
        return b""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:  # noqa: ARG002 - the protocol's
        """End the call; Anthropic's streams name their last event."""
        self._call.stream_ended(self._fold, error or self._error)

    def _read(self, payload: bytes) -> None:
        message = parse(payload) or {}
        if "bytes" in message:
            event = orjson.loads(base64.b64decode(message["bytes"]))
            self._error = self._error or _error_in(event)
            self._fold.add(event)
        elif "message" in message:
            self._error = StreamError(str(message["message"]))


def _error_in(event: Mapping[str, Any]) -> StreamError | None:
    """Return the error that an event reports: OpenAI's and Anthropic's shapes."""
    error = event.get("error")
    if not error and event.get("type") != "error":
        return None
    about = error if isinstance(error, Mapping) else event
    kind = about.get("type")
    if kind in (None, "error"):  # an event's type is none of the error's
        kind = about.get("code") or "error"
    return StreamError(f"{kind}: {about.get('message') or ''}".rstrip(": "))
