"""For ASGI applications (FastAPI, Starlette, Django): whose a request's calls are.

app.add_middleware(UsageMiddleware, user=lambda scope: scope["state"].get("user_id"))
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
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
    template = _template(scope)
    if template is not None:
        return f"{scope.get('method', 'WEBSOCKET')} {template}"
    name = getattr(scope.get("endpoint"), "__name__", None)
    return name if isinstance(name, str) else None


def _template(scope: Scope) -> str | None:
    """Return the whole template of a request's route, as far as the code itself says it."""
    route = scope.get("route")
    included = _mapping(scope.get("fastapi")).get("effective_route_context")
    if getattr(included, "original_route", None) is route:
        route = included  # a route of FastAPI's need not know the prefix of its router
    template = getattr(route, "path", None)
    if not isinstance(template, str):
        return None
    # Starlette's own root_path is the server's and the matched text of all mounts.
    before, whole = scope.get("app_root_path"), scope.get("root_path", "")
    if before is None or not whole.startswith(before):
        return template
    mounts = _mounts(getattr(scope.get("router"), "routes", ()), f"{whole.removeprefix(before)}/")
    if mounts is None:
        return template
    return mounts if hasattr(route, "routes") else mounts + template


def _mounts(routes: Iterable[Any], path: str) -> str | None:
    """Return the templates of the mounts that match all of `path`; None where none do.

    Theirs, and never the path's own text: which part of it is a value can't be told from
    the values, which are converted and may be equal or hidden by an inner one of that name.
    """
    if path == "/":
        return ""
    for route in routes:
        pattern = getattr(route, "path_regex", None)
        if hasattr(route, "routes") and pattern is not None and (match := pattern.match(path)):
            inner = _mounts(route.routes, f"/{match['path']}")
            if inner is not None:
                return f"{route.path}{inner}"
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


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
        with entered(self._attribution.scope_of(scope).ask):
            await self._app(scope, receive, send)
