"""The append contract under real faults: killed, stopped and forked processes."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from writing import DAY, python, records, run_python

WRITER = """
    import sys
    from pathlib import Path
    from tokenusage.write.tracker import Tracker
    from writing import LinearPricer
    logs, name, count, chars = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    tracker = Tracker(logs, pricer=LinearPricer(), query_chars=300_000)
    acknowledgements = Path(logs + "." + name).open("ab", buffering=0)
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(count):
        tags = {"writer": name, "n": n}
        size = chars * (1 + n % 7) // 7
        record = tracker.record(model_name="m", operation_type="x", query="q" * size, tags=tags)
        if record:
            acknowledgements.write(record["id"].encode() + b"\\n")
"""
"""Records COUNT calls with queries of up to CHARS, and says each id that was returned."""

has_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


def acknowledged(logs: Path) -> list[str]:
    """Return all ids that writers have said; a torn last one was not said."""
    return [
        word
        for path in logs.parent.glob(f"{logs.name}.*")
        for word in path.read_text().split("\n")[:-1]
    ]


@has_strace
@pytest.mark.slow
@pytest.mark.parametrize("call", ["flock", "lseek", "read", "write", "newfstatat"])
def test_a_writer_killed_at_each_of_its_system_calls_stops_nobody(logs: Path, call: str) -> None:
    """Dead before, under or after the lock: the kernel frees it, and the next writer goes on."""
    logs.mkdir()
    path = logs / f"token_usage_{DAY}.jsonl"
    path.write_bytes(b'{"torn')
    code = """
        import sys
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        appender = Appender(Path(sys.argv[1]))
        for n in range(3):
            appender.append(DAY, b'{"n":%d}\\n' % n)
    """
    for when in (1, 2):
        trace = ("strace", "-f", "-o", os.devnull, "-P", str(path))
        inject = ("-e", f"inject={call}:signal=KILL:when={when}")
        killed = python(code, logs, prefix=(*trace, *inject))
        killed.communicate(timeout=60)
        started = time.monotonic()
        run_python(code, logs)
        assert time.monotonic() - started < 5

    assert list(logs.iterdir()) == [path]  # nobody had to spill
    assert path.read_bytes().endswith(b'\n{"n":0}\n{"n":1}\n{"n":2}\n')


def test_others_spill_while_the_lock_is_held_by_a_stopped_process(logs: Path) -> None:
    """A process that is stopped inside the lock costs the others 250 ms, and no record."""
    holder = python(
        """
        import fcntl, sys, time
        from pathlib import Path
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        tracker.record(model_name="m", operation_type="x")
        fcntl.flock(tracker._appender._shared._descriptor, fcntl.LOCK_EX)
        print("locked", flush=True)
        time.sleep(60)
        """,
        logs,
    )
    assert holder.stdout
    holder.stdout.readline()
    holder.send_signal(signal.SIGSTOP)
    writers = [python(WRITER, logs, f"w{n}", 50, 100) for n in range(2)]
    for writer in writers:
        assert "go" not in finish_after_go(writer)
    holder.kill()
    holder.communicate()

    assert len(list(logs.iterdir())) == 3
    assert len(records(logs)) == len(set(acknowledged(logs))) + 1 == 101


def finish_after_go(writer: subprocess.Popen[str]) -> str:
    """Let a `WRITER` begin, and wait for it."""
    output, errors = writer.communicate("go\n", timeout=30)
    assert writer.returncode == 0, errors
    return output


def test_a_forked_child_lets_go_of_its_parents_files(logs: Path) -> None:
    """Else a child that lives on would keep removed files and taken locks alive."""
    printed = run_python(
        """
        import os, sys
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        tracker.record(model_name="m", operation_type="x")
        def opened():
            links = ["/proc/self/fd/" + name for name in os.listdir("/proc/self/fd")]
            return sum("token_usage" in os.readlink(link) for link in links[:-1])
        os.write(1, b"parent %d\\n" % opened())
        if os.fork() == 0:
            os.write(1, b"child %d\\n" % opened())
            os._exit(0)
        os.wait()
        """,
        logs,
    )

    assert printed.split("\n")[:2] == ["parent 1", "child 0"]


def test_a_fork_under_a_held_lock_leaves_it_to_its_holder(logs: Path) -> None:
    """The child waits for nobody's mutex, spills after 250 ms, and unlocks nothing."""
    run_python(
        """
        import fcntl, os, sys, threading, time
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        write = lambda: tracker.record(model_name="m", operation_type="x")
        write()
        [path] = tracker.logs.iterdir()
        locked, over = threading.Event(), threading.Event()
        def hold():
            with tracker._appender._mutex:
                fcntl.flock(tracker._appender._shared._descriptor, fcntl.LOCK_EX)
                locked.set()
                over.wait()
        thread = threading.Thread(target=hold)
        thread.start()
        locked.wait()
        if os.fork() == 0:
            started = time.monotonic()
            os._exit(0 if write() and 0.2 < time.monotonic() - started < 2 else 1)
        assert os.wait()[1] == 0
        with path.open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held = True
        over.set()
        thread.join()
        assert held
        """,
        logs,
    )

    assert len(list(logs.iterdir())) == len(records(logs)) == 2


@pytest.mark.slow
def test_a_file_moved_away_under_live_writers_loses_nothing(logs: Path) -> None:
    """A log rotation's mv beside writers: every acknowledged record is in one of the files."""
    writers = [python(WRITER, logs, f"w{n}", 10**6, 2000) for n in range(3)]
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    moved = 0
    while moved < 20:
        for path in logs.glob("token_usage_????-??-??.jsonl"):
            moved += 1
            path.rename(path.with_suffix(f".moved{moved}.jsonl"))
        time.sleep(0.01)
    for writer in writers:
        writer.kill()
        writer.communicate()

    found = [record["id"] for record in records(logs)]
    said = acknowledged(logs)
    assert set(found) >= set(said)
    assert len(set(found)) == len(found) <= len(said) + len(writers)
