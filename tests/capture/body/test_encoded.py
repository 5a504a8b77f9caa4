"""Reading along on a body that comes compressed, whoever decodes it."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tokenusage.capture.body.encoded import Encoded
from tokenusage.capture.call import Capture

httpx = pytest.importorskip("httpx2")

PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


class Shortener:
    """Swallows every "x", holds back every "t" until the end."""

    def __init__(self) -> None:
        self.fed = b""
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Let pass what is neither."""
        self.fed += piece
        self._held += b"t" * piece.count(b"t")
        return piece.translate(None, b"xt")

    def rest(self) -> bytes:
        """Return what was held back."""
        return self._held

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Care for nothing."""


def response(encoding: str, pieces: Iterator[bytes] | None = None) -> Any:
    """Return a response whose body is not read yet."""
    return httpx.Response(200, headers={"content-encoding": encoding}, content=pieces or iter(()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    body=st.binary(max_size=40) | st.text("xtab").map(str.encode),
    encoding=st.sampled_from(sorted(PACK)),
    size=st.integers(1, 30),
)
def test_what_is_swallowed_is_missing_and_nothing_else(
    capture: Capture, body: bytes, encoding: str, size: int
) -> None:
    """However a body is cut up, the reader sees it all, the client decodes what may pass."""
    reader = Shortener()
    along = Encoded(reader, capture, response(encoding), swallows=True)
    packed = PACK[encoding](body)
    pieces = [along.feed(packed[at : at + size]) for at in range(0, len(packed), size)]
    seen = response(encoding, iter([*pieces, along.rest()])).read()
    assert reader.fed == body
    assert seen == body.translate(None, b"xt") + b"t" * body.count(b"t")


def test_what_nobody_can_decode_passes(
    capture: Capture, logged: Callable[[], list[dict[str, Any]]]
) -> None:
    """Broken compression is the client's affair: the bytes go through, one failure is counted."""
    reader = Shortener()
    along = Encoded(reader, capture, response("gzip"), swallows=False)
    assert [along.feed(b"xno"), along.feed(b"gzip"), along.rest()] == [b"xno", b"gzip", b""]
    assert reader.fed == b""
    capture.tracker.record(model_name="m", operation_type="x")
    assert logged()[0]["dropped"] == 1
