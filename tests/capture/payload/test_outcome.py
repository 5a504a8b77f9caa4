"""Failures that a response reports itself."""

from typing import Any

import pytest

from tokenusage.capture.payload.fields import fields_of

USAGE = {"input_tokens": 5, "output_tokens": 1}
REQUEST = {"input": "x" * 40}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "No.", "type": "invalid", "code": None}}, "invalid: No."),
        ({"error": {"code": 429, "message": "Slow down."}, "choices": []}, "429: Slow down."),
        ({"type": "error", "error": {"type": "overloaded_error"}}, "overloaded_error"),
        ({"error": "model not found"}, "model not found"),
    ],
)
def test_error_is_no_success_and_has_used_nothing(body: dict[str, Any], message: str) -> None:
    """As a call that an SDK raises for."""
    fields = fields_of(body, provider=None, request=REQUEST)
    assert (fields["success"], fields["error_message"]) == (False, message)
    assert (fields["prompt_tokens"], "usage_source" in fields) == (0, False)


@pytest.mark.parametrize(
    ("body", "message", "prompt"),
    [
        ({"status": "failed", "error": {"code": "server_error", "message": "x"}, "usage": USAGE},
         "server_error: x", 5),
        ({"status": "failed", "error": {"code": "server_error", "message": "x"}},
         "server_error: x", 10),
        ({"status": "cancelled", "error": None, "output": []}, "cancelled", 10),
        ({"type": "response.failed", "response": {"model": "m", "status": "failed"}}, "failed", 10),
    ],
)  # fmt: skip
def test_response_that_was_broken_off_has_used_its_tokens(
    body: dict[str, Any], message: str, prompt: int
) -> None:
    """It has failed, and its prompt was read."""
    fields = fields_of(body, provider="openai", request=REQUEST)
    assert (fields["success"], fields["error_message"]) == (False, message)
    assert fields["prompt_tokens"] == prompt


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_response_that_is_being_made_is_partial(status: str) -> None:
    """Its figures are not the last ones."""
    fields = fields_of({"status": status, "output": []}, provider="openai", request=REQUEST)
    assert ("success" in fields, fields["usage_source"]) == (False, "partial")


@pytest.mark.parametrize(
    "body",
    [
        {"status": "completed", "error": None, "usage": USAGE},
        {"status": ["failed"], "usage": USAGE},
        {"error": {"message": "x"}, "choices": [{"message": {"content": "Hi"}}]},
        {"object": "batch", "status": "cancelled", "usage": USAGE},
    ],
)
def test_answer_is_a_success(body: dict[str, Any]) -> None:
    """Whatever else it says; what a cancelled batch has done is charged."""
    assert "success" not in fields_of(body, provider="openai")
