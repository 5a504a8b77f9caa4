"""What a request's body says of the prompt."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.capture.payload.request import prompt_characters, query_of

PICTURE = "data:image/png;base64," + "A" * 5000
CASES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"messages": [{"role": "system", "content": "abc"}, {"role": "user", "content": "hello"}]},
     8, "hello"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": "see"},
      {"type": "image_url", "image_url": {"url": PICTURE}},
      {"type": "input_audio", "input_audio": {"data": "A" * 900, "format": "wav"}},
      {"type": "file", "file": {"file_data": "A" * 900}}]}]}, 3, "see"),
    ({"system": [{"type": "text", "text": "be"}], "messages": [
      {"role": "user", "content": [{"type": "text", "text": "first"}]},
      {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "input": {"q": 1}}]},
      {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1",
                                    "content": "found"}]}]},
     2 + 5 + 7 + 5, "first"),
    ({"messages": [{"role": "user", "content": [{"type": "image", "source": {
      "type": "base64", "data": "A" * 900}}, {"type": "text", "text": "what?"}]}]}, 5, "what?"),
    ({"instructions": "be", "input": "hello"}, 7, "hello"),
    ({"input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"},
      {"type": "input_image", "image_url": PICTURE}]},
      {"type": "function_call_output", "call_id": "1", "output": "done"}]}, 6, "hi"),
    ({"systemInstruction": {"parts": [{"text": "be"}]}, "contents": [
      {"parts": [{"text": "hello"}, {"inlineData": {"mimeType": "image/png", "data": "A" * 99}}]},
      {"role": "model", "parts": [{"text": "yes"}]}]}, 10, "hello"),
    ({"contents": "hello"}, 5, "hello"),
    ({"input": ["one", "three"]}, 8, "one"),
    ({"input": [1, 2, 3]}, 12, None),
    ({"input": [[1, 2], [3]]}, 12, None),
    ({"input": [PICTURE, "ab"]}, 2, None),
    ({"prompt": "draw"}, 4, "draw"),
    ({"texts": ["one", "two"], "input_type": "search_query"}, 6, "one"),
    ({"query": "who", "documents": ["a", {"text": "bc"}]}, 6, "who"),
    ({"requests": [{"content": {"parts": [{"text": "hi"}]}}]}, 2, "hi"),
    ({"instances": [{"content": "hi", "task_type": "x"}]}, 2, "hi"),
    ({"messages": []}, 0, None),
    ({}, 0, None),
]  # fmt: skip


@pytest.mark.parametrize(("request_body", "characters", "query"), CASES)
def test_text_counts_and_media_do_not(
    request_body: dict[str, Any], characters: int, query: str | None
) -> None:
    """Messages, tool calls and inputs are text; the query is what the user said last."""
    assert prompt_characters(request_body) == characters
    assert query_of(request_body) == query


def test_no_request_has_no_prompt() -> None:
    """A hook may not know the request."""
    assert (prompt_characters(None), query_of(None)) == (0, None)


JUNK = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["role", "content", "parts", "text", "input"]), inner)
    ),
    max_leaves=20,
)


@given(
    st.dictionaries(
        st.sampled_from(["messages", "input", "contents", "prompt", "texts", "requests"]), JUNK
    )
)
def test_hostile_request_raises_nothing(request_body: dict[str, Any]) -> None:
    """Whatever a request holds, the answers are a count and a text."""
    assert prompt_characters(request_body) >= 0
    assert query_of(request_body) is None or isinstance(query_of(request_body), str)
