"""What `instrument()` adds to a call of the real OpenAI client, whole and streamed.

Run as ``python -m benchmarks.bench_capture``, or with the others as ``make bench``. A local
server in a process of its own answers; calls with and without the hook alternate in blocks, and
what is printed is the difference of their medians. The targets: 60 µs for a whole call,
5 µs for each chunk of a stream.
"""

import argparse
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

import openai
from benchmarks.bench_record import with_file_handler
from openai.types.chat import ChatCompletion
from replaying import Replay, Reply, Request, httpx_of, sse

from tokenusage.capture.call import Capture
from tokenusage.capture.instrument import instrument, uninstrument
from tokenusage.write.tracker import Tracker

CHUNKS = 300
BLOCKS = 20
MESSAGES: Any = [{"role": "user", "content": "What is the meaning of life?"}]
HEAD = {"id": "chatcmpl-1", "created": 1763800000, "model": "gpt-4o-mini-2024-07-18"}
USAGE = {
    "prompt_tokens": 1250,
    "completion_tokens": 150,
    "total_tokens": 1400,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}


def whole() -> Reply:
    """Return an unstreamed answer in OpenAI's shape."""
    message = {"role": "assistant", "content": "Forty-two. " * 60, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return Reply(body={**HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE})


def streamed() -> Reply:
    """Return a stream of many small chunks, usage at the end."""
    head = {**HEAD, "object": "chat.completion.chunk", "usage": None}
    chunks: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}]}
        for _ in range(CHUNKS)
    ]
    return Reply(pieces=sse(*chunks, {**head, "choices": [], "usage": USAGE}, "[DONE]"))


def serve(ready: Connection) -> None:
    """Serve until the other end of the pipe is closed."""
    replies = {False: whole(), True: streamed()}

    def reply(request: Request) -> Reply:
        return replies[bool(request.json().get("stream"))]

    with Replay() as replay:
        replay.answer(reply)
        ready.send(replay.url)
        ready.poll(None)


def added(work: Callable[[], object], tracker: Tracker, calls: int) -> tuple[float, float]:
    """Return the median of a bare call and what the hook adds to it, in microseconds.

    Blocks of calls alternate, as putting a hook on or off makes the next call slow.
    """
    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * BLOCKS):
        hooked = number % 2 == 1
        if hooked:
            instrument(only=["openai"], tracker=tracker)
        for warm in range(-3, calls // BLOCKS):
            started = perf_counter()
            work()
            if warm >= 0:
                times[hooked].append((perf_counter() - started) * 1e6)
        uninstrument()
    bare, with_hook = (statistics.median(times[hooked]) for hooked in (False, True))
    return bare, with_hook - bare


def in_place(call: Callable[[], object], work: Callable[[], object], calls: int) -> float:
    """Return the median time of `work` right behind a call, in microseconds."""
    times = []
    for _ in range(calls // BLOCKS):
        call()
        started = perf_counter()
        work()
        times.append((perf_counter() - started) * 1e6)
    return statistics.median(times)


def in_a_loop(work: Callable[[], object], calls: int) -> float:
    """Return the median time of `work` with nothing between, in microseconds."""
    return in_place(lambda: None, work, calls * BLOCKS)


def captured(tracker: Tracker) -> Callable[[], object]:
    """Return what the hook does with a call, without the client around it."""
    capture = Capture(tracker)
    body: Any = whole().body
    answer = ChatCompletion.model_validate(body)
    request = {"model": "gpt-4o-mini", "messages": MESSAGES}

    def work() -> None:
        capture.begin(
            hook="openai",
            provider="openai",
            host="api.openai.com",
            operation_type="chat",
            model_name="gpt-4o-mini",
            request=request,
        ).answered(answer)

    return work


def report(create: Callable[..., Any], tracker: Tracker, calls: int) -> None:
    """Measure and print, beside what a line of the standard library's logging takes."""
    line = with_file_handler(tracker.logs.parent / "handler")
    works = {"a FileHandler line": line, "the hook and its record": captured(tracker)}
    print("\nA captured call                     in a loop   behind a call")
    for name, work in works.items():
        print(
            f"  {name:<32}{in_a_loop(work, calls):>10.1f} µs"
            f"{in_place(create, work, calls * BLOCKS // 4):>13.1f} µs"
        )
    bare, more = added(create, tracker, calls)
    print(f"  added to a call of {bare:.0f} µs {more:>37.1f} µs (target 60)")
    bare, more = added(lambda: list(create(stream=True)), tracker, max(calls // 10, 5 * BLOCKS))
    print(f"  added to a chunk of {bare / CHUNKS:.0f} µs {more / CHUNKS:>38.2f} µs (target 5)")


def main() -> None:
    """Start a server and measure against it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=2000)
    calls = parser.parse_args().calls
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    with tempfile.TemporaryDirectory() as directory, Replay() as here:
        # The client believes that it speaks to OpenAI: prices and stream options are as there.
        here.url = url
        client = openai.OpenAI(api_key="none", http_client=here.client(httpx_of(openai)))
        create: Any = client.chat.completions.create
        tracker = Tracker(Path(directory) / "logs")
        ask = partial(create, model="gpt-4o-mini", messages=MESSAGES)
        report(ask, tracker, calls)
    ours.close()
    server.terminate()


if __name__ == "__main__":
    main()
