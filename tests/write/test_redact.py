import time

import pytest

from tokenusage.write.redact import keys_among, mask_secrets


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        ("Incorrect API key provided: sk-proj-abcdef123456.", "abcdef123456"),
        ("Incorrect API key provided: 0123456789abcdef.", "0123456789abcdef"),
        ("invalid x-api-key sk-ant-api03-AAAA_bbbb-cccc", "AAAA_bbbb"),
        ("401: Authorization: Bearer eyJhbGciOi.eyJzdWIi.c2ln", "eyJhbGciOi"),
        ("headers={'authorization': 'Bearer abc123def456'}", "abc123def456"),
        ('{"api_key": "0123456789abcdef"}', "0123456789abcdef"),
        ("GET /v1?api-key=0123abcd&x=1 failed", "0123abcd"),
        ("AzureError: access_token = qwertzuiop", "qwertzuiop"),
        ("https://me:hunter2secret@proxy:3128 refused", "hunter2secret"),
        ("key AIzaSyA1234567890abcdefghijklmnop is blocked", "AIzaSyA1234567890"),
        ("AKIAIOSFODNN7EXAMPLE may not", "AKIAIOSFODNN7EXAMPLE"),
        ("gsk_abcdefghijkl123456 expired", "abcdefghijkl"),
    ],
)
def test_keys_in_messages_are_masked(message: str, secret: str) -> None:
    """SDKs quote keys in their errors; logs outlive keys."""
    masked = mask_secrets(message)

    assert secret not in masked
    assert "[masked]" in masked


@pytest.mark.parametrize(
    "message",
    [
        "ValueError: boom",
        "RateLimitError: 429, try again in 20s, risk-free",
        "TimeoutError: https://api.openai.com:443/v1/chat timed out",
        "max tokens: 4096, prompt tokens: 5000",
    ],
)
def test_other_messages_stay_as_they_are(message: str) -> None:
    """A message that holds no secret can be searched for word by word."""
    assert mask_secrets(message) == message


def test_what_is_masked_stays_masked() -> None:
    """A message that passes twice, as a client's own key is masked before, is the same."""
    masked = mask_secrets('API key provided: abcdef0123. {"api_key": "abcdef0123"}')

    assert masked == 'API key provided: [masked] {"api_key": "[masked]"}'
    assert mask_secrets(masked) == masked


def test_masking_takes_time_in_proportion_to_the_length() -> None:
    """A provider's answer of 400 kB in an error message doesn't stop the application."""
    started = time.perf_counter()
    mask_secrets("-eyJaaaaaa" * 40_000)

    assert time.perf_counter() - started < 1  # quadratic, it took half a minute


def test_keys_among_values_are_texts_of_some_length() -> None:
    """A local server's key "none" is a word, and a key may come from a function."""
    key = "0123456789abcdef"
    assert keys_among(key, None, "none", lambda: key) == (key,)
