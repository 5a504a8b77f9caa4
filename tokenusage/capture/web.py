"""What the ASGI and the WSGI middleware share: whose a request is, and what for."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tokenusage.context import Scope, current, merged
from tokenusage.write.checks import CHECKS

logger = logging.getLogger("tokenusage")

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
        return RequestScope(self, request, current())

    def answers(self, request: Any, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is `known` of a request, and the answers to the other questions."""
        found = dict(known)
        for field in self._questions.keys() - known.keys():
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
            logger.warning("Calls of some requests are logged without %s (%s)", field, name)


class RequestScope(Mapping[str, Any]):
    """The fields that hold for the calls inside of one request.

    Asked for when a call begins, and again until there is an answer: who the
    user is and which route it was comes out inside of the middleware.
    """

    __slots__ = ("_attribution", "_known", "_outer", "_request", "_whole")

    def __init__(self, attribution: Attribution, request: Any, outer: Scope) -> None:
        self._attribution = attribution
        self._request = request
        self._outer = outer
        self._known: dict[str, Any] = {}
        self._whole: Scope | None = None

    def ask(self) -> Scope:
        """Return the fields as far as they are known by now."""
        if self._whole is not None:
            return self._whole
        self._known = self._attribution.answers(self._request, self._known)
        fields = merged(self._outer, self._known)
        if self._known.keys() == self._attribution.fields:
            self._whole = fields
        return fields

    def __getitem__(self, field: str) -> Any:
        return self.ask()[field]

    def __iter__(self) -> Iterator[str]:
        return iter(self.ask())

    def __len__(self) -> int:
        return len(self.ask())
