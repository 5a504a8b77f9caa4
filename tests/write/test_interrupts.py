"""What a signal handler does in the middle of an append: raise, record, close."""

from pathlib import Path

import pytest
from writing import records, run_python

STORM = """
    import fcntl, os, random, signal, sys, threading, time
    from tokenusage.write.tracker import Tracker
    from writing import LinearPricer
    tracker = Tracker(sys.argv[1], pricer=LinearPricer())
    write = lambda: tracker.record(model_name="m", operation_type="x")
    write()
    path = next(tracker.logs.iterdir())
    def storm(handler, seconds):
        signal.signal(signal.SIGALRM, handler)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-6, 1e-4))
                for _ in range(20):
                    write()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                pass
    class Interrupt(BaseException):
        pass
"""


@pytest.mark.slow
def test_an_exception_from_a_handler_leaves_nothing_locked(logs: Path) -> None:
    """Celery's soft limit or Ctrl-C at any moment: neither mutex nor flock stays held."""
    run_python(
        STORM
        + """
    def interrupt(*_):
        raise Interrupt
    had = []
    def try_mutex():
        had.append(tracker._appender._mutex.acquire(blocking=False))
        if had[-1]:
            tracker._appender._mutex.release()
    for _ in range(20):
        storm(interrupt, 0.1)
        with path.open() as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where it is held
        thread = threading.Thread(target=try_mutex)
        thread.start()
        thread.join()
    assert had == [True] * 20
    """,
        logs,
    )


@pytest.mark.slow
@pytest.mark.parametrize("act", ["write()", "tracker.close()", "tracker._drops.give_back(0)"])
def test_a_handler_that_uses_the_tracker_waits_for_nothing(logs: Path, act: str) -> None:
    """A SIGTERM handler may record or close, wherever it has interrupted the tracker."""
    run_python(
        STORM + f"    storm(lambda *_: {act}, 2)\n    assert write()\n",
        logs,
        prefix=("timeout", "20"),
    )

    found = records(logs)
    assert len({record["id"] for record in found}) == len(found)
    assert not any("dropped" in record for record in found)


def test_an_interrupt_between_count_and_write_loses_no_drops(logs: Path) -> None:
    """What was to be announced by a record that Ctrl-C has stopped is announced by the next."""
    printed = run_python(
        """
        import sys
        from datetime import date
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        write = lambda: tracker.record(model_name="m", operation_type="x")
        tracker._drops.add(2, OSError())
        def stop(frame, event, _):
            if frame.f_code.co_name == "to_line":
                raise KeyboardInterrupt
        sys.setprofile(stop)
        try:
            write()
        except KeyboardInterrupt:
            sys.setprofile(None)
            print(write()["dropped"])
        """,
        logs,
    )

    assert printed.strip() == "2"
