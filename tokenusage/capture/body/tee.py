"""Reading along on the bytes of an httpx response, whoever reads them, and however.

Streams of the SDKs are left as they are. The response itself gets two methods of
its own until it has ended: the one that all its readers go through, and its close.
"""

import os
import weakref
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Self

from tokenusage.capture.body.readers import Reader


class _Ending:
    """Tells the reader once that its body has ended, and how."""

    __slots__ = ("_pid", "_reader")

    def __init__(self, reader: Reader) -> None:
        self._reader: Reader | None = reader
        self._pid = os.getpid()

    def __call__(self, error: BaseException | None = None, *, exhausted: bool = False) -> None:
        reader, self._reader = self._reader, None
        if reader is not None and os.getpid() == self._pid:  # a fork's copy is its parent's
            reader.ended(error, exhausted=exhausted)


class Tee:
    """Brings the body of one response to a reader, which hears of its end once.

    Until then the response refers to the tee, and the tee to the response. That
    delays no closing: what closes a stream that the application just drops are the
    generators that read it. Weakly it can't be: while such a circle is collected,
    weak references are dead already, but the response is still to be closed.

    Args:
        response: An ``httpx.Response`` (or httpx2's) whose body is not read yet.
        reader: What reads along.
        decoded: Bring what a content encoding hides; else the bytes as they come.
        asynchronous: The response belongs to an async client.
    """

    __slots__ = (
        "_close_name",
        "_ending",
        "_finalizer",
        "_read_name",
        "_reader",
        "_response",
        "pulling",
    )

    def __init__(self, response: Any, reader: Reader, *, decoded: bool, asynchronous: bool) -> None:
        self._response = response
        self._reader = reader
        self.pulling = False
        """Whether the next piece is being waited for."""
        self._ending = _Ending(reader)
        # All other ways to the body go through these two.
        self._read_name = ("a" if asynchronous else "") + ("iter_bytes" if decoded else "iter_raw")
        self._close_name = "aclose" if asynchronous else "close"
        setattr(response, self._read_name, self._aread if asynchronous else self._read)
        setattr(response, self._close_name, self._aclose if asynchronous else self._close)
        # Dropped without a word, or still there when the interpreter ends.
        self._finalizer = weakref.finalize(response, self._ending)

    def _read(self, chunk_size: int | None = None) -> Iterator[bytes]:
        pieces = self._begin(chunk_size)
        reader = self._reader
        error: BaseException | None = None
        exhausted = False
        try:
            self.pulling = True
            for piece in pieces:
                passing = reader.feed(piece)
                if passing:
                    self.pulling = False
                    yield passing
                    self.pulling = True
            exhausted = True
            if held := reader.rest():
                yield held
        except Exception as caught:
            error = caught
            if held := reader.rest():
                yield held  # the application sees these bytes before the error, as ever
            raise
        except BaseException as caught:
            error = None if isinstance(caught, GeneratorExit) else caught
            raise
        finally:
            self.pulling = False
            self.end(error, exhausted=exhausted)
            pieces.close()

    def _aread(self, chunk_size: int | None = None) -> "_AsyncPieces":
        return _AsyncPieces(self, self._reader, self._begin(chunk_size))

    def _begin(self, chunk_size: int | None) -> Any:
        # A second reading is none: httpx refuses it, and that ends no call.
        vars(self._response).pop(self._read_name, None)
        return getattr(self._response, self._read_name)(chunk_size)

    def _close(self) -> None:
        vars(self._response).pop(self._close_name, None)
        try:
            self._response.close()
        finally:
            self._closed()

    async def _aclose(self) -> None:
        vars(self._response).pop(self._close_name, None)
        try:
            await self._response.aclose()
        finally:
            self._closed()

    def _closed(self) -> None:
        # While a piece is being pulled, how that ends is known better there.
        if not self.pulling:
            self.end()

    def end(self, error: BaseException | None = None, *, exhausted: bool = False) -> None:
        """Leave the response as it was, and tell the reader how its body has ended."""
        self._finalizer.detach()
        vars(self._response).pop(self._read_name, None)
        vars(self._response).pop(self._close_name, None)
        self._ending(error, exhausted=exhausted)


class _AsyncPieces:
    """The pieces of an async body, as the application is to see them.

    No generator of its own: at its end, asyncio closes all generators at once, and
    complains of those that another is closing already.
    """

    __slots__ = ("_error", "_over", "_pieces", "_reader", "_tee")

    def __init__(self, tee: Tee, reader: Reader, pieces: AsyncGenerator[bytes, None]) -> None:
        self._tee = tee
        self._reader = reader
        self._pieces = pieces
        self._over = False
        self._error: Exception | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._over:
            passing = await self._next()
            if not passing:
                self._over = True
                # The application sees these bytes before the error, as ever.
                passing = self._reader.rest()
            if passing:
                return passing
        error, self._error = self._error, None
        raise error or StopAsyncIteration

    async def _next(self) -> bytes:
        """Return what is to be seen next; nothing where the body ends, or breaks off."""
        tee = self._tee
        tee.pulling = True
        try:
            async for piece in self._pieces:
                if passing := self._reader.feed(piece):
                    return passing
            tee.end(exhausted=True)
        except BaseException as error:
            tee.end(error)
            if not isinstance(error, Exception):
                raise
            self._error = error
        finally:
            tee.pulling = False
        return b""

    async def aclose(self) -> None:
        """Leave the rest unread; that closes the response, if it was begun."""
        await self._pieces.aclose()


def response_behind(result: Any) -> Any | None:
    """Return the HTTP response behind a stream, a raw response or bytes, if there is one."""
    for response in (
        getattr(result, "http_response", None),
        getattr(result, "response", None),
        result,
    ):
        if hasattr(response, "is_stream_consumed"):
            return response
    return None
