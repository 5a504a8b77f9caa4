import logging
import os
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path

import pytest
from writing import DAY, run_python

from tokenusage.write.appender import Appender

NAME = "token_usage_2026-11-20.jsonl"


@pytest.fixture
def appender(logs: Path) -> Iterator[Appender]:
    appender = Appender(logs)
    yield appender
    appender.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def spills(logs: Path) -> list[Path]:
    return [path for path in logs.iterdir() if path.name != NAME]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_and_directory_have_their_modes_whatever_the_umask(logs: Path, umask: int) -> None:
    """Logs are private unless configured otherwise, and never locked to their owner."""
    old = os.umask(umask)
    try:
        Appender(logs).append(DAY, b"{}\n")
        Appender(logs / "team", file_mode=0o660, directory_mode=0o2770).append(DAY, b"{}\n")
    finally:
        os.umask(old)

    assert (mode(logs), mode(logs / NAME)) == (0o700, 0o600)
    assert (mode(logs / "team"), mode(logs / "team" / NAME)) == (0o2770, 0o660)


def test_what_is_there_keeps_its_mode(logs: Path, appender: Appender) -> None:
    """A team's own permissions are not tidied away."""
    logs.mkdir(mode=0o755)
    (logs / NAME).touch()
    (logs / NAME).chmod(0o640)
    appender.append(DAY, b"{}\n")

    assert (mode(logs), mode(logs / NAME)) == (0o755, 0o640)


def test_a_world_writable_directory_is_warned_of_once(
    logs: Path, appender: Appender, caplog: pytest.LogCaptureFixture
) -> None:
    """Anybody could plant files there."""
    logs.mkdir()
    logs.chmod(0o777)
    with caplog.at_level(logging.WARNING, "tokenusage"):
        appender.append(DAY, b"{}\n")
        appender.append(DAY + timedelta(1), b"{}\n")

    assert len(caplog.records) == 1
    assert "Anybody can write" in caplog.text


def _symlink(path: Path) -> None:
    path.symlink_to(path.parent / "target")


def _hard_link(path: Path) -> None:
    path.hardlink_to(path.parent / "target")


