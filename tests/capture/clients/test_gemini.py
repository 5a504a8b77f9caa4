from typing import Any

import pytest

from tokenusage.capture.clients.gemini import generated, request_body

types = pytest.importorskip("google.genai.types")


@pytest.mark.parametrize(
    ("contents", "texts"),
    [
        ("Hi", ["Hi"]),
        (["Hi", "there"], ["Hi", "there"]),
        (types.Part(text="Hi"), ["Hi"]),
        (types.Content(role="user", parts=[types.Part(text="Hi")]), ["Hi"]),
        ([{"role": "user", "parts": [{"text": "Hi"}, {"inline_data": {"data": b"x"}}]}], ["Hi"]),
        ([["Hi", types.Part(text="there")]], ["Hi", "there"]),
        (types.Part.from_bytes(data=b"x" * 1000, mime_type="image/png"), []),
    ],
)
def test_request_is_its_text(contents: Any, texts: list[str]) -> None:
    """Of all the forms in which the SDK takes contents the text is read, never the media."""
    body = request_body({"contents": contents})
    parts = [part for content in body["contents"] for part in content["parts"]]
    assert parts == [{"text": text} for text in texts]


def answer(**more: Any) -> Any:
    """Return a response whose answer is "Hi"."""
    candidate = {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP", **more}
    return types.GenerateContentResponse.model_validate({"candidates": [candidate]})


def test_answer_is_read_where_usage_is_missing() -> None:
    """Its characters are what the tokens are estimated from."""
    body = generated(answer())
    assert body["candidates"] == [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}]


def test_answer_is_left_out_where_usage_is_there() -> None:
    """It costs time, and may hold images."""
    response = answer()
    usage = {"promptTokenCount": 3, "totalTokenCount": 4}
    response.usage_metadata = types.GenerateContentResponseUsageMetadata.model_validate(usage)
    assert generated(response) == {"usageMetadata": usage}


def test_searches_of_an_answer_are_kept() -> None:
    """They have a price of their own."""
    body = generated(answer(groundingMetadata={"webSearchQueries": ["paris"]}))
    assert body["candidates"][0]["groundingMetadata"] == {"webSearchQueries": ["paris"]}


def test_function_call_is_output() -> None:
    """Its name and arguments are what the model has written."""
    call = {"name": "weather", "args": {"city": "Paris"}}
    body = generated(answer(content={"parts": [{"functionCall": call}]}))
    assert body["candidates"][0]["content"]["parts"] == [{"functionCall": call}]
