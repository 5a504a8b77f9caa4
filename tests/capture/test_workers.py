from pathlib import Path

import pytest
from answers import CHAT
from replaying import Replay, Reply
from writing import records, run_python

WORKERS = """
    import os, sys
    import tokenusage

    def work(worker):
        import openai
        client = openai.OpenAI(api_key="k", base_url=sys.argv[1])
        for n in range(5):
            with tokenusage.track(user_id=worker, task_id=str(n)):
                client.chat.completions.create(model="gpt-4o-mini", messages=[])

    tokenusage.instrument(tracker=tokenusage.Tracker(sys.argv[2]))
    if sys.argv[3] == "preloaded":
        work(0)
    children = []
    for worker in range(1, 5):
        child = os.fork()
        if not child:
            try:
                work(worker)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    if sys.argv[3] == "preloaded":
        work(0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["preloaded", "later"])
def test_forked_workers_log_their_calls(when: str, tmp_path: Path) -> None:
    """As Celery's and gunicorn's do, whether the client was imported before the fork or after."""
    pytest.importorskip("openai")
    with Replay() as replay:
        replay.answer(Reply(body=CHAT))
        run_python(WORKERS, replay.url, tmp_path, when)

    found = records(tmp_path)
    calls = dict.fromkeys(range(1, 5), 5) | ({0: 10} if when == "preloaded" else {})
    assert len({record["id"] for record in found}) == len(found) == sum(calls.values())
    users = [record["user_id"] for record in found]
    assert {user: users.count(user) for user in users} == calls
    assert all(record["total_tokens"] == 27 and "dropped" not in record for record in found)
