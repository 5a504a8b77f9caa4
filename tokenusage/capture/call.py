"""A captured call: from its beginning to its record, without ever getting in the way."""

from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter
from types import TracebackType
from typing import Any, Final, Unpack

import orjson

from tokenusage.capture.once import Once
from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.fold import Fold
from tokenusage.capture.payload.plain import plain
from tokenusage.capture.payload.request import query_of
from tokenusage.context import current, entered, merged
from tokenusage.record import CallFields
from tokenusage.write.call import describe
from tokenusage.write.tracker import Tracker

UNKNOWN: Final = "unknown"
"""The model of a call of which neither the request nor the response names one."""

OK: Final = 200
"""The HTTP status of an answer."""

_ANSWER: Final = frozenset({"choices", "content", "data"})
"""Where responses that report their usage have what nobody needs to read."""

_UNFINISHED: Final = frozenset({"queued", "in_progress"})
"""Statuses of a response that is still being made in the background."""

_FAILED: Final = frozenset({"failed", "cancelled"})
"""Statuses of a response that was broken off."""

_UNANSWERED: Final = frozenset({408, 504})
"""HTTP statuses of a timeout: nobody knows what the call has used."""


class Capture:
    """Where the hooks bring the calls that they see.

    Args:
        tracker: Writes the records.
        once: Tells the calls of stacked hooks; hooks that may stack share it.
    """

    def __init__(self, tracker: Tracker, once: Once | None = None) -> None:
        self.tracker = tracker
        self.once = once or Once()
        self._guard = Guard(tracker)

    def begin(
        self,
        *,
        hook: str,
        provider: str | None,
        host: str | None,
        operation_type: str,
        model_name: str | None,
        request: Mapping[str, Any] | None,
    ) -> "CapturedCall":
        """Return a call that begins now, in the scope that holds here.

        Args:
            hook: The library that makes the call, such as "openai".
            provider: Who answers, where that is known.
            host: The address's host: with the response's id it tells stacked hooks' calls.
            operation_type: What the call is where no `track` says it.
            model_name: The model that is asked for.
            request: The body of the request; kept until the call has ended.
        """
        return CapturedCall(
            self,
            hook=hook,
            provider=provider,
            host=host,
            operation_type=operation_type,
            model_name=model_name,
            request=request,
        )

    def guard(self) -> "Guard":
        """Return a context manager in which a failure of ours counts as a dropped record.

        It is logged once, and never reaches the application.
        """
        return self._guard


class CapturedCall:
    """A call that has begun; the first of its three ends is recorded, and none ever raises."""

    __slots__ = (
        "_capture",
        "_hook",
        "_host",
        "_model_name",
        "_operation_type",
        "_provider",
        "_request",
        "_scope",
        "_started",
    )

    def __init__(
        self,
        capture: Capture,
        *,
        hook: str,
        provider: str | None,
        host: str | None,
        operation_type: str,
        model_name: str | None,
        request: Mapping[str, Any] | None,
    ) -> None:
        self._capture: Capture | None = capture
        self._hook = hook
        self._provider = provider
        self._host = host
        self._operation_type = operation_type
        self._model_name = model_name
        self._request = request
        self._scope = current()
        self._started = perf_counter()

    def answered(self, response: Any, **known: Unpack[CallFields]) -> None:
        """End with a whole response: an SDK's object or the mapping of its body.

        `known` are fields that the hook knows better than the response.
        """
        ended = perf_counter()
        if (capture := self._end()) is None:
            return
        with capture.guard():
            body = response if response.__class__ is dict else _body_of(response)
            fields = self._read(body, complete=body.get("status") not in _UNFINISHED)
            self._record(capture, fields, known, ended)

    def failed(self, error: BaseException, **known: Unpack[CallFields]) -> None:
        """End with an exception; where a billed answer stands behind it, its tokens count."""
        ended = perf_counter()
        if (capture := self._end()) is None:
            return
        with capture.guard():
            if not capture.once.first_error(error):
                return
            fields: dict[str, Any] = {"success": False, "error_message": describe(error)}
            if (answer := _answer_behind(error)) is not None:
                fields |= self._read(answer)
            elif (status := _status(error)) is None or status in _UNANSWERED:
                fields["usage_source"] = "partial"  # nobody knows what it has used
            self._record(capture, fields, known, ended)

    def stream_ended(
        self, fold: Fold, error: BaseException | None = None, **known: Unpack[CallFields]
    ) -> None:
        """End with a stream: whole, left early (what is known counts), or broken by `error`."""
        ended = perf_counter()
        if (capture := self._end()) is None:
            return
        with capture.guard():
            if error is not None and not capture.once.first_error(error):
                return
            fields = self._read(
                fold.response(),
                output_characters=fold.output_characters,
                complete=fold.ended and error is None,
            )
            if fold.first_output is not None:
                seconds = round(max(fold.first_output - self._started, 0.0), 6)
                fields["tags"] = {**fields.get("tags", {}), "ttft": seconds}
            if error is not None:
                fields |= {"success": False, "error_message": describe(error)}
            self._record(capture, fields, known, ended)

    def _end(self) -> Capture | None:
        """Return where to record, once."""
        capture, self._capture = self._capture, None
        return capture

    def _read(self, response: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        fields = fields_of(response, provider=self._provider, request=self._request, **how)
        return {**fields, **_failure_in(response)}

    def _record(
        self, capture: Capture, fields: dict[str, Any], known: CallFields, ended: float
    ) -> None:
        if known:
            fields = {**merged(fields, known)}
        if self._host and fields.get("success", True):
            # Embeddings and images have no id; their figures must do.
            answer = fields.get("response_id") or (
                f"{self._operation_type}:{fields['prompt_tokens']}:{fields['completion_tokens']}"
            )
            if not capture.once.first(answer, self._host, self._hook):
                return
        scope = self._scope
        if "provider" not in scope:
            fields.setdefault("provider", self._provider)
        if "query" not in scope and self._request is not None:
            fields.setdefault("query", query_of(self._request))
        fields.setdefault("model_name", self._model_name or UNKNOWN)
        fields.setdefault("response_time", round(ended - self._started, 6))
        fields.setdefault("operation_type", scope.get("operation_type") or self._operation_type)
        with entered(scope):
            capture.tracker.record(**fields)


class Guard:
    """What stands between a failure of ours and the application; one for all calls."""

    __slots__ = ("_tracker",)

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._tracker.count_drop(error)
        return True


def _body_of(response: Any) -> Mapping[str, Any]:
    """Return an SDK's object as far as it is going to be read."""
    body = plain(response, leave=_ANSWER)
    if isinstance(body, Mapping):
        return body if body.get("usage") else plain(response)  # its text will be counted
    return {"text": body} if isinstance(body, str) else {}


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an SDK's exception carries."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status if type(status) is int else None


def _failure_in(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a response says that it has failed, as OpenAI's Responses do without an error."""
    if response.get("status") not in _FAILED:
        return {}
    error = response.get("error")
    about = error if isinstance(error, Mapping) else {}
    words = [about.get("code") or response["status"], about.get("message")]
    return {"success": False, "error_message": ": ".join(str(word) for word in words if word)}


def _answer_behind(error: BaseException) -> Mapping[str, Any] | None:
    """Return the whole answer that an SDK refused, such as one cut off within its JSON."""
    answer = getattr(error, "completion", None)
    response: Any = getattr(error, "response", None)
    if answer is None and getattr(response, "status_code", None) == OK and response.is_closed:
        with suppress(ValueError):
            answer = orjson.loads(response.content)
    body = plain(answer)
    return body if isinstance(body, Mapping) else None
