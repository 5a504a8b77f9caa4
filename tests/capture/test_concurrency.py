import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from answers import CHAT
from calling import begin
from replaying import Replay, Reply, Request

from tokenusage.capture.call import Capture
from tokenusage.capture.clients import stainless
from tokenusage.context import track

Logged = Callable[[], list[dict[str, Any]]]


def answer(request: Request) -> Reply:
    """Answer user n with n prompt tokens, so that a record shows whose call it was."""
    user = int(request.json()["messages"][0]["content"])
    usage = {"prompt_tokens": user, "completion_tokens": 1, "total_tokens": user + 1}
    return Reply(body={**CHAT, "id": f"chatcmpl-{user}", "usage": usage})


def asked(user: int) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": str(user)}]}


def check(records: list[dict[str, Any]], users: int, calls: int = 1) -> None:
    """Make sure that each user has its calls, and its calls alone."""
    assert len({record["id"] for record in records}) == len(records) == users * calls
    assert sorted(record["user_id"] for record in records) == sorted([*range(users)] * calls)
    assert all(record["prompt_tokens"] == record["user_id"] for record in records)
    assert all(record["tags"]["of"] == record["user_id"] for record in records)


def test_a_thousand_tasks_keep_their_users(capture: Capture, logged: Logged) -> None:
    """Calls that begin and end in any order on one loop are nobody else's."""

    async def ask(user: int) -> None:
        with track(user_id=user, tags={"of": user}):
            call = begin(capture)
            await asyncio.sleep((user * 7919 % 1000) / 20_000)
        with track(user_id="somebody else"):
            call.answered({"usage": {"prompt_tokens": user, "completion_tokens": 1}})

    async def ask_all() -> None:
        await asyncio.gather(*map(ask, range(1000)))

    asyncio.run(ask_all())

    check(logged(), users=1000)


@pytest.mark.slow
def test_a_thousand_calls_at_once_are_all_logged(
    capture: Capture, logged: Logged, replay: Replay
) -> None:
    """With the SDK's own async client, each with another user."""
    openai = pytest.importorskip("openai")
    replay.answer(answer)

    async def ask(client: Any, user: int) -> None:
        with track(user_id=user, tags={"of": user}):
            await client.chat.completions.create(**asked(user))

    async def ask_all() -> None:
        async with openai.AsyncOpenAI(api_key="k", base_url=replay.url) as client:
            await asyncio.gather(*(ask(client, user) for user in range(1000)))

    unhook = stainless.hook(openai, capture)
    try:
        asyncio.run(ask_all())
    finally:
        unhook()

    check(logged(), users=1000)


@pytest.mark.slow
def test_64_threads_keep_their_users(capture: Capture, logged: Logged, replay: Replay) -> None:
    """With one client of the SDK's, shared by all of them."""
    openai = pytest.importorskip("openai")
    replay.answer(answer)

    def work(user: int) -> None:
        with track(user_id=user, tags={"of": user}):
            for _ in range(5):
                client.chat.completions.create(**asked(user))

    unhook = stainless.hook(openai, capture)
    try:
        with openai.OpenAI(api_key="k", base_url=replay.url) as client:
            threads = [threading.Thread(target=work, args=(user,)) for user in range(64)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        unhook()

    check(logged(), users=64, calls=5)
