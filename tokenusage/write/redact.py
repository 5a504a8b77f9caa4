"""Secrets in the messages of errors: SDKs and HTTP clients like to quote keys."""

import re
from typing import Final

MASK: Final = "[masked]"

MIN_KEY: Final = 8
"""The shortest key, in characters: masking a shorter one would maim words."""

_PATTERNS: Final = (
    # name=value, "name": "value", Authorization: Bearer value, API key provided: value:
    # the name is kept.
    re.compile(
        r"""(?ix) ( (?:api[-_ ]?key (?:[ ]\w+)? | authorization | (?:access|auth|refresh)[-_ ]?token
            | (?:client|api)[-_ ]?secret | secret[-_ ]?access[-_ ]?key | password | passwd
            )["']? \s* [:=] \s* ["']? (?:(?:bearer|basic)\s+)? )
            (?!\[masked\]) [^\s"'&,;)}\]]+"""
    ),
    re.compile(r"(?i)(\bbearer\s+)[\w.~+/=-]{6,}"),
    # https://user:password@host
    re.compile(r"(://)[^\s/:@]+:[^\s/@]+(?=@)"),
    # Keys that can be told by their looks: OpenAI, Anthropic, Stripe and others (sk-),
    # Google, AWS, GitHub, Hugging Face, Groq, xAI, Replicate, and JSON web tokens.
    re.compile(r"()\b(?:sk|rk|xai)[-_][\w*-]{6,}"),
    re.compile(r"()\b(?:AIza[\w-]{20,}|A[KS]IA[A-Z0-9]{12,})"),
    re.compile(r"()\b(?:gh[a-z]|hf|gsk|r8)_\w{10,}"),
    re.compile(r"()\beyJ[\w-]{6,}(?:\.[\w-]+)*"),
)


def mask_secrets(text: str) -> str:
    """Return `text` with everything that looks like a key or password masked."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return text


def keys_among(*values: object) -> tuple[str, ...]:
    """Return those of a client's values that are keys, whatever they look like."""
    return tuple(value for value in values if isinstance(value, str) and len(value) >= MIN_KEY)
