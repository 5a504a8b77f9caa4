"""The hook of OpenAI's and Anthropic's SDKs, which are generated from one template.

All that a client asks for passes one method: `request` of `_base_client.SyncAPIClient`
and `AsyncAPIClient`. It is wrapped at class level, outside of the retries.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, Final

from tokenusage.capture.body.readers import reader_of
from tokenusage.capture.body.tee import Tee, response_behind
from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.clients.batch import Batches, BatchLook
from tokenusage.capture.clients.endpoints import is_batch_look, operation_of
from tokenusage.capture.clients.wraps import Wraps
from tokenusage.capture.providers import host_of, provider_of

_USAGE_PROVIDERS: Final = frozenset({"openai", "azure"})
"""Who is known to take `stream_options.include_usage`."""

_REFUSALS: Final = frozenset({400, 422})
"""HTTP statuses with which a server refuses a parameter that it doesn't know."""


def hook(module: ModuleType, capture: Capture, *, include_usage: bool = True) -> Callable[[], None]:
    """Capture the calls of all clients of `module`, and return what ends that.

    Args:
        module: The imported ``openai`` or ``anthropic``.
        capture: Where the calls are brought.
        include_usage: Ask for the usage of OpenAI's and Azure's chat streams where the
            application did not; it doesn't see the difference.
    """
    base = vars(module)["_base_client"]
    put_on = Wraps(capture)
    watch = _Watch(module, put_on, include_usage=include_usage)
    put_on.put(base.SyncAPIClient, "request", partial(_sync_request, watch))
    put_on.put(base.AsyncAPIClient, "request", partial(_async_request, watch))
    return put_on.take_off


def _sync_request(watch: "_Watch", original: Any) -> Any:
    def request(client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        seen = watch.begin(client, options)
        if seen is None:
            return original(client, cast_to, options, *args, **kwargs)
        try:
            refused = False
            try:
                result = original(client, cast_to, seen.options, *args, **kwargs)
            except Exception as error:
                refused = seen.refused(error)
                if not refused:
                    raise
            if refused:  # out here, so that the first error is no part of a second one
                result = original(client, cast_to, options, *args, **kwargs)
        except BaseException as error:
            seen.failed(error)
            raise
        seen.answered(result, asynchronous=False)
        return result

    return request


def _async_request(watch: "_Watch", original: Any) -> Any:
    async def request(client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        seen = watch.begin(client, options)
        if seen is None:
            return await original(client, cast_to, options, *args, **kwargs)
        try:
            refused = False
            try:
                result = await original(client, cast_to, seen.options, *args, **kwargs)
            except Exception as error:
                refused = seen.refused(error)
                if not refused:
                    raise
            if refused:
                result = await original(client, cast_to, options, *args, **kwargs)
        except BaseException as error:
            seen.failed(error)
            raise
        seen.answered(result, asynchronous=True)
        return result

    return request


class _Watch:
    """What one hook knows: whose requests they are, and what its servers refuse."""

    def __init__(self, module: ModuleType, put_on: Wraps, *, include_usage: bool) -> None:
        capture = put_on.capture
        self.put_on = put_on
        self.hook = module.__name__
        self.parsed = (module.BaseModel, dict)
        self.capture = capture
        self.batches = Batches(capture)
        self.include_usage = include_usage
        self.refusing: set[str] = set()
        """Hosts that know no `stream_options`."""

    def begin(self, client: Any, options: Any) -> "_Seen | BatchLook | None":
        """Return what is to be told how the request went, None where nobody wants to know."""
        seen: _Seen | BatchLook | None = None
        if self.put_on.active:
            with self.capture.guard():
                if options.method.lower() == "post":
                    operation = operation_of(options.url)
                    if operation is not None:
                        seen = self._begin_call(str(client.base_url), options, operation)
                elif options.method.lower() == "get" and is_batch_look(options.url):
                    seen = BatchLook(self.batches, options, str(client.base_url))
        return seen

    def _begin_call(self, base_url: str, options: Any, operation: str) -> "_Seen":
        if "://" in options.url:
            base_url = options.url
        body = options.json_data if isinstance(options.json_data, Mapping) else None
        provider = provider_of(base_url)
        host = host_of(base_url)
        model = body.get("model") if body else None
        call = self.capture.begin(
            hook=self.hook,
            provider=provider,
            host=host,
            operation_type=operation,
            model_name=model if isinstance(model, str) else None,
            request=body,
        )
        streamed = body is not None and body.get("stream") is True
        if (
            streamed
            and self.include_usage
            and provider in _USAGE_PROVIDERS
            and host not in self.refusing
            and options.url.partition("?")[0].endswith("/chat/completions")
        ):
            asking = _asking_for_usage(options)
        else:
            asking = None
        return _Seen(self, call, options, asking, host=host, streamed=streamed)


class _Seen:
    """A model call on its way through `request`."""

    __slots__ = ("_asks", "_call", "_host", "_streamed", "_watch", "options")

    def __init__(
        self,
        watch: _Watch,
        call: CapturedCall,
        options: Any,
        asking: Any | None,
        *,
        host: str,
        streamed: bool,
    ) -> None:
        self.options = options if asking is None else asking
        self._asks = asking is not None
        self._watch = watch
        self._call = call
        self._host = host
        self._streamed = streamed

    def refused(self, error: Exception) -> bool:
        """Say whether the server has refused what was added to the request."""
        if not self._asks or getattr(error, "status_code", None) not in _REFUSALS:
            return False
        if "stream_options" not in str(error) and "include_usage" not in str(error):
            return False
        self._asks = False
        self._watch.refusing.add(self._host)
        return True

    def failed(self, error: BaseException) -> None:
        """Hear that there is no answer."""
        self._call.failed(error)

    def answered(self, result: Any, *, asynchronous: bool) -> None:
        """Hear the answer: parsed, or a response whose body is still to be read."""
        if isinstance(result, self._watch.parsed):
            self._call.answered(result)
            return
        with self._watch.capture.guard():
            response = response_behind(result)
            if response is None:
                # Speech, and transcripts as text, whose JSON has this shape.
                self._call.answered({"text": result} if isinstance(result, str) else {})
                return
            reader = reader_of(
                response.headers.get("content-type", ""),
                self._call,
                self._watch.capture,
                streamed=self._streamed,
                swallow=self._asks,
            )
            if response.is_closed:
                reader.feed(response.content)
                reader.ended(None, exhausted=True)
            else:
                encoded = response.headers.get("content-encoding", "identity") != "identity"
                Tee(response, reader, decoded=encoded, asynchronous=asynchronous)


def _asking_for_usage(options: Any) -> Any | None:
    """Return a copy of the request that asks for usage; None where it says whether to."""
    stream_options = options.json_data.get("stream_options")
    extra = getattr(options, "extra_json", None) or {}
    if "stream_options" in extra:
        return None
    if not isinstance(stream_options, Mapping):
        stream_options = {}  # not given, in one of the SDKs' several ways
    elif "include_usage" in stream_options:
        return None
    asking = copy.copy(options)
    asking.json_data = {
        **options.json_data,
        "stream_options": {**stream_options, "include_usage": True},
    }
    return asking