@pytest.mark.parametrize("plant", [_symlink, _hard_link, Path.mkdir, os.mkfifo])
def test_what_is_no_plain_file_is_refused(
    logs: Path, appender: Appender, plant: Callable[[Path], None]
) -> None:
    """Nobody can make the logger write to somebody else's file, or wait for a FIFO's reader."""
    logs.mkdir()
    (logs / "target").write_bytes(b"precious")
    plant(logs / NAME)

    with pytest.raises(OSError, match=NAME):
        appender.append(DAY, b"{}\n")
    assert (logs / "target").read_bytes() == b"precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused(logs: Path, appender: Appender) -> None:
    """A day's file that is /dev/null would swallow the day."""
    logs.mkdir()
    try:
        os.mknod(logs / NAME, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("this container has no mknod")

    with pytest.raises(OSError, match="not a regular file"):
        appender.append(DAY, b"{}\n")


@pytest.mark.parametrize("take", [lambda p: p.rename(p.with_suffix(".1")), Path.unlink])
def test_a_file_that_was_taken_away_is_made_anew(
    logs: Path, appender: Appender, take: Callable[[Path], None]
) -> None:
    """After logrotate's mv, or rm, the next record stands in the file at the path."""
    appender.append(DAY, b"1\n")
    take(logs / NAME)
    appender.append(DAY, b"2\n")
    (logs / "new").write_bytes(b"3\n")
    (logs / "new").replace(logs / NAME)
    appender.append(DAY, b"4\n")

    assert (logs / NAME).read_bytes() == b"3\n4\n"


def test_a_symlink_put_in_place_of_the_open_file_is_refused(logs: Path, appender: Appender) -> None:
    """Not even to the same file: what stands at the path is a symlink."""
    appender.append(DAY, b"1\n")
    (logs / NAME).rename(logs / "moved")
    (logs / NAME).symlink_to(logs / "moved")

    with pytest.raises(OSError, match=NAME):
        appender.append(DAY, b"2\n")
    assert (logs / "moved").read_bytes() == b"1\n"


def test_a_directory_that_was_removed_is_made_anew(logs: Path, appender: Appender) -> None:
    """Cleaning up by hand doesn't stop the logging."""
    appender.append(DAY, b"1\n")
    (logs / NAME).unlink()
    logs.rmdir()
    appender.append(DAY, b"2\n")

    assert (logs / NAME).read_bytes() == b"2\n"


@pytest.mark.parametrize("tail", [b"{", b"1\n{", b'{"a":1}'])
def test_a_torn_tail_cannot_swallow_the_next_line(
    logs: Path, appender: Appender, tail: bytes
) -> None:
    """Whoever died in the middle of a line damages only that one."""
    logs.mkdir()
    (logs / NAME).write_bytes(tail)
    appender.append(DAY, b"2\n")
    with (logs / NAME).open("ab") as other:
        other.write(b"{torn")
    appender.append(DAY, b"3\n")

    assert (logs / NAME).read_bytes() == tail + b"\n2\n{torn\n3\n"


def test_each_day_has_its_file(logs: Path, appender: Appender) -> None:
    """Late records of yesterday and early ones of today find their own days."""
    for n, day in enumerate([DAY, DAY + timedelta(1), DAY, date(2024, 2, 29)]):
        appender.append(day, b"%d\n" % n)

    assert {path.name[12:22]: path.read_bytes() for path in logs.iterdir()} == {
        "2024-02-29": b"3\n",
        "2026-11-20": b"0\n2\n",
        "2026-11-21": b"1\n",
    }


def test_a_lock_that_is_not_had_in_time_leads_to_a_file_of_ones_own(
    logs: Path, appender: Appender
) -> None:
    """The application waits for 250 ms once, and then not for the next minute."""
    appender.append(DAY, b"1\n")
    with (logs / NAME).open("rb") as other:
        flock(other, LOCK_EX)
        started = time.monotonic()
        appender.append(DAY, b"2\n")
        first = time.monotonic() - started
        appender.append(DAY, b"3\n")
        second = time.monotonic() - started - first
        flock(other, LOCK_UN)
    appender.append(DAY, b"4\n")

    [spill] = spills(logs)
    assert 0.2 < first < 2
    assert second < 0.2
    assert (logs / NAME).read_bytes() == b"1\n"
    assert spill.read_bytes() == b"2\n3\n4\n"
    assert spill.name.startswith(f"token_usage_{DAY}.")
    assert f"-{os.getpid()}-" in spill.name


def test_after_the_minute_the_shared_file_is_tried_again(logs: Path, appender: Appender) -> None:
    """Spilling is for as long as the trouble lasts."""
    appender.append(DAY, b"1\n")
    with (logs / NAME).open("rb") as other:
        flock(other, LOCK_EX)
        appender.append(DAY, b"2\n")
    appender._avoid_until = time.monotonic()  # instead of waiting for a minute
    appender.append(DAY, b"3\n")

    assert (logs / NAME).read_bytes() == b"1\n3\n"


def test_threads_do_not_wait_behind_a_stuck_one(logs: Path, appender: Appender) -> None:
    """The wait for the mutex is bounded too, and every line is somewhere."""
    appender.append(DAY, b"x\n")
    done: list[float] = []

    def write(n: int) -> None:
        started = time.monotonic()
        appender.append(DAY, b"%d\n" % n)
        done.append(time.monotonic() - started)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    with (logs / NAME).open("rb") as other:
        flock(other, LOCK_EX)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert max(done) < 2
    [spill] = spills(logs)
    assert sorted(spill.read_bytes().split()) == [b"%d" % n for n in range(8)]


def test_a_closed_appender_opens_its_files_again(logs: Path, appender: Appender) -> None:
    """Closing frees descriptors; it forbids nothing."""
    for n in range(3):
        appender.append(DAY, b"%d\n" % n)
        appender.close()

    assert (logs / NAME).read_bytes() == b"0\n1\n2\n"


def free_descriptor() -> int:
    descriptor = os.dup(0)
    os.close(descriptor)
    return descriptor


@pytest.mark.parametrize("let_go", [Appender.close, lambda _: None])
def test_an_appender_that_is_closed_or_forgotten_leaks_no_descriptor(
    logs: Path, let_go: Callable[[Appender], None]
) -> None:
    """A tracker for each request is wasteful, but runs out of nothing."""
    before = free_descriptor()
    appender = Appender(logs)
    appender.append(DAY, b"{}\n")
    let_go(appender)
    del appender

    assert free_descriptor() == before


def test_without_flock_every_process_has_its_own_file(logs: Path) -> None:
    """Where there are no locks at all, as on Windows, nobody shares a file."""
    code = """
        import sys
        sys.modules["fcntl"] = None
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        appender = Appender(Path(sys.argv[1]))
        appender.append(DAY, b"1\\n")
        appender.append(DAY, b"2\\n")
    """
    run_python(code, logs)
    run_python(code, logs)

    assert [path.read_bytes() for path in spills(logs)] == [b"1\n2\n"] * 2
    assert not (logs / NAME).exists()


def test_on_a_network_file_system_every_process_has_its_own_file(
    logs: Path, tmp_path: Path
) -> None:
    """NFS, as the kernel would name it: locks of other hosts are not to be trusted."""
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 {os.major(device)}:{os.minor(device)} / / rw - nfs4 server:/ rw\n")
    code = """
        import sys
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        Appender(Path(sys.argv[1])).append(DAY, b"1\\n")
    """
    pretend = ("sh", "-c", 'mount --bind "$0" /proc/$$/mountinfo && exec "$@"', str(mounts))
    if subprocess.run(["unshare", "-rm", *pretend, "true"], check=False).returncode:
        pytest.skip("user namespaces are not allowed here")
    run_python(code, logs, prefix=("unshare", "-rm", *pretend))

    [spill] = spills(logs)
    assert spill.read_bytes() == b"1\n"
