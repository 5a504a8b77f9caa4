import io
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.util import FileWrapper

import pytest
from calling import call, who

from tokenusage.capture.call import Capture
from tokenusage.capture.wsgi import UsageMiddleware
from tokenusage.context import current

Logged = Callable[[], list[dict[str, Any]]]


def start_response(*_arguments: Any) -> None:
    """Be a server that starts a response."""


def test_calls_are_the_requests_users(capture: Capture, logged: Logged) -> None:
    """In the application, in each step of a streamed body, and in its end."""

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            call(capture)
            yield b"one"
            call(capture)
            yield b"two"

        def close(self) -> None:
            call(capture)

    def app(_environ: Any, start: Any) -> Body:
        call(capture)
        start("200 OK", [])
        return Body()

    served = UsageMiddleware(app, user=lambda environ: environ["user"], operation="ask")
    body: Any = served({"user": 7}, start_response)  # PEP 3333 lets it have a close()
    pieces = [(piece, dict(current())) for piece in body]
    body.close()

    assert pieces == [(b"one", {}), (b"two", {})]
    assert who(logged()) == [(7, "ask")] * 4


def test_the_next_request_of_the_worker_is_its_own(capture: Capture, logged: Logged) -> None:
    """A body that is never read to its end leaves nothing in the server's thread."""

    def app(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [])
        call(capture)
        yield b"one"
        yield b"two"

    served = UsageMiddleware(app, user=lambda environ: environ.get("user"))
    bodies = [iter(served({"user": user}, start_response)) for user in ("ann", None, "bob")]
    for body in bodies:
        assert next(body) == b"one"
        assert current() == {}

    assert who(logged()) == [("ann", "chat"), (None, "chat"), ("bob", "chat")]


def test_an_application_that_fails_leaves_nothing_behind() -> None:
    """Neither when it is called nor while its body is read."""

    def app(environ: Any, _start: Any) -> Iterator[bytes]:
        if environ.get("at_once"):
            raise ZeroDivisionError
        return (bytes(1 // 0) for _ in range(1))

    served = UsageMiddleware(app)
    with pytest.raises(ZeroDivisionError):
        served({"at_once": True}, start_response)
    with pytest.raises(ZeroDivisionError):
        list(served({}, start_response))
    assert current() == {}


@pytest.mark.parametrize("body", [[b"one"], (), FileWrapper(io.BytesIO(b"file"))])
def test_a_body_without_code_passes_as_it_is(body: Any) -> None:
    """Servers know its length, or send the file by themselves."""
    served = UsageMiddleware(lambda _environ, _start: body)
    assert served({"wsgi.file_wrapper": FileWrapper}, start_response) is body


def test_what_the_application_writes_itself_arrives() -> None:
    """start_response gets its arguments and gives back what the server gave."""
    written: list[bytes] = []

    def app(_environ: Any, start: Any) -> list[bytes]:
        error = ZeroDivisionError()
        start("500 Oh", [("A", "b")], (type(error), error, None))(b"written")
        return []

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        assert (status, headers, exc_info[0]) == ("500 Oh", [("A", "b")], ZeroDivisionError)
        return written.append

    UsageMiddleware(app, user=lambda environ: environ["none"])({}, start)

    assert written == [b"written"]


def test_flasks_rules_are_the_operations(capture: Capture, logged: Logged) -> None:
    """Of handlers, and of bodies that are streamed when Flask has let go of the request."""
    pytest.importorskip("flask")
    import flask

    app = flask.Flask("app")

    @app.route("/users/<int:user_id>")
    def handler(user_id: int) -> Any:
        flask.g.user_id = user_id
        call(capture)
        return "ok"

    @app.route("/docs/<name>")
    def streamed(name: str) -> Any:
        flask.g.user_id = name

        def body() -> Iterator[str]:
            yield "one"
            call(capture)

        return body()

    app.wsgi_app = UsageMiddleware(  # type: ignore[method-assign] # as Flask has it done
        app.wsgi_app, user=lambda _: flask.g.user_id
    )
    client = app.test_client()
    assert client.get("/users/123").data == b"ok"
    assert client.get("/docs/ann").data == b"one"

    assert who(logged()) == [(123, "GET /users/<int:user_id>"), ("ann", "GET /docs/<name>")]


def test_behind_a_real_server_each_request_has_its_user(capture: Capture, logged: Logged) -> None:
    """One thread serves them all, one after the other."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_arguments: Any) -> None:
            pass

    def app(_environ: Any, start: Any) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        call(capture)
        yield b"answer"

    served = UsageMiddleware(
        app, user=lambda environ: environ["QUERY_STRING"] or None, operation="ask"
    )
    with make_server("127.0.0.1", 0, served, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            for user in ("ann", "", "bob"):
                with urlopen(f"http://127.0.0.1:{server.server_port}/?{user}") as answer:
                    assert answer.read() == b"answer"
        finally:
            server.shutdown()
            thread.join()

    assert who(logged()) == [("ann", "ask"), (None, "ask"), ("bob", "ask")]
