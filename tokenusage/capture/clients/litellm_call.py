"""One of LiteLLM's calls, from where its request is made up to its end."""

from asyncio import CancelledError
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import Any

from tokenusage.capture.call import CapturedCall
from tokenusage.capture.payload.fold import Fold
from tokenusage.capture.payload.plain import plain
from tokenusage.context import current
from tokenusage.record import CallFields


def now() -> datetime:
    """Return the time as LiteLLM writes it: here and now, without a zone."""
    return datetime.now()  # noqa: DTZ005 - to be subtracted from LiteLLM's own


class Call:
    """What is known of a call before its end.

    Args:
        moment: When it began, unless that is for LiteLLM to say.
        given: The address that the application itself has given.
    """

    __slots__ = (
        "answered",
        "began",
        "captured",
        "chunks",
        "given",
        "made_up",
        "moment",
        "past_sdks",
        "provider",
        "scope",
    )

    def __init__(self, moment: datetime | None = None, given: str | None = None) -> None:
        self.scope = current()
        self.moment = moment
        self.began = perf_counter()
        self.given = given
        self.provider: str | None = None
        """Who answers."""
        self.captured: CapturedCall | None = None
        """Set while a request is under way."""
        self.chunks: Sequence[Any] | None = None
        """What LiteLLM has handed out of a stream; it adds to them."""
        self.past_sdks = True
        """Whether LiteLLM sends the request itself; else the SDK's own hook sees the rest."""
        self.made_up = False
        """Whether LiteLLM answers with a `mock_response`, without any request."""
        self.answered = False
        """Whether the answer is recorded; LiteLLM may tell of it more than once."""

    def seconds(self, start: datetime, end: datetime) -> float:
        """Return how long it took; LiteLLM's `start` is that of the last of several attempts."""
        return max((end - (self.moment or start)).total_seconds(), 0.0)

    def known(self, seconds: float) -> CallFields:
        """Return what is known better than by the response."""
        return {"provider": self.provider, "response_time": seconds}

    def take(self) -> CapturedCall | None:
        """Return what is to be ended, once."""
        captured, self.captured, self.chunks = self.captured, None, None
        return captured

    def left(self) -> None:
        """End a call of whose end LiteLLM has told nobody, if it is one.

        That is a stream which was left, a task that was cancelled, or one that had read
        all of a stream when its event loop ended.
        """
        chunks = self.chunks
        captured = self.take()
        if captured is None or self.made_up or not self.past_sdks:
            return
        if chunks is None:
            captured.failed(CancelledError("LiteLLM has told of no end"), provider=self.provider)
            return
        fold = Fold()
        for chunk in chunks:
            fold.add(plain(chunk))
        fold.first_output = None  # nobody knows when that was
        captured.stream_ended(fold, provider=self.provider)
