import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from calling import call, who

from tokenusage.capture.asgi import UsageMiddleware
from tokenusage.capture.call import Capture
from tokenusage.context import current, track

Logged = Callable[[], list[dict[str, Any]]]


def request(app: Any, path: str = "/", *, kind: str = "http", **more: Any) -> dict[str, Any]:
    """Serve one request as a server does, and return its scope."""
    scope: dict[str, Any] = {"type": kind, "path": path, "headers": [], "query_string": b""}
    incoming: list[dict[str, Any]] = [{"type": f"{kind}.connect"}]
    if kind == "http":
        scope |= {"method": "GET", "http_version": "1.1"}
        incoming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop(0)
        await asyncio.sleep(60)  # the client stays
        return {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        await asyncio.sleep(0)

    scope |= more
    asyncio.run(app(scope, receive, send))
    return scope


def test_calls_are_the_requests_users(capture: Capture, logged: Logged) -> None:
    """In the handler, in threads that it starts, and in tasks that outlive it."""

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        call(capture)
        await asyncio.to_thread(call, capture)
        task = asyncio.create_task(later())
        scope["state"]["task"] = task
        await send({"type": "http.response.start"})
        await task

    async def later() -> None:
        await asyncio.sleep(0)
        call(capture)

    served = UsageMiddleware(app, user=lambda scope: scope["user"], operation="ask")
    request(served, user=7, state={})

    assert who(logged()) == [(7, "ask")] * 3
    assert current() == {}


def test_what_the_handler_says_itself_wins(capture: Capture, logged: Logged) -> None:
    """A track inside of the request is nearer to the call."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        with track(operation_type="rag_answer", tags={"team": "search"}):
            call(capture)

    request(UsageMiddleware(app, user=lambda _: "ann", operation=lambda _: "ask"))

    assert who(logged()) == [("ann", "rag_answer")]


def test_the_user_may_come_out_inside(capture: Capture, logged: Logged) -> None:
    """Authentication by a dependency or an inner middleware is in time for the call."""

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        call(capture)
        scope["state"]["user_id"] = 7
        call(capture)

    request(UsageMiddleware(app, user=lambda scope: scope["state"].get("user_id")), state={})

    assert who(logged()) == [(None, "chat"), (7, "chat")]


def test_each_call_asks_once_until_there_is_an_answer(capture: Capture, logged: Logged) -> None:
    """A question may cost a look into a session; a track inside asks no more often."""
    asked: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        with track(session_id="s"), track(items=1):
            call(capture)
            call(capture)
            scope["state"]["user_id"] = 7
            call(capture)
            call(capture)

    def user(scope: Any) -> Any:
        asked.append(scope["state"].get("user_id"))
        return asked[-1]

    request(UsageMiddleware(UsageMiddleware(app, operation="ask"), user=user), state={})

    assert asked == [None, None, 7]
    assert who(logged()) == [(None, "ask")] * 2 + [(7, "ask")] * 2


def test_what_a_call_remembers_keeps_no_request_alive() -> None:
    """A stream may be read long after the request that has begun it."""
    remembered: list[Any] = []

    class Request(dict[str, Any]): ...

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        remembered.append(current())

    scope = Request(type="http", method="GET", path="/")
    alive = weakref.ref(scope)
    served: Any = UsageMiddleware(app, user=lambda _: 7)  # called with less than a server brings
    asyncio.run(served(scope, None, None))
    del scope
    gc.collect()
    assert remembered == [{"user_id": 7}]
    assert alive() is None


@pytest.mark.parametrize("answer", [[], 1.5, ZeroDivisionError()])
def test_a_question_that_fails_harms_no_request(
    answer: Any, capture: Capture, logged: Logged, caplog: pytest.LogCaptureFixture
) -> None:
    """The call is logged without a user, the failure once."""

    def user(_scope: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        call(capture)

    served = UsageMiddleware(app, user=user)
    with caplog.at_level(logging.WARNING, "tokenusage"):
        request(served)
        request(served)

    assert who(logged()) == [(None, "chat")] * 2
    assert len(caplog.records) == 1
    assert "without user_id" in caplog.text


def test_the_server_s_own_talk_passes_untouched() -> None:
    """A lifespan is no request: nobody is asked, and nothing holds inside."""
    seen = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append((scope, dict(current())))

    scope = request(UsageMiddleware(app, user=lambda _: 7), kind="lifespan")

    assert seen == [(scope, {})]


def test_an_error_of_the_application_is_its_own() -> None:
    """The middleware neither hides nor changes it, and leaves nothing behind."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request(UsageMiddleware(app))
    assert current() == {}


def test_concurrent_requests_keep_their_users(capture: Capture, logged: Logged) -> None:
    """A hundred requests on one loop, each with calls of its own user alone."""

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(0)
        with track(session_id=str(scope["user"])):
            call(capture)

    served: Any = UsageMiddleware(app, user=lambda scope: scope["user"])

    async def serve() -> None:
        scopes = [{"type": "http", "user": user} for user in range(100)]
        await asyncio.gather(*(served(scope, None, None) for scope in scopes))

    asyncio.run(serve())

    assert sorted(record["user_id"] for record in logged()) == list(range(100))
    assert all(record["session_id"] == str(record["user_id"]) for record in logged())


def test_fastapis_routes_are_the_operations(capture: Capture, logged: Logged) -> None:
    """By their templates: of handlers, streamed bodies, background tasks, routers, websockets."""
    pytest.importorskip("fastapi")
    from fastapi import APIRouter, BackgroundTasks, FastAPI, WebSocket
    from fastapi.responses import StreamingResponse

    app, router = FastAPI(), APIRouter()

    @app.get("/users/{_id}")
    def handler(_id: int, tasks: BackgroundTasks) -> None:
        call(capture)
        tasks.add_task(call, capture)

    @router.get("/docs/{name}")
    async def streamed(name: str) -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            yield name
            call(capture)

        return StreamingResponse(body())

    @app.websocket("/chat/{_room}")
    async def chat(websocket: WebSocket, _room: str) -> None:
        await websocket.accept()
        call(capture)

    app.include_router(router, prefix="/api")
    app.add_middleware(UsageMiddleware, user=lambda scope: scope["path_params"].get("_id"))
    request(app, "/users/123")
    request(app, "/api/docs/secret")
    request(app, "/api/docs/docs")
    request(app, "/chat/7", kind="websocket")

    assert who(logged()) == [
        ("123", "GET /users/{_id}"),
        ("123", "GET /users/{_id}"),
        (None, "GET /api/docs/{name}"),
        (None, "GET /api/docs/{name}"),
        (None, "WEBSOCKET /chat/{_room}"),
    ]


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/users/3F2504E0-4F89-11D3-9A0C-0305E82C3301/ask", "GET /users/{uid:uuid}/ask"),
        ("/n/007/deep/0", "GET /n/{id:int}/deep/{id:int}"),
        ("/tenants/ACME/inner/ACME", "GET /tenants/{tenant}/inner/{z}"),
        ("/v1/plain", "plain"),
    ],
)
def test_no_value_of_a_path_gets_into_the_operation(
    path: str, operation: str, capture: Capture, logged: Logged
) -> None:
    """Mounts are named by their templates, whatever a value is converted to or equal to."""
    pytest.importorskip("fastapi")
    from fastapi import FastAPI, Request
    from starlette.responses import Response
    from starlette.routing import Mount, Route, Router

    def handler(request: Request) -> Response:
        call(capture)
        return Response(request.url.path)

    async def plain(_scope: Any, _receive: Any, _send: Any) -> None:
        call(capture)

    app, tenant = FastAPI(), FastAPI()
    tenant.get("/inner/{z}")(handler)
    deep = Mount("/deep", routes=[Route("/{id:int}", handler)])
    app.mount("/users/{uid:uuid}", Router([Route("/ask", handler)]))
    app.mount("/n/{id:int}", Router([deep]))
    app.mount("/tenants/{tenant}", tenant)
    app.mount("/v1", plain)
    request(UsageMiddleware(app), path)

    assert who(logged()) == [(None, operation)]


def test_a_prefix_that_no_template_names_is_left_out(capture: Capture, logged: Logged) -> None:
    """It may hold a value: a framework's own mounts are not Starlette's."""

    class Route:
        path = "/ask/{question}"

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        call(capture)

    mounted = {"app_root_path": "/proxy", "root_path": "/proxy/users/123"}
    request(UsageMiddleware(app), "/proxy/users/123/ask/1", route=Route(), **mounted)

    assert who(logged()) == [(None, "GET /ask/{question}")]


def test_without_a_template_the_endpoint_names_the_operation(
    capture: Capture, logged: Logged
) -> None:
    """Never the path: each user has another one."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        call(capture)

    request(UsageMiddleware(app), "/users/123", endpoint=who)
    request(UsageMiddleware(app), "/users/123")

    assert who(logged()) == [(None, "who"), (None, "chat")]
