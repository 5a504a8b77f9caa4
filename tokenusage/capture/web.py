"""What the ASGI and the WSGI middleware share: whose a request is, and what for."""

from collections.abc import Callable, Iterable
from logging import WARNING
from typing import Any

from tokenusage.context import Asked, Scope, merged, surrounding
from tokenusage.write.announce import tell
from tokenusage.write.checks import CHECKS

Question = Callable[[Any], Any]
"""Takes a request, an ASGI scope or a WSGI environ; None is no answer."""


class Attribution:
    """Asks requests for their user and operation; a question that raises has no answer.

    Args:
        user: Who makes the request; unset, nobody knows.
        operation: What the calls inside are logged as: a text, or who asks for it.
    """

    def __init__(self, user: Question | None, operation: Question | str) -> None:
        self._questions: dict[str, Question] = {}
        if user is not None:
            self._questions["user_id"] = user
        self._questions["operation_type"] = (
            (lambda _request: operation) if isinstance(operation, str) else operation
        )
        self.fields = self._questions.keys()
        """What is asked for."""
        self._warned: set[str] = set()

    def scope_of(self, request: Any) -> "RequestScope":
        """Return what holds for the calls inside a request, over what holds already."""
        return RequestScope(self, request, surrounding())

    def answers(self, request: Any, fields: Iterable[str]) -> dict[str, Any]:
        """Return those of `fields` that a request has an answer to."""
        found = {}
        for field in fields:
            try:
                answer = self._questions[field](request)
                if answer is not None:
                    found[field] = CHECKS[field](field, answer)
            except Exception as error:
                self._warn(field, error)
        return found

    def _warn(self, field: str, error: Exception) -> None:
        if field not in self._warned:
            self._warned.add(field)
            # The type alone: the message may hold what the request does.
            name = type(error).__name__
            tell(WARNING, "Calls of some requests are logged without %s (%s)", field, name)


class RequestScope:
    """The fields that hold for the calls inside of one request.

    Asked for when a call begins, and again until there is an answer: who the
    user is and which route it was comes out inside of the middleware.
    """

    __slots__ = ("_attribution", "_known", "_outer", "_request")

    def __init__(self, attribution: Attribution, request: Any, outer: Asked) -> None:
        self._attribution = attribution
        self._request = request
        self._outer = outer
        self._known: dict[str, Any] = {}

    def ask(self) -> Scope:
        """Return the fields as far as they are known by now, and nothing of the request."""
        unknown = self._attribution.fields - self._known.keys()
        self._known.update(self._attribution.answers(self._request, unknown))
        return merged(self._outer(), self._known)
