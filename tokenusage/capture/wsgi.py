"""For WSGI applications (Flask, Django): whose a request's calls are.

app.wsgi_app = UsageMiddleware(app.wsgi_app, user=lambda environ: environ.get("REMOTE_USER"))
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tokenusage.capture.web import Attribution, RequestScope
from tokenusage.context import entered

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
"""An application as PEP 3333 has it."""


def route_of(environ: Environ) -> str | None:
    """Return a request's route, such as ``POST /users/<int:user_id>``, or None.

    By its template, which Flask leaves with Werkzeug's request in the environ. Never
    by the path: it is another one for each user, and what stands in it could not be
    forgotten with them.
    """
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    template = getattr(rule, "rule", None)
    return f"{environ.get('REQUEST_METHOD')} {template}" if isinstance(template, str) else None


class UsageMiddleware:
    """Attributes every call inside a request, its streamed body too, to its user and route.

    Args:
        app: The application.
        user: Takes a request's environ and returns the user's id, or None. It is asked when
            a call begins or the response starts, so that authentication may happen inside
            of this middleware.
        operation: What the calls are logged as: a text, or what takes the environ and
            returns one. Where it returns None, they are what they are: "chat",
            "embedding", ...
    """

    def __init__(
        self,
        app: Application,
        user: Callable[[Environ], int | str | None] | None = None,
        operation: Callable[[Environ], str | None] | str = route_of,
    ) -> None:
        self._app = app
        self._attribution = Attribution(user, operation)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        scope = self._attribution.scope_of(environ)

        def start(*arguments: Any, **named: Any) -> Any:
            # Flask lets go of the request before its body is read: what is known, is known now.
            scope.ask()
            return start_response(*arguments, **named)

        with entered(scope.ask):
            body = self._app(environ, start)
        if isinstance(body, list | tuple) or _is_file(body, environ):
            return body  # runs no code, and servers send it faster as it is
        return _Body(body, scope)


def _is_file(body: Iterable[bytes], environ: Environ) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Body:
    """A response's body, each step of which is made inside of the request's scope.

    Between the steps the server's thread is outside, and so is its next request.
    """

    __slots__ = ("_body", "_scope", "_steps")

    def __init__(self, body: Iterable[bytes], scope: RequestScope) -> None:
        self._body = body
        self._scope = scope
        self._steps: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with entered(self._scope.ask):
            if self._steps is None:
                self._steps = iter(self._body)
            return next(self._steps)

    def close(self) -> None:
        """Close the application's body, as PEP 3333 has the server do."""
        close = getattr(self._body, "close", None)
        if close is not None:
            with entered(self._scope.ask):
                close()
