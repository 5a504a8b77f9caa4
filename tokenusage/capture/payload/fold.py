"""A streamed response, gathered event by event into the shape of the unstreamed one."""

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, ClassVar, Final

from tokenusage.capture.payload.text import characters
from tokenusage.capture.payload.tools import queries_of

_HEAD: Final = (
    "id",
    "model",
    "object",
    "type",
    "provider",
    "service_tier",
    "modelVersion",
    "responseId",
    "serviceTier",
)
"""What is kept of the events besides usage: an answer's name, not the answer."""

_LAST_RESPONSE_EVENTS: Final = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
        "response.done",  # of a realtime session
    }
)

_BASE64_DELTAS: Final = frozenset(
    {"response.audio.delta", "response.output_audio.delta", "speech.audio.delta"}
)


class Fold:
    """Gathers the events of one streamed response.

    Takes the parsed JSON of the events as they come, of any API: OpenAI chat,
    completions, Responses, images and audio, Anthropic, Gemini, Bedrock Converse,
    Cohere, Cloudflare and Ollama, and of one answer in a realtime or live session.
    Holds only names and figures, and what was searched, never the answer's text, except
    that of OpenAI's Responses, whose last event is the whole response.
    """

    __slots__ = (
        "_head",
        "_queries",
        "_usage",
        "_usage_key",
        "ended",
        "first_output",
        "output_characters",
    )

    def __init__(self) -> None:
        self.output_characters = 0
        """Characters of text, reasoning and tool calls so far."""
        self.first_output: float | None = None
        """`time.perf_counter()` at the first event that carried output."""
        self.ended = False
        """Whether an event has said that the answer is over."""
        self._head: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._usage_key = "usage"
        self._queries: dict[str, None] = {}  # in their order

    def add(self, event: Mapping[str, Any]) -> None:
        """Take the next event; what is no event of a known API changes nothing."""
        if not isinstance(event, dict):
            return
        choices = event.get("choices")
        if isinstance(choices, list):
            self._add_chat(event, choices)
            return
        kind = event.get("type")
        if kind.__class__ is str:
            handler = self._TYPED.get(kind)
            if handler is not None:
                handler(self, event)
            else:
                self._add_openai(event, kind)
        elif "candidates" in event or "usageMetadata" in event or "serverContent" in event:
            self._add_gemini(event)
        else:
            self._add_untyped(event)

    def response(self) -> dict[str, Any]:
        """Return what is known of the response so far, in the shape of the unstreamed one."""
        response = dict(self._head)
        if self._usage:
            response[self._usage_key] = dict(self._usage)
        if self._queries:
            searched = {"webSearchQueries": list(self._queries)}
            response["candidates"] = [{"groundingMetadata": searched}]
        return response

    def _output(self, size: int) -> None:
        if self.first_output is None:
            self.first_output = perf_counter()
        self.output_characters += size

    def _keep_head(self, event: Mapping[str, Any]) -> None:
        head = self._head
        for key in _HEAD:
            value = event.get(key)
            if value is not None and value != "":
                head[key] = value

    def _keep_usage(self, usage: Any) -> None:
        """Take figures over: every API's are cumulative, and null or 0 means no news."""
        if isinstance(usage, dict):
            for key, value in usage.items():
                known = self._usage.get(key)
                if isinstance(value, dict) and isinstance(known, dict):
                    self._usage[key] = {**known, **{k: v for k, v in value.items() if v}}
                elif value or (value is not None and not known):
                    self._usage[key] = value

    def _keep_error(self, event: Mapping[str, Any]) -> None:
        if error := event.get("error") or (event if event.get("type") == "error" else None):
            self._head["error"] = error

    def _add_chat(self, event: Mapping[str, Any], choices: list[Any]) -> None:
        """OpenAI's chat and completions chunks, and those of the many that write the same."""
        news = "model" not in self._head
        begun = self.first_output is not None
        spoken = False
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            delta = choice.get("delta")
            # The old completions, and whole answers, have no delta.
            said = delta if isinstance(delta, dict) else choice
            if said is choice and begun and "message" in choice:
                said = {}  # MiniMax ends with all of what it has said
            text = said.get("content")
            if isinstance(text, str) and len(said) == 1 and text[:5] != "data:":
                size = len(text)  # almost every chunk is a piece of text and nothing else
            else:
                size = characters(said)
            if size or said.get("tool_calls"):
                spoken = True
                self._output(size)
            if choice.get("finish_reason"):
                self.ended = news = True
                self._keep_usage(choice.get("usage"))  # Moonshot's place for it
        usage = event.get("usage")
        if usage:
            # Figures that come only after output are the last word, even where no
            # finish_reason stands before them; others come with every chunk.
            self.ended = self.ended or (begun and not spoken and not self._usage)
            self._keep_usage(usage)
            news = True
        groq = event.get("x_groq")
        if isinstance(groq, dict):
            self._keep_usage(groq.get("usage"))
        if news:
            self._keep_head(event)
            self._keep_error(event)
            self._head["choices"] = []

    def _add_message_start(self, event: Mapping[str, Any]) -> None:
        message = event.get("message")
        if isinstance(message, dict):
            self._keep_head(message)
            self._keep_usage(message.get("usage"))

    def _add_block_start(self, event: Mapping[str, Any]) -> None:
        block = event.get("content_block")
        if isinstance(block, dict):
            self._output(characters(block.get("text") or block.get("thinking") or ""))

    def _add_block_delta(self, event: Mapping[str, Any]) -> None:
        delta = event.get("delta")
        if isinstance(delta, dict):
            self._output(characters(delta))

    def _add_message_delta(self, event: Mapping[str, Any]) -> None:
        self._keep_usage(event.get("usage"))
        delta = event.get("delta")
        if isinstance(delta, dict) and delta.get("stop_reason"):
            self.ended = True

    def _end(self, _event: Mapping[str, Any]) -> None:
        self.ended = True

    def _add_cohere_start(self, event: Mapping[str, Any]) -> None:
        self._keep_head({"id": event.get("id")})

    def _add_cohere_end(self, event: Mapping[str, Any]) -> None:
        delta = event.get("delta")
        if isinstance(delta, dict):
            self._keep_usage(delta.get("usage"))
        self.ended = True

    def _add_openai(self, event: Mapping[str, Any], kind: str) -> None:
        """Events of OpenAI's Responses, images, transcriptions and speech."""
        delta = event.get("delta")
        if delta.__class__ is str:
            self._output(0 if kind in _BASE64_DELTAS else len(delta))
            return
        response = event.get("response")
        if isinstance(response, dict):
            self._head = {k: v for k, v in response.items() if v is not None}
            self.ended = self.ended or kind in _LAST_RESPONSE_EVENTS
            return
        usage = event.get("usage")
        if usage:
            # image_generation.completed, transcript.text.done, speech.audio.done
            self._output(0)
            self._keep_usage(usage)
            self.ended = True
        self._keep_error(event)

    def _add_gemini(self, event: Mapping[str, Any]) -> None:
        news = not self._head
        candidates = event.get("candidates")
        for candidate in candidates if isinstance(candidates, list) else ():
            if not isinstance(candidate, dict):
                continue
            content = candidate.get("content")
            if isinstance(content, dict) and content.get("parts"):
                self._output(characters(content))
            if candidate.get("finishReason"):
                self.ended = news = True
            if candidate.get("groundingMetadata"):
                self._queries.update(dict.fromkeys(queries_of(candidate)))
        if event.get("promptFeedback"):
            self.ended = True  # the prompt was blocked, and no answer follows
        if isinstance(turn := event.get("serverContent"), dict):
            self._add_turn(turn)
        self._usage_key = "usageMetadata"
        self._keep_usage(event.get("usageMetadata"))
        if news:
            self._keep_head(event)

    def _add_turn(self, turn: Mapping[str, Any]) -> None:
        """What a live session's model says (ai.google.dev/api/live)."""
        for key in ("modelTurn", "outputTranscription"):
            if turn.get(key):
                self._output(characters(turn[key]))
        self.ended = self.ended or bool(turn.get("turnComplete"))

    def _add_untyped(self, event: Mapping[str, Any]) -> None:
        """Events of Bedrock Converse, each under its name, and Ollama's and Cloudflare's lines."""
        if isinstance(block := event.get("contentBlockDelta"), dict):
            delta = block.get("delta")
            tool = delta.get("toolUse") if isinstance(delta, dict) else None
            self._output(characters(tool if isinstance(tool, dict) else delta))
        elif isinstance(metadata := event.get("metadata"), dict):
            self._keep_head(metadata)
            self._keep_usage(metadata.get("usage"))
            self.ended = True
        elif "messageStop" in event:
            self.ended = True
        elif "done" in event:
            self._add_ollama(event)
        elif isinstance(response := event.get("response"), dict):
            self._add_openai({"response": response}, "")
        elif isinstance(response, str):
            self._output(len(response))
            self._keep_usage(event.get("usage"))
            self.ended = bool(self._usage)
        else:
            self._keep_error(event)

    def _add_ollama(self, event: Mapping[str, Any]) -> None:
        size = characters(event.get("message") or event.get("response") or event.get("thinking"))
        if size:
            self._output(size)
        self._keep_head(event)
        if event.get("done"):
            self.ended = True
            for key in ("prompt_eval_count", "eval_count"):
                if event.get(key) is not None:
                    self._head[key] = event[key]

    _TYPED: ClassVar[dict[str, Callable[["Fold", Mapping[str, Any]], None]]] = {
        # Anthropic
        "message_start": _add_message_start,
        "content_block_start": _add_block_start,
        "content_block_delta": _add_block_delta,
        "message_delta": _add_message_delta,
        "message_stop": _end,
        # Cohere
        "message-start": _add_cohere_start,
        "content-delta": _add_block_delta,
        "tool-plan-delta": _add_block_delta,
        "tool-call-start": _add_block_delta,
        "tool-call-delta": _add_block_delta,
        "message-end": _add_cohere_end,
    }
    """By the type of an event."""
