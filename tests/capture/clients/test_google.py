import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from googles import httpx_of_genai
from replaying import Replay, Reply, Request

from tokenusage.capture.call import Capture
from tokenusage.capture.clients.google import CALLS, PUBLIC_STREAM, STREAM, hook
from tokenusage.context import track

genai = pytest.importorskip("google.genai")
models = pytest.importorskip("google.genai.models")
types = pytest.importorskip("google.genai.types")

Logged = Callable[[], list[dict[str, Any]]]

ANSWER = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": "In Paris."}]}, "finishReason": "STOP"}
    ],
    "usageMetadata": {
        "promptTokenCount": 100,
        "candidatesTokenCount": 10,
        "thoughtsTokenCount": 7,
        "toolUsePromptTokenCount": 5,
        "cachedContentTokenCount": 40,
        "totalTokenCount": 122,
    },
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r-1",
}
TOOL_CALL = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [{"functionCall": {"name": "weather", "args": {"city": "Paris"}}}],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {"promptTokenCount": 50, "candidatesTokenCount": 4, "totalTokenCount": 54},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r-0",
}


@pytest.mark.usefixtures("google_hooked")
def test_answer_is_recorded_with_inclusive_tokens(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """Thoughts count as completion, tool use as prompt, and caches stay inside the prompt."""
    replay.answer(Reply(body=ANSWER))
    response = gemini.models.generate_content(model="gemini-2.5-flash", contents="Where am I?")
    assert response.text == "In Paris."
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (105, 17)
    assert (record["cache_read_tokens"], record["reasoning_tokens"]) == (40, 7)
    assert (record["model_name"], record["response_id"]) == ("gemini-2.5-flash", "r-1")
    assert (record["operation_type"], record["query"]) == ("chat", "Where am I?")
    assert record["usage_source"] == "provider"


@pytest.mark.usefixtures("google_hooked")
def test_async_answer_is_recorded(replay: Replay, gemini: Any, logged: Logged) -> None:
    """The async method is captured, in the scope of the task that makes the call."""
    replay.answer(Reply(body=ANSWER))
    httpx = httpx_of_genai(gemini)

    async def ask() -> None:
        async with httpx.AsyncClient() as http:
            options = types.HttpOptions(base_url=replay.url, httpx_async_client=http)
            client = genai.Client(api_key="k", http_options=options)
            with track(user_id="ann", operation_type="rag_answer"):
                await client.aio.models.generate_content(model="gemini-2.5-flash", contents="Hi")

    asyncio.run(ask())
    (record,) = logged()
    assert (record["user_id"], record["operation_type"]) == ("ann", "rag_answer")
    assert record["total_tokens"] == 122


@pytest.mark.usefixtures("google_hooked")
def test_every_request_of_automatic_function_calling_is_a_record(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """The answer that asks for a function costs as well as the one that follows."""
    replay.answer(Reply(body=TOOL_CALL), Reply(body=ANSWER))

    def weather(city: str) -> str:
        """Return the weather."""
        return f"Sunny in {city}"

    config = types.GenerateContentConfig(tools=[weather])
    gemini.models.generate_content(model="gemini-2.5-flash", contents="Sun?", config=config)
    assert [record["total_tokens"] for record in logged()] == [54, 122]


@pytest.mark.usefixtures("google_hooked")
def test_chats_pass_through_models(replay: Replay, gemini: Any, logged: Logged) -> None:
    """A message of a chat is one record, its query the last message."""
    replay.answer(Reply(body=ANSWER))
    chat = gemini.chats.create(model="gemini-2.5-flash")
    chat.send_message("First?")
    chat.send_message("Second?")
    assert [record["query"] for record in logged()] == ["First?", "Second?"]


@pytest.mark.usefixtures("google_hooked")
def test_embeddings_without_usage_are_estimated(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """The Gemini API counts no tokens of embeddings: characters / 4 stand in, and are marked."""
    replay.answer(Reply(body={"embeddings": [{"values": [0.1] * 8}, {"values": [0.2] * 8}]}))
    gemini.models.embed_content(model="gemini-embedding-001", contents=["a" * 40, "b" * 40])
    (record,) = logged()
    assert (record["prompt_tokens"], record["completion_tokens"]) == (20, 0)
    assert (record["operation_type"], record["usage_source"]) == ("embedding", "estimated")
    assert record["model_name"] == "gemini-embedding-001"


@pytest.mark.usefixtures("google_hooked")
def test_provider_and_model_come_from_the_address_and_the_path(
    replay: Replay, gemini: Any, logged: Logged
) -> None:
    """Google's own address is Google, and what a model's path says before its name is dropped."""
    replay.answer(Reply(body={key: ANSWER[key] for key in ("candidates", "usageMetadata")}))
    with replay.client(httpx_of_genai(gemini)) as http:
        google = genai.Client(api_key="k", http_options=types.HttpOptions(httpx_client=http))
        google.models.generate_content(model="models/gemini-2.5-flash", contents="Hi")
    (record,) = logged()
    assert (record["provider"], record["model_name"]) == ("google", "gemini-2.5-flash")
    assert record["cost_estimate"] > 0


@pytest.mark.usefixtures("google_hooked")
@pytest.mark.parametrize("names", [("http_options", "base_url"), ("httpOptions", "baseUrl")])
def test_address_of_one_request_is_its_provider(
    names: tuple[str, str], replay: Replay, logged: Logged
) -> None:
    """A gateway that one request is sent to answers it, whatever the client's address."""
    replay.answer(Reply(body=ANSWER))
    config: Any = {names[0]: {names[1]: replay.url}}
    client = genai.Client(api_key="k")
    client.models.generate_content(model="gemini-2.5-flash", contents="Hi", config=config)
    (record,) = logged()
    assert record["provider"] == replay.url.removeprefix("http://")
    assert record["cost_estimate"] is None


@pytest.mark.usefixtures("google_hooked")
@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_error_is_raised_and_recorded(
    status: int, replay: Replay, gemini: Any, logged: Logged
) -> None:
    """An error of the API is a failed call without tokens, and reaches the application as it is."""
    error = {"code": status, "message": "No.", "status": "FAILED"}
    replay.answer(Reply(status, body={"error": error}))
    with pytest.raises(genai.errors.APIError) as caught:
        gemini.models.generate_content(model="gemini-2.5-flash", contents="Hi")
    assert caught.value.code == status
    (record,) = logged()
    assert (record["success"], record["total_tokens"]) == (False, 0)
    assert str(status) in record["error_message"]


@pytest.mark.usefixtures("google_hooked")
def test_retries_are_one_record(replay: Replay, logged: Logged) -> None:
    """The SDK's own retries are inside of a call, and so is their time."""
    retry = types.HttpRetryOptions(attempts=3, initial_delay=0.05, jitter=0)
    options = types.HttpOptions(base_url=replay.url, retry_options=retry)
    replay.answer(Reply(429), Reply(503), Reply(body=ANSWER))
    client = genai.Client(api_key="k", http_options=options)
    client.models.generate_content(model="gemini-2.5-flash", contents="Hi")
    (record,) = logged()
    assert len(replay.requests) == 3
    assert record["success"]
    assert record["response_time"] > 0.1


@pytest.mark.usefixtures("google_hooked")
def test_what_is_no_model_call_is_no_record(replay: Replay, gemini: Any, logged: Logged) -> None:
    """Counting tokens is free."""
    replay.answer(Reply(body={"totalTokens": 3}))
    gemini.models.count_tokens(model="gemini-2.5-flash", contents="Hi")
    assert logged() == []


@pytest.mark.usefixtures("google_hooked")
def test_bare_http_response_is_read(replay: Replay, gemini: Any, logged: Logged) -> None:
    """An application that asks for the bare HTTP response is charged all the same."""
    replay.answer(Reply(body=ANSWER))
    config = types.GenerateContentConfig(should_return_http_response=True)
    gemini.models.generate_content(model="gemini-2.5-flash", contents="Hi", config=config)
    assert logged()[0]["total_tokens"] == 122


@pytest.mark.usefixtures("google_hooked")
def test_images_are_recorded_without_being_read(replay: Replay, logged: Logged) -> None:
    """Imagen reports no tokens: its prompt is estimated, its images are nobody's tokens."""
    replay.answer(Reply(body={"predictions": [{"bytesBase64Encoded": "QUJD" * 100}]}))
    client = vertex(replay)
    client.models._generate_images(model="imagen-4.0-generate-001", prompt="a red fox")
    (record,) = logged()
    assert (record["operation_type"], record["usage_source"]) == ("image", "estimated")
    assert (record["prompt_tokens"], record["query"]) == (3, "a red fox")


@pytest.mark.usefixtures("google_hooked")
def test_vertex_counts_the_tokens_of_each_text(replay: Replay, logged: Logged) -> None:
    """Vertex AI's embeddings carry their tokens, one count a text."""
    statistics = [{"statistics": {"token_count": n, "truncated": False}} for n in (4, 5)]
    embeddings = [{"embeddings": {"values": [0.1], **one}} for one in statistics]
    replay.answer(Reply(body={"predictions": embeddings}))
    client = vertex(replay)
    client.models.embed_content(model="text-embedding-005", contents=["one", "two"])
    (record,) = logged()
    assert (record["prompt_tokens"], record["usage_source"]) == (9, "provider")


def vertex(replay: Replay) -> Any:
    """Return a client of Vertex AI that needs no credentials."""
    from google.oauth2.credentials import Credentials

    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=Credentials(token="token"),  # type: ignore[no-untyped-call]  # theirs
        http_options=types.HttpOptions(base_url=replay.url),
    )


def test_application_sees_what_it_would_have_seen(
    replay: Replay, gemini: Any, capture: Capture
) -> None:
    """Request and response are the same with the hook and without."""
    replay.answer(Reply(body=ANSWER))
    config = {"system_instruction": "Be brief.", "temperature": 0.5}

    def ask() -> tuple[Any, Request]:
        response = gemini.models.generate_content(
            model="gemini-2.5-flash", contents=["Where?", types.Part(text="Here?")], config=config
        )
        return response.model_dump(exclude={"sdk_http_response"}), replay.requests[-1]

    plain_response, plain_request = ask()
    unhook = hook(models, capture)
    response, request = ask()
    unhook()
    assert response == plain_response
    assert (request.path, request.body) == (plain_request.path, plain_request.body)


def test_unhooking_restores_the_very_same_methods(capture: Capture) -> None:
    """Nothing of the hook stays behind."""
    before = {owner: dict(vars(owner)) for owner in (models.Models, models.AsyncModels)}
    unhook = hook(models, capture)
    assert (
        vars(models.Models)["_generate_content"] is not before[models.Models]["_generate_content"]
    )
    unhook()
    for owner, attributes in before.items():
        assert all(vars(owner)[name] is one for name, one in attributes.items())


@pytest.mark.parametrize("owner", ["Models", "AsyncModels"])
@pytest.mark.parametrize("name", [*CALLS, STREAM, PUBLIC_STREAM])
def test_installed_version_has_what_is_hooked(owner: str, name: str) -> None:
    """The private methods exist, and take what is read of them by keyword."""
    method = getattr(getattr(models, owner), name)
    parameters = inspect.signature(method).parameters
    prompt = "contents" if "content" in name else "prompt"
    for parameter in ("model", "config") if name == "_upscale_image" else ("model", prompt):
        assert parameters[parameter].kind is inspect.Parameter.KEYWORD_ONLY
    assert inspect.iscoroutinefunction(method) == (owner == "AsyncModels")
    assert inspect.isgeneratorfunction(method) == (owner == "Models" and "stream" in name)


def test_installed_version_says_its_address(gemini: Any, replay: Replay) -> None:
    """The provider is told by the client's base URL, which has no public name."""
    assert gemini.models._api_client._http_options.base_url.startswith(replay.url)


def test_failure_of_the_hook_does_not_reach_the_application(
    replay: Replay, gemini: Any, capture: Capture, logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be read is no record, and the call goes through."""
    unhook = hook(models, capture)
    replay.answer(Reply(body=ANSWER))
    monkeypatch.setattr(capture, "begin", None)  # a hook that is broken
    response = gemini.models.generate_content(model="gemini-2.5-flash", contents="Hi")
    unhook()
    assert response.text == "In Paris."
    assert logged() == []
