"""Reading along on a response's body: what passes, and what the call is told at its end."""

import base64
from collections.abc import Mapping
from struct import unpack_from
from typing import Any, Final, Protocol

import orjson

from tokenusage.capture.body.sse import DONE, Splitter, data_of, parse, without_usage
from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.payload.fold import Fold

MAX_BODY: Final = 64 * 2**20
"""The longest JSON body that is gathered, in bytes."""

AWS_EVENTS: Final = "application/vnd.amazon.eventstream"
"""The type of Bedrock's streams."""


_ONE_LINE: Final = b"data: {"
"""How an event begins that may be one line of JSON, so that nothing has to be cut out of it."""


class StreamError(Exception):
    """An error that the provider has sent in the middle of a stream."""


class Reader(Protocol):
    """Reads a body along, piece by piece."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece and return what the application is to see now."""

    def rest(self) -> bytes:
        """Return what has been held back, at the end of the body."""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Hear that nothing more will be read.

        Args:
            error: What has broken the body off.
            exhausted: The body has come to its end; else it was left early.
        """


class Events:
    """Reads a stream of server-sent events.

    Args:
        call: Hears of the stream's end.
        capture: Takes what fails here.
        swallow: Usage was asked for behind the application's back; it is not to see it.
    """

    __slots__ = ("_call", "_capture", "_error", "_fold", "_splitter", "_swallow", "_typed")

    def __init__(self, call: CapturedCall, capture: Capture, *, swallow: bool = False) -> None:
        self._call = call
        self._capture = capture
        self._swallow = swallow
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
        if exhausted and not self._typed:
            # Chat streams of some servers have no last event; others name theirs.
            self._fold.ended = True
        self._call.stream_ended(self._fold, error or self._error)

    def _read(self, event: bytes) -> bytes:
        try:
            parsed = parse(event[6:]) if event.startswith(_ONE_LINE) else None
            if parsed is None:
                data = data_of(event)
                if data.startswith(DONE):
                    self._fold.ended = True
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


class Body:
    """Gathers a JSON body that the application reads by itself."""

    __slots__ = ("_call", "_pieces", "_size")

    def __init__(self, call: CapturedCall) -> None:
        self._call = call
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> bytes:
        """Keep a piece."""
        self._size += len(piece)
        if self._size <= MAX_BODY:
            self._pieces.append(piece)
        else:
            self._pieces.clear()
        return piece

    def rest(self) -> bytes:
        """Return nothing: all has passed."""
        return b""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """End the call with the body, where it is whole."""
        if error is not None:
            self._call.failed(error)
            return
        whole = parse(b"".join(self._pieces)) if exhausted else None
        if whole is None:
            self._call.stream_ended(Fold())  # nobody has seen what it has used
        else:
            self._call.answered(whole)


class Unread:
    """Lets a body pass that says nothing of its call: audio, text."""

    __slots__ = ("_call",)

    def __init__(self, call: CapturedCall) -> None:
        self._call = call

    def feed(self, piece: bytes) -> bytes:
        """Let it pass."""
        return piece

    def rest(self) -> bytes:
        """Return nothing: all has passed."""
        return b""

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:  # noqa: ARG002 - the protocol's
        """End the call, whose answer was made in any case."""
        if error is not None:
            self._call.failed(error)
        else:
            self._call.answered({})


def reader_of(
    content_type: str, call: CapturedCall, capture: Capture, *, streamed: bool, swallow: bool
) -> Reader:
    """Return what reads a body of this type along.

    Args:
        content_type: As the response's header says it.
        call: The call that the body answers.
        capture: Takes what fails here.
        streamed: The application has asked for a stream.
        swallow: See `Events`.
    """
    if content_type.startswith(AWS_EVENTS):
        return AwsEvents(call, capture)
    if "json" in content_type:
        return Body(call)
    if "event-stream" in content_type or streamed:
        return Events(call, capture, swallow=swallow)
    return Unread(call)


def _error_in(event: Mapping[str, Any]) -> StreamError | None:
    """Return the error that an event reports: OpenAI's and Anthropic's shapes."""
    error = event.get("error")
    if not error and event.get("type") != "error":
        return None
    about = error if isinstance(error, Mapping) else event
    kind = about.get("type") or about.get("code") or "error"
    return StreamError(f"{kind}: {about.get('message') or ''}".rstrip(": "))
