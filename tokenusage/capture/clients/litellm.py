"""LiteLLM: a callback that hears of every call, with LiteLLM's own view of its usage.

LiteLLM calls back later, in a thread or task of its own; so the scope is taken
when the request is about to be sent. Its usage has OpenAI's chat shape for every
provider and is inclusive already. What a callback is given holds the API key:
no more of it is kept than the scope and the address, and only until the call ends.

Source: https://docs.litellm.ai/docs/observability/custom_callback
"""

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import Any, Final, NamedTuple

from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.clients.litellm_payload import (
    address_of,
    body_of,
    delivered,
    operation_of,
    reader_of,
    request_of,
    seller_of,
    ttft,
)
from tokenusage.capture.payload.request import query_of
from tokenusage.capture.providers import host_of
from tokenusage.context import Scope, current, entered

MOST_CALLS: Final = 10_000
"""Calls that are remembered at most; the oldest make room."""

LISTS: Final = (
    "callbacks",
    "input_callback",
    "success_callback",
    "failure_callback",
    "_async_input_callback",
    "_async_success_callback",
    "_async_failure_callback",
    "service_callback",
)
"""LiteLLM's lists of callbacks: it copies what stands in the first to the others."""


class _Begun(NamedTuple):
    """What is known of a call when its request is about to be sent."""

    scope: Scope
    address: str | None


class _Made(NamedTuple):
    """What is known of a call that has ended."""

    scope: Scope
    host: str | None
    operation: str
    provider: str | None
    seconds: float


class Callback:
    """What LiteLLM calls; `litellm_callback` makes it one of LiteLLM's own custom loggers.

    The parameters have the names that LiteLLM calls some of them by.
    """

    def __init__(self, capture: Capture) -> None:
        super().__init__()
        self._capture = capture
        # No lock: each of the operations on them is one step of the interpreter.
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._answered: OrderedDict[str, None] = OrderedDict()

    def log_pre_api_call(self, model: str, messages: Any, kwargs: Mapping[str, Any]) -> None:  # noqa: ARG002 - LiteLLM's
        """Take the scope of a call whose request is about to be sent."""
        with self._capture.guard():
            address = (kwargs.get("additional_args") or {}).get("api_base")
            begun = _Begun(current(), str(address) if address else None)
            _remember(self._begun, kwargs["litellm_call_id"], begun)

    def log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record a sync call that was answered."""
        with self._capture.guard():
            call_id = kwargs["litellm_call_id"]
            # After some async calls both methods are called.
            if call_id in self._answered:
                return
            _remember(self._answered, call_id, None)
            if (made := self._take(kwargs, end_time - start_time)) is None:
                return
            with entered(made.scope):
                if kwargs.get("cache_hit") is True:
                    self._record_hit(made, kwargs)
                    return
                call = self._begin(made, kwargs)
            known = ttft(kwargs, start_time)
            known["provider"] = made.provider
            known["response_time"] = made.seconds
            call.answered(body_of(kwargs, response_obj), **known)

    async def async_log_success_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record an async call that was answered."""
        self.log_success_event(kwargs, response_obj, start_time, end_time)

    def log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,  # noqa: ARG002 - LiteLLM's
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record a sync call that failed."""
        with self._capture.guard():
            if (made := self._take(kwargs, end_time - start_time)) is None:
                return
            with entered(made.scope):
                call = self._begin(made, kwargs)
            known = delivered(kwargs)
            known["provider"] = made.provider
            known["response_time"] = made.seconds
            call.failed(kwargs["exception"], **known)

    async def async_log_failure_event(
        self,
        kwargs: Mapping[str, Any],
        response_obj: Any,
        start_time: datetime,
        end_time: datetime,
    ) -> None:
        """Record an async call that failed."""
        self.log_failure_event(kwargs, response_obj, start_time, end_time)

    def _take(self, kwargs: Mapping[str, Any], duration: timedelta) -> _Made | None:
        """Return what is known of a call that has ended; None where it was no model call."""
        scope, address = self._begun.pop(kwargs["litellm_call_id"], None) or (current(), None)
        operation = operation_of(kwargs)
        if operation is None:
            return None
        address = address or address_of(kwargs)
        return _Made(
            scope,
            host_of(address) if address else None,
            operation,
            scope.get("provider") or seller_of(kwargs, address),
            max(duration.total_seconds(), 0.0),
        )

    def _begin(self, made: _Made, kwargs: Mapping[str, Any]) -> CapturedCall:
        return self._capture.begin(
            hook="litellm",
            provider=reader_of(kwargs),
            host=made.host,
            operation_type=made.operation,
            model_name=kwargs.get("model"),
            request=request_of(kwargs),
        )

    def _record_hit(self, made: _Made, kwargs: Mapping[str, Any]) -> None:
        """Record an answer from LiteLLM's own cache."""
        cache = sys.modules["litellm"].cache
        self._capture.tracker.cache_hit(
            operation_type=made.scope.get("operation_type") or made.operation,
            model_name=kwargs["model"],
            # "local" is the memory of the process.
            level="session" if getattr(cache, "type", None) == "local" else "persistent",
            query=made.scope.get("query") or query_of(request_of(kwargs)),
            response_time=made.seconds,
            provider=made.provider,
        )


def litellm_callback(capture: Capture) -> Any:
    """Return a callback for ``litellm.callbacks``: a ``CustomLogger`` that records every call.

    Raises:
        ImportError: LiteLLM is not installed.
    """
    logger = import_module("litellm.integrations.custom_logger").CustomLogger
    return type("TokenUsageLogger", (Callback, logger), {})(capture)


def hook(module: ModuleType, capture: Capture) -> Callable[[], None]:
    """Add a callback to ``litellm.callbacks`` and return what takes it out again.

    Where the application has added one of its own, that one stays the only one.
    """
    if any(isinstance(one, Callback) for one in module.callbacks):
        return lambda: None
    callback = litellm_callback(capture)
    module.callbacks.append(callback)

    def unhook() -> None:
        for name in LISTS:
            callbacks = getattr(module, name, [])
            if callback in callbacks:
                callbacks.remove(callback)

    return unhook


def _remember(calls: OrderedDict[str, Any], call_id: str, value: _Begun | None) -> None:
    calls[call_id] = value
    if len(calls) > MOST_CALLS:
        calls.popitem(last=False)
