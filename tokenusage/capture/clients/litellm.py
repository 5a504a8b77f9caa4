"""LiteLLM: a callback hears of every call, and the calls themselves are watched.

Of some ends LiteLLM tells nobody: a stream that is left, a task that is cancelled.
Of others it tells too late: in a task that dies with the event loop. So `hook`
also watches the object that LiteLLM makes for each call; where that goes
without an end, the call is recorded with what is known.
"""

import logging
from collections.abc import Callable
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.litellm_callback import Callback
from tokenusage.capture.clients.litellm_payload import address_given
from tokenusage.capture.clients.wraps import Method, Wraps

logger = logging.getLogger("tokenusage")

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


def litellm_callback(capture: Capture) -> Any:
    """Return a callback for ``litellm.callbacks``: a ``CustomLogger`` that records every call.

    Raises:
        ImportError: LiteLLM is not installed.
    """
    base = import_module("litellm.integrations.custom_logger").CustomLogger
    return type("TokenUsageLogger", (Callback, base), {})(capture)


def hook(module: ModuleType, capture: Capture) -> Callable[[], None]:
    """Add a callback to ``litellm.callbacks``, watch the calls, and return what ends both.

    Where the application has added a callback of its own, that one stays the only one.
    """
    own = [one for one in module.callbacks if isinstance(one, Callback)]
    callback = own[0] if own else litellm_callback(capture)
    put_on = _watch(callback, capture)
    if own:
        return put_on.take_off
    module.callbacks.append(callback)

    def unhook() -> None:
        put_on.take_off()
        for name in LISTS:
            callbacks = getattr(module, name, [])
            if callback in callbacks:
                callbacks.remove(callback)

    return unhook


def _watch(callback: Callback, capture: Capture) -> Wraps:
    """Have `callback` hear of every call and stream that LiteLLM makes."""
    put_on = Wraps(capture)
    core = "litellm.litellm_core_utils"
    try:
        call = import_module(f"{core}.litellm_logging").Logging
        stream = import_module(f"{core}.streaming_handler").CustomStreamWrapper
        put_on.put(call, "__init__", partial(_made, put_on, callback))
        put_on.put(stream, "__init__", partial(_streaming, put_on, callback))
    except (ImportError, AttributeError) as error:
        # The callback alone still sees every call whose end LiteLLM tells in time.
        logger.warning(
            "Calls of litellm that are left or cancelled are not captured (%s: %s)",
            type(error).__name__,
            error,
        )
    return put_on


def _made(put_on: Wraps, callback: Callback, original: Method) -> Method:
    def init(log: Any, *args: Any, **kwargs: Any) -> None:
        original(log, *args, **kwargs)
        if put_on.active:
            callback.made(log, address_given(kwargs.get("kwargs")))

    return init


def _streaming(put_on: Wraps, callback: Callback, original: Method) -> Method:
    def init(stream: Any, *args: Any, **kwargs: Any) -> None:
        original(stream, *args, **kwargs)
        if put_on.active:
            callback.streaming(stream)

    return init
