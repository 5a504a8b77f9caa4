"""Reading along on a response's body: what passes, and what the call is told at its end."""

from typing import Final, Protocol

from tokenusage.capture.body.events import AWS_EVENTS, AwsEvents, Events
from tokenusage.capture.body.sse import parse
from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.payload.fold import Fold

MAX_BODY: Final = 64 * 2**20
"""The longest JSON body that is gathered, in bytes."""


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


class Unlabelled:
    """Reads a body whose label says too little, or lies: JSON where it begins as such.

    Args:
        json: Reads JSON.
        other: Reads anything else.
    """

    __slots__ = ("_json", "_other", "_reader")

    def __init__(self, json: Reader, other: Reader) -> None:
        self._json = json
        self._other = other
        self._reader: Reader | None = None

    def feed(self, piece: bytes) -> bytes:
        """Hand a piece on; the first byte that is not blank decides to whom."""
        reader = self._reader
        if reader is None:
            begin = piece.lstrip()[:1]
            if not begin:
                return piece
            reader = self._reader = self._json if begin in b"{[" else self._other
        return reader.feed(piece)

    def rest(self) -> bytes:
        """Return what has been held back."""
        return (self._reader or self._other).rest()

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Hand on that nothing more will be read."""
        (self._reader or self._other).ended(error, exhausted=exhausted)


def reader_of(
    content_type: str,
    call: CapturedCall,
    capture: Capture,
    *,
    streamed: bool,
    swallow: bool,
    timed: bool,
) -> Reader:
    """Return what reads a body of this type along.

    Args:
        content_type: As the response's header says it.
        call: The call that the body answers.
        capture: Takes what fails here.
        streamed: The application has asked for a stream.
        swallow: See `Events`.
        timed: See `Events`.
    """
    if content_type.startswith(AWS_EVENTS):
        return AwsEvents(call, capture)
    if streamed or "event-stream" in content_type:
        return Unlabelled(Body(call), Events(call, capture, swallow=swallow, timed=timed))
    if "json" in content_type:
        return Body(call)
    return Unlabelled(Body(call), Unread(call))
