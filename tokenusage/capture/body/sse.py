"""Server-sent events as bytes: cut into events, read, and one of them swallowed.

The format is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

import re
from typing import Any, Final

import orjson

DONE: Final = b"[DONE]"
"""The data of the event that ends OpenAI's streams, and is no JSON."""

MAX_EVENT: Final = 64 * 2**20
"""The longest event that is read, in bytes; what is longer passes unread."""

# A carriage return at the end may be the half of a line's end: the rest decides.
_NEWLINE: Final = rb"(?:\r\n|\n|\r(?!\n|\Z))"
_END: Final = re.compile(_NEWLINE + _NEWLINE)

# A quote within a JSON text is escaped, so `"usage"` before a colon is a key wherever it stands.
_KEY: Final = b'"usage"'
_NULL_USAGE: Final = re.compile(rb'"usage"\s*:\s*null')
_USUAL: Final = b',"usage":null'
"""As OpenAI writes it."""
_COMMA: Final = re.compile(rb"\s*,\s*")


class Splitter:
    """Cuts a stream of bytes into events, each with the blank line that ends it."""

    __slots__ = ("_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """Return the events that `piece` completes."""
        end = piece.find(b"\n\n")
        if 0 <= end == len(piece) - 2 and not self._buffer and b"\r" not in piece:
            return [piece]  # most pieces are just one event
        buffer = self._buffer + piece
        events: list[bytes] = []
        start = 0
        if b"\r" not in buffer:  # a tenth of the time, for almost every provider
            while (end := buffer.find(b"\n\n", max(start, self._searched))) >= 0:
                events.append(buffer[start : end + 2])
                start = end + 2
            return self._keep(buffer, start, events)
        for found in _END.finditer(buffer, self._searched):
            events.append(buffer[start : found.end()])
            start = found.end()
        return self._keep(buffer, start, events)

    def _keep(self, buffer: bytes, start: int, events: list[bytes]) -> list[bytes]:
        if len(buffer) - start > MAX_EVENT:
            events.append(buffer[start:])
            start = len(buffer)
        self._buffer = buffer[start:]
        self._searched = max(len(self._buffer) - 3, 0)  # an end may lie across the border
        return events

    def rest(self) -> bytes:
        """Return what has come behind the last whole event, and forget it."""
        rest, self._buffer = self._buffer, b""
        self._searched = 0
        return rest


def data_of(event: bytes) -> bytes:
    """Return the data of an event, its lines joined; empty where it has none."""
    if event.startswith(b"data:") and event.find(b"\n", 0, -2) < 0 and b"\r" not in event:
        return event[5:].strip()  # almost every event of most providers
    lines = [line[5:].removeprefix(b" ") for line in event.splitlines() if line[:5] == b"data:"]
    return b"\n".join(lines)


def parse(data: bytes) -> dict[str, Any] | None:
    """Return an event's data as a mapping, None where it is something else."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def without_usage(event: bytes, parsed: dict[str, Any]) -> bytes:
    """Return what a chat stream would have sent, had nobody asked for its usage.

    OpenAI's extra chunk (no choices, but usage) becomes nothing, the ``"usage":null``
    that all others have then is cut out. A chunk with both, or with neither (as
    Azure's first, with its filter's results), stays.

    Args:
        event: The event's bytes.
        parsed: Its data.
    """
    if "usage" not in parsed:
        return event
    if parsed["usage"] is not None:
        return event if parsed.get("choices") else b""
    if event.count(_KEY) == 1 and (at := event.find(_USUAL)) >= 0:
        return event[:at] + event[at + len(_USUAL) :]
    wanted: dict[str, Any] | None = None
    if event.count(_KEY) > 1:  # text that looks like it, or one further inside
        wanted = {key: value for key, value in parsed.items() if key != "usage"}
    at = event.find(_KEY)
    while at >= 0:
        cut = _without_null(event, at)
        if cut is not None and (wanted is None or parse(data_of(cut)) == wanted):
            return cut
        at = event.find(_KEY, at + 1)
    return event


def _without_null(event: bytes, at: int) -> bytes | None:
    """Return the event without the null at `at`, and without one comma beside it."""
    found = _NULL_USAGE.match(event, at)
    if found is None:
        return None
    head, tail = event[:at], event[found.end() :]
    before = head.rstrip()
    if before.endswith(b","):
        return before[:-1] + tail
    comma = _COMMA.match(tail)
    return head + (tail[comma.end() :] if comma else tail)
