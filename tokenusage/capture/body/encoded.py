"""Reading along on a body that comes compressed."""

import copy
import zlib
from typing import Any, Final

from tokenusage.capture.body.readers import Reader
from tokenusage.capture.body.tee import Tee
from tokenusage.capture.call import Capture

_CONTAINERS: Final = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
"""Encodings that Python itself can write, with zlib's number for each."""


class Encoded:
    """Brings what a content encoding hides to a reader.

    A reader that swallows something has the rest encoded anew, uncompressed within
    the same container: the response's headers stay true, whoever reads the bytes.

    Args:
        reader: Reads the decoded body.
        capture: Takes what fails here.
        response: The ``httpx.Response`` (or httpx2's) whose body it is.
        swallows: The reader returns less than it is fed; only for gzip and deflate.
    """

    __slots__ = ("_capture", "_decoder", "_encoder", "_reader")

    def __init__(self, reader: Reader, capture: Capture, response: Any, *, swallows: bool) -> None:
        self._reader = reader
        self._capture = capture
        # A copy has no body, and makes a decoder of its own: of all encodings that the
        # application's client knows. httpx has no public way to one.
        self._decoder = copy.copy(response)._get_content_decoder()  # noqa: SLF001 - see above
        self._encoder = (
            zlib.compressobj(0, wbits=_CONTAINERS[_encoding_of(response)], memLevel=1)
            if swallows
            else None
        )

    def feed(self, piece: bytes) -> bytes:
        """Decode a piece for the reader."""
        passing = piece
        with self._capture.guard():
            if self._decoder is not None:
                passing = self._bring(piece)
        return passing

    def rest(self) -> bytes:
        """Return what has been held back, and the end of the encoding."""
        rest = self._reader.rest()
        return self._encoder.compress(rest) + self._encoder.flush() if self._encoder else rest

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Hand on that nothing more will be read."""
        self._reader.ended(error, exhausted=exhausted)

    def _bring(self, piece: bytes) -> bytes:
        decoder, self._decoder = self._decoder, None  # once it fails, it stays away
        decoded = decoder.decode(piece)
        # httpx returns bytes, httpx2 an iterator of them.
        plain = decoded if isinstance(decoded, bytes) else b"".join(decoded)
        passing = self._reader.feed(plain)
        self._decoder = decoder
        if self._encoder is None:
            return piece
        if not passing:
            return b""
        return self._encoder.compress(passing) + self._encoder.flush(zlib.Z_SYNC_FLUSH)


def read_along(
    reader: Reader, capture: Capture, response: Any, *, asynchronous: bool, swallows: bool = False
) -> None:
    """Bring the body of a response that is not read yet to a reader, decoded.

    Args:
        reader: What reads along.
        capture: Takes what fails here.
        response: An ``httpx.Response`` (or httpx2's).
        asynchronous: The response belongs to an async client.
        swallows: The reader returns less than it is fed.
    """
    encoding = _encoding_of(response)
    # What nobody here can encode anew is read behind the decoding: `iter_raw` passes by.
    behind = swallows and encoding != "identity" and encoding not in _CONTAINERS
    if encoding != "identity" and not behind:
        reader = Encoded(reader, capture, response, swallows=swallows)
    Tee(response, reader, decoded=behind, asynchronous=asynchronous)


def _encoding_of(response: Any) -> str:
    encoding: str = response.headers.get("content-encoding", "identity")
    return encoding.strip().lower()
