import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from writing import DAY, run_python

from tokenusage.write.place import Place
from tokenusage.write.spill import DAYS, SpillFiles


@pytest.fixture
def spill(logs: Path) -> Iterator[SpillFiles]:
    place = Place(logs, file_mode=0o600, directory_mode=0o700, sync=False)
    place.prepare()
    spill = SpillFiles(place, sync=False)
    yield spill
    spill.forget()


def test_alternating_days_stay_open(logs: Path, spill: SpillFiles) -> None:
    """Late records of yesterday beside today's do not make a file each."""
    for n in range(40):
        spill.append(DAY - timedelta(n % DAYS), b"{}\n")

    assert len(list(logs.iterdir())) == DAYS


def test_days_that_are_over_are_closed(logs: Path, spill: SpillFiles) -> None:
    """A process that lives for months holds a few descriptors."""
    for n in range(DAYS + 3):
        spill.append(DAY + timedelta(n), b"{}\n")
    spill.append(DAY, b"{}\n")

    assert len(spill._days) == DAYS
    assert len(list(logs.iterdir())) == DAYS + 4


def test_a_thread_that_waits_in_vain_makes_a_file_of_its_own(logs: Path, spill: SpillFiles) -> None:
    """A stuck write of one thread costs the others a moment, and no record."""
    spill.append(DAY, b"1\n")
    stuck = spill._days[DAY].get()  # as a thread that is in the middle of an append
    started = time.monotonic()
    spill.append(DAY, b"2\n")
    waited = time.monotonic() - started
    spill._days[DAY].put(stuck)
    spill.append(DAY, b"3\n")
    spill.append(DAY, b"4\n")

    assert 0.04 < waited < 1
    texts = sorted(path.read_bytes() for path in logs.iterdir())
    assert texts in ([b"1\n3\n", b"2\n4\n"], [b"1\n4\n", b"2\n3\n"])


def test_threads_on_a_slow_disk_lose_nothing(logs: Path) -> None:
    """With a sync of 20 ms, twenty threads are slower and every record is acknowledged."""
    printed = run_python(
        """
        import os, sys, threading, time
        real = os.fdatasync
        os.fdatasync = lambda descriptor: (time.sleep(0.02), real(descriptor))
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), sync="record")
        results = []
        def work():
            for _ in range(5):
                results.append(tracker.record(model_name="m", operation_type="x"))
        threads = [threading.Thread(target=work) for _ in range(20)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(results.count(None), len(results))
        """,
        logs,
    )

    assert printed.split() == ["0", "100"]
    assert len(list(logs.iterdir())) == 1  # nobody waited for the disk under the lock


def test_spilling_threads_lose_nothing(logs: Path, spill: SpillFiles) -> None:
    """However many write at once, each line is whole and in one of the files."""

    def work(name: int) -> None:
        for n in range(50):
            spill.append(DAY, b"%d-%d\n" % (name, n))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = [line for path in logs.iterdir() for line in path.read_bytes().split()]
    assert sorted(found) == sorted(b"%d-%d" % (t, n) for t in range(8) for n in range(50))


def test_a_sync_without_support_is_no_lock_without_support(logs: Path) -> None:
    """A failed sync is a drop; the record is not written again to a spill file."""
    printed = run_python(
        """
        import errno, os, sys
        def refuse(_):
            raise OSError(errno.ENOTSUP, "no")
        os.fdatasync = refuse
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), sync="record")
        print([tracker.record(model_name="m", operation_type="x") for _ in range(2)])
        """,
        logs,
    )

    [path] = logs.iterdir()
    assert printed.strip() == "[None, None]"
    assert path.read_bytes().count(b"\n") == 2


def test_new_directories_are_as_durable_as_their_records(tmp_path: Path) -> None:
    """With sync, the name of each directory made is on the disk, as the file's is."""
    printed = run_python(
        """
        import os, sys
        real = os.fsync
        def say(descriptor):
            print(os.readlink(f"/proc/self/fd/{descriptor}"))
            real(descriptor)
        os.fsync = say
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        Appender(Path(sys.argv[1]), sync=True).append(DAY, b"{}\\n")
        """,
        tmp_path / "a" / "logs",
    )

    assert printed.split() == [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "logs")]
