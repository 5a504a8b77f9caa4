"""Which requests are model calls."""

import pytest

from tokenusage.capture.clients.endpoints import (
    batch_of,
    batch_results_of,
    deployment_of,
    operation_of,
)


@pytest.mark.parametrize(
    ("url", "operation"),
    [
        ("/chat/completions", "chat"),
        ("/openai/deployments/ours/chat/completions?api-version=2024-10-21", "chat"),
        ("https://gateway.example/v1/acme/openai/chat/completions", "chat"),
        ("/completions", "completion"),
        ("/responses", "chat"),
        ("/responses/compact", "chat"),
        ("/embeddings", "embedding"),
        ("/images/edits", "image"),
        ("/audio/transcriptions", "audio"),
        ("/v1/messages", "chat"),
        ("/v1/messages?beta=true", "chat"),
        ("/v1/complete", "completion"),
    ],
)
def test_model_calls_are_told_by_their_path(url: str, operation: str) -> None:
    """Prefixes, queries and whole addresses change nothing."""
    assert operation_of(url) == operation


@pytest.mark.parametrize(
    "url",
    [
        "/v1/messages/count_tokens",
        "/v1/messages/batches",
        "/responses/resp_1/cancel",
        "/responses/input_tokens",
        "/chat/completions/chatcmpl-1",
        "/batches",
        "/files",
        "/moderations",
        "/threads/thread_1/messages",
        "/threads/thread_1/runs",
        "/fine_tuning/jobs",
        "/my_embeddings",
    ],
)
def test_other_posts_are_none(url: str) -> None:
    """What costs nothing, or is paid elsewhere, is no model call."""
    assert operation_of(url) is None


def test_looks_at_batches_are_told_by_their_path() -> None:
    """A batch's state and its results; lists and cancellations are neither."""
    assert batch_of("/batches/batch_1") == "batch_1"
    assert batch_of("/v1/messages/batches/msgbatch_1?beta=true") == "msgbatch_1"
    assert batch_of("/batches") is None
    results = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results"
    assert batch_of(results) is None
    assert batch_results_of(results) == "msgbatch_1"
    assert batch_results_of("/v1/messages/batches/msgbatch_1") is None


def test_azure_deployment_is_told_by_the_address() -> None:
    """A deployment's address decides the model, and says it."""
    address = "https://ours.openai.azure.com/openai/deployments/our%20own/"
    assert deployment_of(address) == "our own"
    assert deployment_of("https://api.openai.com/v1/") is None
