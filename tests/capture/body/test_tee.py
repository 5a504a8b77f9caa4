"""Reading along on an HTTP response, whoever reads it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tokenusage.capture.body.tee import Tee, response_behind

httpx = pytest.importorskip("httpx2")

PIECES = [b"one", b"two", b"three"]


class Reader:
    """Notes what it is told; holds back what begins with "t" until the end."""

    def __init__(self) -> None:
        self.fed: list[bytes] = []
        self.ends: list[tuple[BaseException | None, bool]] = []
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """Let most pieces pass."""
        self.fed.append(piece)
        if piece.startswith(b"t"):
            self._held += piece
            return b""
        return piece

    def rest(self) -> bytes:
        """Return what was held back."""
        return self._held

    def ended(self, error: BaseException | None, *, exhausted: bool) -> None:
        """Note the end."""
        self.ends.append((error, exhausted))


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):  # type: ignore[name-defined,misc]  # of whatever is installed
    """A body in pieces, broken off with an error if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        yield from PIECES
        if self._error:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece


def response(reader: Reader, *, asynchronous: bool = False, error: Exception | None = None) -> Any:
    whole = httpx.Response(200, stream=Body(error), request=httpx.Request("GET", "http://x"))
    Tee(whole, reader, decoded=False, asynchronous=asynchronous)
    return whole


@pytest.mark.parametrize("way", ["read", "iter_raw", "iter_bytes", "iter_text", "iter_lines"])
def test_every_way_of_reading_passes_the_reader(way: str) -> None:
    """Whoever reads, and how, the reader sees every piece, and the end once."""
    reader = Reader()
    whole = response(reader)
    read = getattr(whole, way)()
    if way != "read":
        list(read)
    whole.close()
    assert (reader.fed, reader.ends) == (PIECES, [(None, True)])
    assert not {"iter_raw", "close"} & set(vars(whole))


def test_async_reading_passes_the_reader() -> None:
    """The async ways as well; what was held back comes at the end."""
    reader = Reader()

    async def main() -> bytes:
        whole: bytes = await response(reader, asynchronous=True).aread()
        return whole

    assert asyncio.run(main()) == b"onetwothree"
    assert (reader.fed, reader.ends) == (PIECES, [(None, True)])


def test_what_is_held_back_comes_before_the_error() -> None:
    """The application sees the bytes before the error, and the reader hears of it."""
    reader = Reader()
    error = httpx.ReadError("cut")
    seen = []
    with pytest.raises(httpx.ReadError) as raised:
        seen.extend(response(reader, error=error).iter_raw())
    assert raised.value is error
    assert reader.ends == [(error, False)]


def test_closing_ends_the_reading() -> None:
    """Closed without being read, or after the first piece: left early, said once."""
    for count in (0, 1):
        reader = Reader()
        whole = response(reader)
        pieces = whole.iter_raw()
        for _ in range(count):
            next(pieces)
        whole.close()
        pieces.close()
        assert reader.ends == [(None, False)]
        assert whole.is_closed


def test_second_reading_is_refused_as_ever() -> None:
    """What httpx refuses changes nothing about the first reading."""
    reader = Reader()
    whole = response(reader)
    pieces = whole.iter_raw()
    next(pieces)
    with pytest.raises(httpx.StreamConsumed):
        next(whole.iter_raw())
    assert reader.ends == []
    list(pieces)
    assert reader.ends == [(None, True)]


def test_forked_child_leaves_the_streams_to_its_parent() -> None:
    """A child that closes its copy of a stream says nothing about the call."""
    reader = Reader()
    whole = response(reader)
    child = os.fork()
    if child == 0:
        whole.close()
        os._exit(len(reader.ends))
    assert os.waitpid(child, 0)[1] == 0
    whole.close()
    assert reader.ends == [(None, False)]


def test_response_is_found_behind_what_holds_it() -> None:
    """A response, or what has it as `response` or `http_response`; nothing else."""

    class Holder:
        def __init__(self, **held: Any) -> None:
            vars(self).update(held)

    whole = httpx.Response(200)
    assert response_behind(whole) is whole
    assert response_behind(Holder(response=whole)) is whole
    assert response_behind(Holder(http_response=whole)) is whole
    assert response_behind("text") is None
