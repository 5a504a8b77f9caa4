"""Bodies and streams in the shapes that OpenAI and Anthropic document."""

from typing import Any

from replaying import Reply, Request, sse

CHAT_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 2, "audio_tokens": 0},
}

CHAT: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": CHAT_USAGE,
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_790_000_000,
    "status": "completed",
    "model": "gpt-5-mini-2025-08-07",
    "output": [
        {
            "type": "message",
            "id": "msg_1",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 30,
        "input_tokens_details": {"cached_tokens": 10},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 39,
    },
}

EMBEDDING: dict[str, Any] = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}],
    "model": "text-embedding-3-small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}

MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5-20250929",
    "content": [{"type": "text", "text": "Hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 10,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 5,
        "output_tokens": 7,
        "service_tier": "standard",
    },
}

MESSAGE_EVENTS: tuple[dict[str, Any], ...] = (
    {
        "type": "message_start",
        "message": MESSAGE
        | {"content": [], "stop_reason": None, "usage": MESSAGE["usage"] | {"output_tokens": 1}},
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
)

MESSAGES = [{"role": "user", "content": "Hi there"}]


def chunk(content: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a chunk of a chat stream; without content, the one that ends it."""
    delta = {} if content is None else {"content": content}
    reason = "stop" if content is None else None
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}],
    } | more


def chat_stream(request: Request) -> Reply:
    """Answer as OpenAI does: with usage where it was asked for."""
    options = request.json().get("stream_options") or {}
    chunks = [chunk("Hel"), chunk("lö"), chunk()]
    if options.get("include_usage"):
        chunks = [one | {"usage": None} for one in chunks]
        chunks.append(chunk(choices=[], usage=CHAT_USAGE))
    return Reply(pieces=sse(*chunks, "[DONE]"))


def error(message: str) -> dict[str, Any]:
    """Return an error's body."""
    return {"error": {"message": message, "type": "invalid_request_error", "code": None}}
