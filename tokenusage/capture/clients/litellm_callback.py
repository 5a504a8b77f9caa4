"""What LiteLLM tells of its calls, with its own view of their usage.

LiteLLM calls back later, in a thread or task of its own; so a call begins for us
when the request is about to be sent. Its usage has OpenAI's chat shape for every
provider and is inclusive already. What a callback is given holds the API key,
which is never written.

Source: https://docs.litellm.ai/docs/observability/custom_callback
"""

import sys
import weakref
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from typing import Any, Final

from tokenusage.capture.call import UNKNOWN, Capture, CapturedCall
from tokenusage.capture.clients.litellm_call import Call, now
from tokenusage.capture.clients.litellm_payload import (
    MADE_UP_KEY,
    address_of,
    body_of,
    delivered,
    model_of,
    operation_of,
    reader_of,
    request_of,
    seller_of,
    ttft,
)
from tokenusage.capture.payload.request import query_of
from tokenusage.capture.providers import host_of
from tokenusage.context import entered
from tokenusage.write.forks import renew_after_fork
from tokenusage.write.redact import keys_among

MOST_CALLS: Final = 10_000
"""Calls that are remembered at most; the oldest make room."""


class Callback:
    """What LiteLLM calls; `litellm_callback` makes it one of LiteLLM's own custom loggers.

    The parameters have the names that LiteLLM calls some of them by.
    """

    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self._capture = capture
        # No lock: each of the operations on them is one step of the interpreter.
        self._calls: OrderedDict[str, Call] = OrderedDict()
        renew_after_fork(self)

    def renew(self) -> None:
        """Leave the parent's calls to the parent, in a forked child."""
        for call in self._calls.values():
            call.take()
        self._calls.clear()

    def made(self, log: Any, given: str | None) -> None:
        """Take the scope of a call where it is made, and see to it that it ends."""
        with self._capture.guard():
            call_id = log.litellm_call_id
            call = self._remember(call_id, Call(now(), given))
            # Alive as long as anything of LiteLLM's is still busy with the call.
            weakref.finalize(log, self._gone, weakref.ref(log), call_id, call)

    def streaming(self, stream: Any) -> None:
        """Take what LiteLLM gathers of a stream."""
        with self._capture.guard():
            call = self._calls.get(stream.logging_obj.litellm_call_id)
            if call is not None and call.chunks is None:  # the innermost of several is the first
                call.chunks = stream.chunks

    def log_pre_api_call(self, model: str, messages: Any, kwargs: Mapping[str, Any]) -> None:  # noqa: ARG002 - LiteLLM's
        """Begin a call whose request is about to be sent, for the first time or again."""
        with self._capture.guard():
            call = self._call_of(kwargs)
            if call.captured is None:
                call.moment = call.moment or now()
                call.answered = False
                call.made_up = kwargs.get("api_key") == MADE_UP_KEY
                address = (kwargs.get("additional_args") or {}).get("api_base")
                # Of a client of OpenAI's SDK it is that client's own, which is no text.
                call.past_sdks = address is None or isinstance(address, str)
                call.captured = self._begin(
                    call, kwargs, str(address) if address else None, call.began
                )

    async def async_post_call_success_deployment_hook(
        self,
        request_data: Mapping[str, Any],
        response: Any,
        call_type: Any,  # noqa: ARG002 - LiteLLM's
    ) -> None:
        """Record an async call that was answered while its event loop is still there."""
        with self._capture.guard():
            log = request_data.get("litellm_logging_obj")
            if log is not None and not log.stream:
                self.log_success_event(log.model_call_details, response, log.start_time, now())

    def log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record a call that was answered."""
        with self._capture.guard():
            if (operation := operation_of(kwargs)) is None:
                return
            call = self._call_of(kwargs)
            if call.answered:
                return
            call.answered = True
            seconds = call.seconds(start_time, end_time)
            if kwargs.get("cache_hit") is True:
                self._record_hit(call, operation, kwargs, response_obj, seconds)
            elif (captured := self._take(call, kwargs, seconds)) is not None:
                known = call.known(seconds) | ttft(kwargs, start_time)
                captured.answered(body_of(kwargs, response_obj), **known)

    async def async_log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record an async call that was answered, unless it is recorded already."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    def log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,  # noqa: ARG002 - LiteLLM's
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record a call that failed."""
        with self._capture.guard():
            if operation_of(kwargs) is None:
                return
            call = self._call_of(kwargs)
            seconds = call.seconds(start_time, end_time)
            if (captured := self._take(call, kwargs, seconds)) is not None:
                known = call.known(seconds) | delivered(kwargs)
                captured.failed(kwargs["exception"], **known)
            if call.moment is not None:  # another attempt may follow
                call.moment, call.began = now(), perf_counter()

    async def async_log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record an async call that failed."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _call_of(self, kwargs: Mapping[str, Any]) -> Call:
        call_id = kwargs["litellm_call_id"]
        return self._calls.get(call_id) or self._remember(call_id, Call())

    def _remember(self, call_id: str, call: Call) -> Call:
        self._calls[call_id] = call
        if len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)[1].take()
        return call

    def _begin(
        self, call: Call, kwargs: Mapping[str, Any], address: str | None, began: float
    ) -> CapturedCall | None:
        """Begin to capture, with what is known now; None where it is no model call."""
        operation = operation_of(kwargs)
        if operation is None:
            return None
        call.provider = call.scope.get("provider") or seller_of(kwargs, address, call.given)
        with entered(call.scope):
            return self._capture.begin(
                hook="litellm",
                provider=reader_of(kwargs),
                host=host_of(address) if address else None,
                operation_type=operation,
                model_name=model_of(kwargs),
                request=request_of(kwargs),
                began=began,
                secrets=keys_among(kwargs.get("api_key")),
            )

    def _take(self, call: Call, kwargs: Mapping[str, Any], seconds: float) -> CapturedCall | None:
        """Return what is to be ended; None where LiteLLM has made the answer up."""
        captured = call.take()
        if call.made_up:
            return None
        # Some of LiteLLM's providers send their requests without telling of it before.
        began = perf_counter() - seconds
        return captured or self._begin(call, kwargs, address_of(kwargs), began)

    def _gone(self, log: weakref.ref[Any], call_id: str, call: Call) -> None:
        """Hear that LiteLLM is done with a call, or that the interpreter ends."""
        with self._capture.guard():
            call.left()
            call.answered = True
            # At the interpreter's end LiteLLM may still tell of it, after this.
            if log() is None and self._calls.get(call_id) is call:
                del self._calls[call_id]

    def _record_hit(
        self, call: Call, operation: str, kwargs: Mapping[str, Any], response: Any, seconds: float
    ) -> None:
        """Record an answer from LiteLLM's own cache."""
        cache = sys.modules["litellm"].cache
        scope = call.scope
        with entered(scope):
            self._capture.tracker.cache_hit(
                operation_type=scope.get("operation_type") or operation,
                model_name=body_of(kwargs, response).get("model") or model_of(kwargs) or UNKNOWN,
                # "local" is the memory of the process.
                level="session" if getattr(cache, "type", None) == "local" else "persistent",
                query=scope.get("query") or query_of(request_of(kwargs)),
                response_time=seconds,
                provider=scope.get("provider") or seller_of(kwargs, address_of(kwargs), call.given),
            )
