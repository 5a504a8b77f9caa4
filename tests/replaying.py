"""A local HTTP server that answers as a test tells it, and clients that speak to it.

    with Replay() as replay:
        replay.answer(Reply(429), Reply(body={"id": "chatcmpl-1", ...}))
        OpenAI(api_key="k", base_url=replay.url).chat.completions.create(...)

One thread with an event loop serves any number of connections, which stay open (HTTP/1.1).
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Self

import orjson


@dataclass(frozen=True, slots=True)
class Request:
    """What a client has sent."""

    method: str
    path: str
    """With its query."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        """Return the body, parsed."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers: a body, or pieces, each sent as a chunk of its own."""

    status: int = 200
    body: Mapping[str, Any] | bytes = b""
    """A mapping is sent as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()
    """Sent as text/event-stream unless `headers` say otherwise."""
    delay: float = 0.0
    """Seconds before the body, or before each piece (the head of a stream goes at once)."""
    cut: bool = False
    """The connection is cut after the pieces, instead of ending the body."""


Answer = Reply | Callable[[Request], Reply]
"""A reply, or what makes one out of the request."""


class Replay:
    """The server, running inside of a ``with`` block."""

    url: str
    """Such as ``http://127.0.0.1:40123``."""
    requests: list[Request]
    """All that came in, in order."""

    def __init__(self) -> None:
        self.requests = []
        self._answers: list[Answer] = [Reply(status=404)]
        self._served = 0
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="replay", daemon=True)

    def answer(self, *answers: Answer) -> None:
        """Answer the requests from now on with these, in order; the last one again and again."""
        self._answers = list(answers)
        self._served = 0

    def reply_to(self, request: Request) -> Reply:
        """Note a request and return what it is answered with."""
        self.requests.append(request)
        answer = self._answers[min(self._served, len(self._answers) - 1)]
        self._served += 1
        return answer if isinstance(answer, Reply) else answer(request)

    def client(self, httpx: ModuleType) -> Any:
        """Return an ``httpx.Client`` that sends the requests to every host to this server.

        `httpx` is the module that the SDK lives on: httpx or httpx2. The requests
        keep their URLs, as do the responses.
        """
        target = self.url

        class Transport(httpx.HTTPTransport):  # type: ignore[name-defined,misc]  # whichever it is
            def handle_request(self, request: Any) -> Any:
                return super().handle_request(_redirected(httpx, request, target))

        return httpx.Client(transport=Transport(limits=_limits(httpx)))

    def async_client(self, httpx: ModuleType) -> Any:
        """Return an ``httpx.AsyncClient`` that sends the requests to every host to this server."""
        target = self.url

        class Transport(httpx.AsyncHTTPTransport):  # type: ignore[name-defined,misc]  # as above
            async def handle_async_request(self, request: Any) -> Any:
                return await super().handle_async_request(_redirected(httpx, request, target))

        return httpx.AsyncClient(transport=Transport(limits=_limits(httpx)))

    def __enter__(self) -> Self:
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_why: object) -> None:
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> str:
        self._server = await self._loop.create_server(
            lambda: _Connection(self, self._connections), "127.0.0.1", 0, backlog=2048
        )
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def _shut(self) -> None:
        self._server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.sleep(0)  # so that the transports see their end
        await asyncio.sleep(0)


def httpx_of(sdk: ModuleType) -> ModuleType:
    """Return the module that an installed openai or anthropic lives on: httpx or httpx2."""
    base: Any = vars(sdk)["_base_client"]
    module: ModuleType = getattr(base, "httpx2", None) or base.httpx
    return module


def sse(*events: Mapping[str, Any] | str, named: bool = False) -> tuple[bytes, ...]:
    """Return events as pieces of a stream; a text (``[DONE]``) stands as it is.

    `named` adds each event's type as its name, as Anthropic and the Responses API do.
    """
    pieces = []
    for event in events:
        data = event.encode() if isinstance(event, str) else orjson.dumps(dict(event))
        name = b""
        if named and not isinstance(event, str):
            name = b"event: " + event["type"].encode() + b"\n"
        pieces.append(name + b"data: " + data + b"\n\n")
    return tuple(pieces)


def _limits(httpx: ModuleType) -> Any:
    return httpx.Limits(max_connections=1000, max_keepalive_connections=100)


def _redirected(httpx: ModuleType, request: Any, target: str) -> Any:
    return httpx.Request(
        request.method,
        httpx.URL(target).copy_with(raw_path=request.url.raw_path),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions,
    )


class _Connection(asyncio.Protocol):
    def __init__(self, replay: Replay, connections: "set[_Connection]") -> None:
        self._replay = replay
        self._connections = connections
        self._buffer = b""
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        self._connections.discard(self)
        if self._answering:
            self._answering.cancel()

    def abort(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _version = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            if not body.endswith(b"0\r\n\r\n"):
                return
            body = _unchunked(body)
        elif len(body) < int(headers.get("content-length", "0")):
            return
        self._buffer = b""
        reply = self._replay.reply_to(Request(method, path, headers, body))
        if reply.delay or reply.pieces:
            loop = asyncio.get_running_loop()
            self._answering = loop.create_task(self._answer_slowly(reply))
        else:
            self._answer(reply)

    async def _answer_slowly(self, reply: Reply) -> None:
        if not reply.pieces:
            await asyncio.sleep(reply.delay)
            self._answer(reply)
            return
        headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        self._transport.write(_head(reply.status, headers | dict(reply.headers)))
        for piece in reply.pieces:
            await asyncio.sleep(reply.delay)
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        if reply.cut:
            self._transport.close()
        else:
            self._transport.write(b"0\r\n\r\n")

    def _answer(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else orjson.dumps(dict(reply.body))
        headers = {"content-type": "application/json", "content-length": str(len(content))}
        self._transport.write(_head(reply.status, headers | dict(reply.headers)) + content)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode("latin-1")


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        whole += rest[: int(size, 16)]
        body = rest[int(size, 16) + 2 :]
    return whole
