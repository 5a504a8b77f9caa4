"""The hook of OpenAI's and Anthropic's SDKs, which are generated from one template.

All that a client asks for passes one method: `request` of `_base_client.SyncAPIClient`
and `AsyncAPIClient`. It is wrapped at class level, outside of the retries.
"""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from types import ModuleType
from typing import Any, Final

from tokenusage.capture.body.encoded import read_along
from tokenusage.capture.body.readers import reader_of
from tokenusage.capture.body.sse import parse
from tokenusage.capture.body.tee import response_behind
from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.clients.batch import Batches, BatchLook
from tokenusage.capture.clients.endpoints import deployment_of, is_batch_look, operation_of
from tokenusage.capture.clients.wraps import Wraps
from tokenusage.capture.providers import host_of, provider_of
from tokenusage.write.redact import keys_among

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
            try:
                result = original(client, cast_to, seen.options, *args, **kwargs)
                refused = False
            except Exception as error:
                refused = seen.refused(error)
                if not refused:
                    raise
            if refused:  # out here, so that the first error is no part of a second one
                result = original(client, cast_to, seen.options, *args, **kwargs)
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
            try:
                result = await original(client, cast_to, seen.options, *args, **kwargs)
                refused = False
            except Exception as error:
                refused = seen.refused(error)
                if not refused:
                    raise
            if refused:
                result = await original(client, cast_to, seen.options, *args, **kwargs)
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
        self.refusing: set[tuple[str, str | None]] = set()
        """Hosts and their models that know no `stream_options`."""

    def begin(self, client: Any, options: Any) -> "_Seen | BatchLook | None":
        """Return what is to be told how the request went, None where nobody wants to know."""
        seen: _Seen | BatchLook | None = None
        if self.put_on.active:
            with self.capture.guard():
                if options.method.lower() == "post":
                    operation = operation_of(options.url)
                    if operation is not None:
                        seen = self._begin_call(client, options, operation)
                elif options.method.lower() == "get" and is_batch_look(options.url):
                    seen = BatchLook(self.batches, options, str(client.base_url))
        return seen

    def _begin_call(self, client: Any, options: Any, operation: str) -> "_Seen":
        address = options.url if "://" in options.url else str(client.base_url)
        body = options.json_data if isinstance(options.json_data, Mapping) else None
        provider = provider_of(address)
        host = host_of(address)
        model = body.get("model") if body else None
        if provider == "azure":
            model = deployment_of(address) or model  # which is ignored then
        model = model if isinstance(model, str) else None
        call = self.capture.begin(
            hook=self.hook,
            provider=provider,
            host=host,
            operation_type=operation,
            model_name=model,
            request=body,
            # Servers like to quote a key when they refuse it.
            secrets=keys_among(
                getattr(client, "api_key", None), getattr(client, "auth_token", None)
            ),
        )
        seen = _Seen(self, call, options, (host, model))
        if (
            seen.streamed
            and self.include_usage
            and provider in _USAGE_PROVIDERS
            and (host, model) not in self.refusing
            and options.url.partition("?")[0].endswith("/chat/completions")
        ):
            seen.ask_for_usage()
        return seen


class _Seen:
    """A model call on its way through `request`."""

    __slots__ = (
        "_call",
        "_noted",
        "_plain",
        "_retried",
        "_target",
        "_watch",
        "options",
        "streamed",
    )

    def __init__(
        self, watch: _Watch, call: CapturedCall, options: Any, target: tuple[str, str | None]
    ) -> None:
        self._watch = watch
        self._call = call
        self._target = target
        self._noted: Any | None = None  # the answer, as the application's parser is given it
        self._plain = self._noting(options)
        self.options = self._plain
        """The request, as it is to be made."""
        self._retried = False
        body = options.json_data
        self.streamed = isinstance(body, Mapping) and body.get("stream") is True

    def ask_for_usage(self) -> None:
        """Ask for the usage of a chat stream, where the application does not say whether to."""
        self.options = _asking_for_usage(self._plain)

    def refused(self, error: Exception) -> bool:
        """Say whether the server may have refused what was added; it is taken back then.

        Servers name the parameter in many ways, and SDKs show some of them: so whatever
        the reason was, the application gets the answer to its own request.
        """
        with self._watch.capture.guard():
            if self._asks and getattr(error, "status_code", None) in _REFUSALS:
                self.options = self._plain
                self._retried = True
                return True
        return False

    def failed(self, error: BaseException) -> None:
        """Hear that there is no answer, or none that the application's parser takes."""
        self._call.failed(error, answer=self._noted)

    def answered(self, result: Any, *, asynchronous: bool) -> None:
        """Hear the answer: parsed, or a response whose body is still to be read."""
        if isinstance(result, self._watch.parsed):
            self._call.answered(result)
            return
        with self._watch.capture.guard():
            if self._retried:
                self._watch.refusing.add(self._target)
            response = response_behind(result)
            if response is None:
                self._call.answered(_body_of(result))
            else:
                self._read(response, asynchronous=asynchronous)

    def _read(self, response: Any, *, asynchronous: bool) -> None:
        swallow = self._asks
        capture = self._watch.capture
        reader = reader_of(
            response.headers.get("content-type", ""),
            self._call,
            capture,
            streamed=self.streamed,
            swallow=swallow,
            timed=not response.is_closed,
        )
        if not response.is_closed:
            read_along(reader, capture, response, asynchronous=asynchronous, swallows=swallow)
            return
        # An event hook of the application's has read it all; it is read again from here.
        passing = reader.feed(response.content) + reader.rest()
        if swallow:
            response._content = passing  # noqa: SLF001 - httpx has no public way to another body
            vars(response).pop("_text", None)
        reader.ended(None, exhausted=True)

    @property
    def _asks(self) -> bool:
        return self.options is not self._plain

    def _noting(self, options: Any) -> Any:
        """Return the request with a parser that notes what the application's is given."""
        parser = getattr(options, "post_parser", None)
        if not callable(parser):
            return options

        def note(answer: Any) -> Any:
            self._noted = answer
            return parser(answer)

        noting = copy.copy(options)
        noting.post_parser = note
        return noting


def _body_of(result: Any) -> Mapping[str, Any]:
    """Return the body behind what the application wanted as text, or as nothing."""
    if not isinstance(result, str):
        return {}  # speech
    return parse(result.encode()) or {"text": result}  # as transcripts have it in JSON


def _asking_for_usage(options: Any) -> Any:
    """Return a copy of the request that asks for usage; the request where it says whether to."""
    stream_options = options.json_data.get("stream_options")
    extra = getattr(options, "extra_json", None) or {}
    if "stream_options" in extra:
        return options
    if not isinstance(stream_options, Mapping):
        stream_options = {}  # not given, in one of the SDKs' several ways
    elif "include_usage" in stream_options:
        return options
    asking = copy.copy(options)
    asking.json_data = {
        **options.json_data,
        "stream_options": {**stream_options, "include_usage": True},
    }
    return asking
