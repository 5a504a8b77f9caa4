"""google-genai: a wrap around the private methods that make one request each.

The public ``generate_content`` runs the application's functions for the model
and returns the last response alone; every request behind it has tokens and a
price of its own. So the private methods are wrapped, with one record for each.
The public methods of streams are wrapped too: they call the private ones only
when the first chunk is asked for, which may be somebody else's doing.

Not model calls, or without usage: count_tokens, lists, files, batches, videos.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from functools import partial
from types import ModuleType
from typing import Any, Final

import orjson

from tokenusage.capture.call import Capture, CapturedCall
from tokenusage.capture.clients.gemini import (
    Figures,
    base_url_of,
    embedded,
    generated,
    output,
    request_body,
)
from tokenusage.capture.clients.wraps import Method, Wraps
from tokenusage.capture.payload.fold import Fold
from tokenusage.capture.providers import host_of, provider_of
from tokenusage.context import async_steps_inside, current, entered, steps_inside
from tokenusage.write.redact import keys_among

NAME: Final = "google-genai"

STREAM: Final = "_generate_content_stream"
"""The method whose result is a stream of responses."""

PUBLIC_STREAM: Final = "generate_content_stream"
"""The method that applications call for it."""

CALLS: Final = {
    "_generate_content": "chat",
    "_embed_content": "embedding",
    "_generate_images": "image",
    "_edit_image": "image",
    "_upscale_image": "image",
}
"""The methods that return one response, and what kind of operation each is."""


def hook(module: ModuleType, capture: Capture) -> Callable[[], None]:
    """Wrap the methods of ``google.genai.models`` and return what takes the wraps off again."""
    put_on = Wraps(capture)
    for owner, one, many, public in (
        (module.Models, _called, _streamed, _stream_of_caller),
        (module.AsyncModels, _awaited, _async_streamed, _async_stream_of_caller),
    ):
        put_on.put(owner, PUBLIC_STREAM, public)
        put_on.put(owner, STREAM, partial(many, put_on, "chat"))
        for name, operation in CALLS.items():
            # Versions differ in what they do with images.
            if operation != "image" or name in vars(owner):
                put_on.put(owner, name, partial(one, put_on, operation))
    return put_on.take_off


def _called(put_on: Wraps, operation: str, original: Method) -> Method:
    def method(models: Any, **arguments: Any) -> Any:
        call = _begin(put_on, operation, models, arguments)
        try:
            response = original(models, **arguments)
        except BaseException as error:
            _fail(call, error)
            raise
        _answer(put_on.capture, call, operation, response)
        return response

    return method


def _awaited(put_on: Wraps, operation: str, original: Method) -> Method:
    async def method(models: Any, **arguments: Any) -> Any:
        call = _begin(put_on, operation, models, arguments)
        try:
            response = await original(models, **arguments)
        except BaseException as error:
            _fail(call, error)
            raise
        _answer(put_on.capture, call, operation, response)
        return response

    return method


def _streamed(put_on: Wraps, operation: str, original: Method) -> Method:
    # A generator, as the original is: the request is sent when the first chunk is asked for.
    def method(models: Any, **arguments: Any) -> Generator[Any, None, None]:
        reader = _Reader(put_on.capture, _begin(put_on, operation, models, arguments))
        try:
            for chunk in original(models, **arguments):
                reader.read(chunk)
                yield chunk
        except BaseException as error:
            reader.end(error)
            raise
        reader.end()

    return method


def _async_streamed(put_on: Wraps, operation: str, original: Method) -> Method:
    async def method(models: Any, **arguments: Any) -> AsyncGenerator[Any, None]:
        call = _begin(put_on, operation, models, arguments)
        try:
            stream = await original(models, **arguments)
        except BaseException as error:
            _fail(call, error)
            raise
        return _chunks(stream, _Reader(put_on.capture, call))

    return method


async def _chunks(stream: Any, reader: "_Reader") -> AsyncGenerator[Any, None]:
    try:
        async for chunk in stream:
            reader.read(chunk)
            yield chunk
    except BaseException as error:
        reader.end(error)
        raise
    reader.end()


def _stream_of_caller(original: Method) -> Method:
    def method(*args: Any, **arguments: Any) -> Generator[Any, None, None]:
        stream = original(*args, **arguments)
        return steps_inside(entered(current()), lambda: stream)()

    return method


def _async_stream_of_caller(original: Method) -> Method:
    async def method(*args: Any, **arguments: Any) -> AsyncGenerator[Any, None]:
        scope = entered(current())
        stream = await original(*args, **arguments)
        return async_steps_inside(scope, lambda: stream)()

    return method


class _Reader:
    """Reads along on a stream."""

    __slots__ = ("_begun", "_call", "_capture", "_figures", "_fold")

    def __init__(self, capture: Capture, call: CapturedCall | None) -> None:
        self._capture = capture
        self._call = call
        self._begun = False
        self._fold = Fold()
        self._figures = Figures()

    def read(self, chunk: Any) -> None:
        self._begun = True
        if self._call is not None:
            with self._capture.guard():
                self._figures.update(chunk)
                self._fold.add(output(chunk))

    def end(self, error: BaseException | None = None) -> None:
        if self._call is None:
            return
        # The application has left: that is no failure.
        failure = None if isinstance(error, GeneratorExit) else error
        if failure is not None and not self._begun:
            self._call.failed(failure)  # there was no stream, and nothing is charged
            return
        with self._capture.guard():
            self._fold.add(self._figures.body())
        self._call.stream_ended(self._fold, failure)


def _begin(
    put_on: Wraps, operation: str, models: Any, arguments: Mapping[str, Any]
) -> CapturedCall | None:
    if not put_on.active:
        return None
    capture = put_on.capture
    with capture.guard():
        client = models._api_client  # noqa: SLF001 - no public name leads to the address
        base_url = base_url_of(arguments) or str(client._http_options.base_url)  # noqa: SLF001 - as above
        return capture.begin(
            hook=NAME,
            provider=provider_of(base_url),
            host=host_of(base_url),
            operation_type=operation,
            # Paths as well, such as publishers/google/models/gemini-2.5-flash.
            model_name=arguments["model"].rpartition("models/")[2],
            request=request_body(arguments),
            secrets=keys_among(getattr(client, "api_key", None)),
        )
    return None


def _answer(capture: Capture, call: CapturedCall | None, operation: str, response: Any) -> None:
    if call is None:
        return
    with capture.guard():
        call.answered(_body(operation, response))


def _body(operation: str, response: Any) -> dict[str, Any]:
    http = response.sdk_http_response
    if http is not None and http.body:  # the application has asked for the bare HTTP response
        body: dict[str, Any] = orjson.loads(http.body)
        return body
    if operation == "chat":
        return generated(response)
    # Imagen counts no tokens, and its images are megabytes.
    return embedded(response) if operation == "embedding" else {}


def _fail(call: CapturedCall | None, error: BaseException) -> None:
    if call is not None:
        call.failed(error)
