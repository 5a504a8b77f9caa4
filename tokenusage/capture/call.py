"""A captured call: from its beginning to its record, without ever getting in the way."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from time import perf_counter
from types import TracebackType
from typing import Any, Final, NotRequired, TypedDict, Unpack

import orjson

from tokenusage.capture.once import Once
from tokenusage.capture.payload.fields import fields_of
from tokenusage.capture.payload.fold import Fold
from tokenusage.capture.payload.plain import plain
from tokenusage.capture.payload.request import query_of
from tokenusage.capture.payload.usage import LITELLM
from tokenusage.context import current, entered, merged
from tokenusage.record import CallFields
from tokenusage.write.call import describe
from tokenusage.write.tracker import Tracker

UNKNOWN: Final = "unknown"
"""The model of a call of which neither the request nor the response names one."""

OK: Final = 200
"""The HTTP status of an answer."""

_ANSWER: Final = frozenset({"choices", "content", "data", "output"})
"""Where responses that report their usage have what nobody needs to turn into plain values."""

_UNANSWERED: Final = frozenset({408, 504})
"""HTTP statuses of a timeout: nobody knows what the call has used."""


class About(TypedDict):
    """What a hook says of a call that begins."""

    hook: str
    """The library that makes the call, such as "openai"."""
    provider: str | None
    """Who answers, where that is known."""
    host: str | None
    """The address's host: with the response's id it tells stacked hooks' calls."""
    operation_type: str
    """What the call is where no `track` says it."""
    model_name: str | None
    """The model that is asked for."""
    request: Mapping[str, Any] | None
    """The body of the request; kept until the call has ended."""
    began: NotRequired[float]
    """`time.perf_counter()` at the beginning, where the hook hears of it later."""
    handled: NotRequired[int]
    """The `id` of the exception that was being handled then."""
    secrets: NotRequired[tuple[str, ...]]
    """The client's keys, which no error message may quote."""


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

    def begin(self, **about: Unpack[About]) -> "CapturedCall":
        """Return a call that begins now, in the scope that holds here."""
        return CapturedCall(self, **about)

    def guard(self) -> "Guard":
        """Return a context manager in which a failure of ours counts as a dropped record.

        It is logged once, and never reaches the application.
        """
        return self._guard


class CapturedCall:
    """A call that has begun; the first of its three ends is recorded, and none ever raises."""

    __slots__ = (
        "_about",
        "_capture",
        "_handled",
        "_query",
        "_scope",
        "_started",
    )

    def __init__(self, capture: Capture, **about: Unpack[About]) -> None:
        self._capture: Capture | None = capture
        self._about = about
        self._scope = current()
        request = about["request"]
        # Now, since the application may go on with its list of messages during a stream.
        self._query = None if "query" in self._scope else query_of(request)
        self._handled = about.get("handled", id(sys.exception()))
        self._started = about.get("began", perf_counter())

    def answered(self, response: Any, **known: Unpack[CallFields]) -> None:
        """End with a whole response: an SDK's object or the mapping of its body.

        `known` are fields that the hook knows better than the response.
        """
        ended = perf_counter()
        if (capture := self._end()) is None:
            return
        with capture.guard():
            fields = self._read_whole(response)
            self._record(capture, fields, known, ended)

    def failed(self, error: BaseException, answer: Any = None, **known: Unpack[CallFields]) -> None:
        """End with an exception; where a billed answer stands behind it, its tokens count.

        `answer` is one that the hook has noted: an SDK's object or a mapping.
        """
        ended = perf_counter()
        if (capture := self._end()) is None:
            return
        with capture.guard():
            if not self._is_first(capture, error):
                return
            fields = self._failure(error)
            behind = _answer_behind(error) if answer is None else answer
            if behind is not None:
                fields = self._read_whole(behind) | fields
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
            if error is not None and not self._is_first(capture, error):
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
                fields |= self._failure(error)
            self._record(capture, fields, known, ended)

    def _end(self) -> Capture | None:
        """Return where to record, once."""
        capture, self._capture = self._capture, None
        return capture

    def _is_first(self, capture: Capture, error: BaseException) -> bool:
        return capture.once.first_error(error, self._about["hook"], self._handled)

    def _failure(self, error: BaseException) -> dict[str, Any]:
        message = describe(error, self._about.get("secrets", ()))
        return {"success": False, "error_message": message}

    def _read_whole(self, response: Any) -> dict[str, Any]:
        """Read an SDK's object or a mapping, the answer's text only where it has to be counted."""
        if response.__class__ is dict:
            return self._read(response)
        fields = self._read(_body_of(response))
        if fields.get("usage_source") == "provider":
            return fields
        return self._read(_body_of(response, leave=frozenset()))

    def _read(self, response: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        about = self._about
        provider = about["provider"]
        if provider != LITELLM:
            provider = self._scope.get("provider") or provider
        return {**fields_of(response, provider=provider, request=about["request"], **how)}

    def _record(
        self, capture: Capture, fields: dict[str, Any], known: CallFields, ended: float
    ) -> None:
        about = self._about
        if known:
            fields = {**merged(fields, known)}
        host = about["host"]
        if host and fields.get("success", True):
            # Embeddings and images have no id; their figures must do.
            answer = fields.get("response_id") or (
                f"{about['operation_type']}:{fields['prompt_tokens']}:{fields['completion_tokens']}"
            )
            if not capture.once.first(answer, host, about["hook"], self._started, ended):
                return
        scope = self._scope
        if "provider" not in scope:
            fields.setdefault("provider", about["provider"])
        if self._query is not None:
            fields.setdefault("query", self._query)
        fields.setdefault("model_name", about["model_name"] or UNKNOWN)
        fields.setdefault("response_time", round(ended - self._started, 6))
        fields.setdefault("operation_type", scope.get("operation_type") or about["operation_type"])
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


def _body_of(response: Any, leave: frozenset[str] = _ANSWER) -> Mapping[str, Any]:
    """Return an SDK's object as plain values, but for what stands under the names in `leave`."""
    body = plain(response, leave)
    if isinstance(body, Mapping):
        return body
    return {"text": body} if isinstance(body, str) else {}


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an SDK's exception carries."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return status if type(status) is int else None


def _answer_behind(error: BaseException) -> Mapping[str, Any] | None:
    """Return the whole answer that an SDK refused, such as one cut off within its JSON."""
    answer = getattr(error, "completion", None)
    response: Any = getattr(error, "response", None)
    if answer is None and getattr(response, "status_code", None) == OK and response.is_closed:
        with suppress(ValueError):
            answer = orjson.loads(response.content)
    body = plain(answer)
    return body if isinstance(body, Mapping) else None
