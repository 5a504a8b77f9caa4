"""A captured call from its beginning to its record."""

from collections import UserDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from calling import begin

from tokenusage.capture.call import Capture
from tokenusage.context import track
from tokenusage.write.call import MAX_MESSAGE

Logged = Callable[[], list[dict[str, Any]]]

ANSWER = {"model": "gpt-4o-mini", "usage": {"prompt_tokens": 20, "completion_tokens": 7}}


class RefusedError(Exception):
    """An SDK's exception, with the HTTP status that it carries."""

    def __init__(self, message: str, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code


def refuse(error: RefusedError) -> None:
    raise error


def test_only_the_first_end_counts(capture: Capture, logged: Logged) -> None:
    """A stream that is closed after it failed has failed."""
    call = begin(capture)
    call.failed(RefusedError("too many", 429))
    call.answered(ANSWER)
    (record,) = logged()
    assert (record["success"], record["total_tokens"], record["cost_estimate"]) == (False, 0, 0)


@pytest.mark.parametrize("error", [RefusedError("timed out"), RefusedError("gateway", 504)])
def test_unanswered_call_has_no_known_cost(
    capture: Capture, logged: Logged, error: RefusedError
) -> None:
    """Without an answer nobody knows what the provider charges: never $0."""
    begin(capture).failed(error)
    (record,) = logged()
    assert (record["usage_source"], record["cost_estimate"]) == ("partial", None)


def test_failure_within_the_handling_of_another_is_recorded(
    capture: Capture, logged: Logged
) -> None:
    """A fallback that fails is a call of its own, though the first failure is in its chain."""
    first, second = RefusedError("first", 429), RefusedError("second", 500)
    second.__context__ = first
    begin(capture, hook="openai").failed(first)
    with suppress(RefusedError):
        try:
            refuse(first)
        except RefusedError:
            begin(capture, hook="anthropic").failed(second)
            raise
    assert [record["error_message"] for record in logged()] == [
        "RefusedError: first",
        "RefusedError: second",
    ]


def test_failure_with_an_answer_behind_it_has_its_tokens(capture: Capture, logged: Logged) -> None:
    """An answer that the application's parser refuses was billed all the same."""
    begin(capture).failed(RefusedError("no such field"), answer=ANSWER)
    (record,) = logged()
    assert (record["success"], record["total_tokens"]) == (False, 27)
    assert record["usage_source"] == "provider"


def test_keys_of_the_client_are_masked(capture: Capture, logged: Logged) -> None:
    """A key may look like anything: the hook says what it is."""
    call = begin(capture, secrets=("0123456789abcdef",))
    call.failed(RefusedError("Incorrect: 0123456789abcdef.", 401))
    assert logged()[0]["error_message"] == "RefusedError: Incorrect: [masked]."


def test_call_belongs_to_whoever_began_it(capture: Capture, logged: Logged) -> None:
    """Wherever it ends; what is asked there is not its question either."""
    messages = [{"role": "user", "content": "first"}]
    with track(user_id=1):
        call = begin(capture, request={"messages": messages})
    messages.append({"role": "user", "content": "later"})
    with track(user_id=2, session_id="s"):
        call.answered(ANSWER)
    (record,) = logged()
    assert (record["user_id"], record["query"], "session_id" in record) == (1, "first", False)


def test_failure_of_ours_counts_as_a_dropped_record(capture: Capture, logged: Logged) -> None:
    """The application's call goes on, and the next record says what is missing."""
    begin(capture).answered({**ANSWER, "model": 5, "usage": None}, items=-1)
    begin(capture).answered(ANSWER)
    (record,) = logged()
    assert record["dropped"] == 1


def test_provider_of_the_scope_reads_the_usage(capture: Capture, logged: Logged) -> None:
    """Behind a gateway the application knows who sells; LiteLLM's figures are its own."""
    usage = {
        "prompt_tokens": 33,
        "completion_tokens": 7,
        "completion_tokens_details": {"reasoning_tokens": 5},
        "cost": 0.5,
    }
    with track(provider="OpenRouter"):
        begin(capture, provider="gw.example.com").answered({"usage": usage})
    with track(provider="x-ai"):
        begin(capture, provider="gw.example.com").answered({"usage": usage})
        begin(capture, provider="litellm").answered({"usage": usage})
    records = logged()
    assert [record["provider"] for record in records] == ["OpenRouter", "x-ai", "x-ai"]
    assert [record["completion_tokens"] for record in records] == [7, 12, 7]
    assert records[0]["cost_estimate"] == 0.5


class Unread(UserDict[str, Any]):
    """Text of an answer that nobody has to look at."""

    def items(self) -> Any:
        """Refuse to be read."""
        raise AssertionError


@dataclass
class Answer:
    """An SDK's object of a Responses answer."""

    output: list[Any]
    usage: dict[str, Any]
    model: str = "gpt-5"


def test_answer_s_text_is_left_alone_where_usage_is_reported(
    capture: Capture, logged: Logged
) -> None:
    """Of the output only the kinds of its items say something of the cost."""
    output = [SimpleNamespace(type="web_search_call"), Unread(type="message")]
    begin(capture).answered(Answer(output, {"input_tokens": 3, "output_tokens": 2}))
    (record,) = logged()
    assert (record["total_tokens"], record["usage"]) == (5, {"web_searches": 1})


def test_text_is_counted_where_the_usage_can_t_be_read(capture: Capture, logged: Logged) -> None:
    """An SDK's object is read again, and whole."""
    output = [{"content": [{"text": "x" * 40}]}]
    begin(capture).answered(Answer(output, {"input_tokens": 3, "output_tokens": "many"}))
    (record,) = logged()
    assert (record["completion_tokens"], record["usage_source"]) == (10, "partial")


def test_key_at_the_end_of_a_long_message_is_masked_whole(capture: Capture, logged: Logged) -> None:
    """A message is cut behind the masking, else half a key would be left."""
    call = begin(capture, secrets=("0123456789abcdef",))
    call.failed(RefusedError("x" * (MAX_MESSAGE - 25) + "0123456789abcdef", 401))
    assert "0123" not in logged()[0]["error_message"]
