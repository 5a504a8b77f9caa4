"""For ASGI applications (FastAPI, Starlette, Django): whose a request's calls are.

app.add_middleware(UsageMiddleware, user=lambda scope: scope["state"].get("user_id"))
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tokenusage.capture.web import Attribution
from tokenusage.context import entered

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An application as the ASGI specification (version 3) has it."""


def route_of(scope: Scope) -> str | None:
    """Return a request's route, such as ``POST /users/{user_id}``, or None.

    By its template, which FastAPI and Starlette leave in the scope, or else by the
    endpoint's name. Never by the path: it is another one for each user, and what
    stands in it could not be forgotten with them.
    """
    template = getattr(scope.get("route"), "path", None)
    if isinstance(template, str):
        return f"{scope.get('method', 'WEBSOCKET')} {_with_prefix(template, scope)}"
    name = getattr(scope.get("endpoint"), "__name__", None)
    return name if isinstance(name, str) else None


def _with_prefix(template: str, scope: Scope) -> str:
    """Return a route's template behind what it is mounted or included under.

    No framework says the whole: it is the path, with its parameters' names for their
    values, where that ends as the template does.
    """
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    segments = scope.get("path", "").split("/")
    whole = "/".join(names.get(segment, segment) for segment in segments)
    return whole if whole.endswith(template) else template


class UsageMiddleware:
    """Attributes every call inside a request to its user and route.

    That is calls in handlers, streamed bodies, background tasks and threads of
    ``to_thread``, of HTTP and websocket requests.

    Args:
        app: The application.
        user: Takes a request's scope and returns the user's id, or None. It is asked when
            a call begins, so that authentication may happen inside of this middleware.
        operation: What the calls are logged as: a text, or what takes the scope and returns
            one. Where it returns None, they are what they are: "chat", "embedding", ...
    """

    def __init__(
        self,
        app: Application,
        user: Callable[[Scope], int | str | None] | None = None,
        operation: Callable[[Scope], str | None] | str = route_of,
    ) -> None:
        self._app = app
        self._attribution = Attribution(user, operation)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or whatever else the server has to say."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        with entered(self._attribution.scope_of(scope)):
            await self._app(scope, receive, send)
