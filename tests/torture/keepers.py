"""Processes that log into days of any age, and processes that keep their directory.

What a writer knows to be logged it says in ``acknowledged/NAME`` beside the log
directory: id, operation, days before today and tokens, a line of one width each.
"""

import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from forgetting import forgotten
from keeping import NOW, turn
from torture.crew import fork
from writing import LinearPricer

from tokenusage.errors import BusyError
from tokenusage.keep.outcome import Outcome
from tokenusage.write.tracker import Tracker

DAYS: Final = 7
"""Days that are logged to, today among them."""

SAID: Final = 39
"""Bytes of an acknowledgement."""

PERSON: Final = "writer0"
"""Whoever is forgotten."""

_SECONDS: Final = 3 * 3600
"""Seconds of today that are over at `NOW`."""

_LIFE: Final = 2000
"""Records of one tracker: a new one asks for the locks again where the old one spilled."""

_WISHES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"seal_after": 0},
    {"seal_after": 2},
    {"keep_days": 3},
    {"keep_days": 1, "seal_after": 0},
    {"keep_days": 2, "force": True},
)


def writer(logs: Path, name: str, pause: str) -> None:
    """Log as the user `name` until SIGTERM comes: mostly today, now and then for an older day."""
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    chance = random.Random(name)
    acknowledged = logs.parent / "acknowledged"
    acknowledged.mkdir(exist_ok=True)
    with (acknowledged / name).open("ab", buffering=0) as said:
        while running:
            with Tracker(logs, pricer=LinearPricer(), clock=lambda: NOW) as tracker:
                for _ in range(_LIFE if running else 0):
                    said.write(_write(tracker, name, chance))
                    time.sleep(float(pause))
                    if not running:
                        break


def _write(tracker: Tracker, name: str, chance: random.Random) -> bytes:
    """Record one call, and return its acknowledgement."""
    ago = chance.randrange(DAYS) if chance.random() < 0.3 else 0
    operation, tokens = chance.choice("xyz"), chance.randrange(10**9)
    record = tracker.record(
        model_name="m",
        operation_type=operation,
        user_id=name,
        query=f"I am {name}",
        prompt_tokens=tokens,
        timestamp=NOW - timedelta(days=ago, seconds=chance.randrange(_SECONDS)),
    )
    assert record
    return f"{record['id']} {operation} {ago} {tokens:09d}\n".encode()


def keeper(logs: Path, count: str, seed: str) -> str:
    """Rotate again and again, each time with other wishes; return how often what was done."""
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    for _ in range(int(count)):
        done += _counted(turn(logs, **chance.choice(_WISHES)))
    return ", ".join(f"{done[name]:,} {name}" for name in ("summarise", "seal", "remove"))


def forgetter(logs: Path, count: str, delete: str) -> None:
    """Forget the `PERSON` again and again, with a rotation in between."""
    chance = random.Random(count)
    for _ in range(int(count)):
        assert not forgotten(logs, PERSON, delete=delete == "delete").left
        _counted(turn(logs, **chance.choice(_WISHES)))


def mortals(logs: Path, kills: str, seed: str) -> int:
    """Rotate and forget, killed at random moments; return how many runs were."""
    chance = random.Random(seed)
    killed = 0
    while killed < int(kills):
        wishes, is_forgetting = chance.choice(_WISHES), chance.random() < 0.3
        child = fork(lambda: _mortal(logs, wishes, is_forgetting=is_forgetting))  # noqa: B023 (at once)
        time.sleep(chance.uniform(0, 0.15))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert status in {0, signal.SIGKILL}
        killed += status == signal.SIGKILL
    return killed


def _mortal(logs: Path, wishes: dict[str, Any], *, is_forgetting: bool) -> None:
    if is_forgetting:
        forgotten(logs, PERSON)
    else:
        turn(logs, **wishes)


def rivals(logs: Path, rounds: str, seed: str) -> int:
    """Start two rotations at the same instant, often; return how often one was sent away."""
    chance = random.Random(seed)
    busy = 0
    for _ in range(int(rounds)):
        wishes = chance.choice(_WISHES)
        waiting, start = os.pipe()
        children = [fork(lambda: _rival(logs, wishes, waiting, start)) for _ in range(2)]  # noqa: B023 (forked at once)
        os.close(waiting)
        os.close(start)  # both are waiting for exactly that
        codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
        assert codes in ([0, 0], [0, BusyError.exit_code]), codes
        busy += codes != [0, 0]
    return busy


def _rival(logs: Path, wishes: dict[str, Any], waiting: int, start: int) -> None:
    os.close(start)
    os.read(waiting, 1)
    try:
        _counted(turn(logs, **wishes))
    except BusyError as error:
        os._exit(error.exit_code)


def _counted(outcome: Outcome) -> Counter[str]:
    """Return how many days what was done with; a day may only fail because writers are fast."""
    assert all("change faster" in failure.why for failure in outcome.failures), outcome.failures
    return Counter(str(result.done) for result in outcome.results)
