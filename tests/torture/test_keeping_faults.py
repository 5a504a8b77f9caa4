"""Keeping, killed or failing at every system call, and on full disks; faults 5, 8 and 10."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from keeping import names
from killing import fail_everywhere, has_strace, kill_everywhere
from support import record, write_day
from torture.sizes import Sizes
from torture.works import WORKS
from writing import finish, python

pytestmark = pytest.mark.slow
Tell = Callable[[str], None]


@has_strace
@pytest.mark.parametrize("name", ["rotate", "forget", "mend"])
def test_killed_anywhere_it_harms_no_record(
    tmp_path: Path, sizes: Sizes, tell: Tell, name: str
) -> None:
    """Before each write, fsync, rename and unlink; the next run finishes the work."""
    work = WORKS[name]
    start = work.start(tmp_path / "start")
    before = work.figures(start)
    imports, code = "from torture.works import WORKS", f"WORKS[{name!r}].do(logs)"
    killed = kill_everywhere(start, imports, code, sizes.kill_steps)
    _check_all(start, killed, name, before)
    tell(f"{name}: killed before {len(killed) - 4:,} system calls, 0 lost, 0 twice")


@has_strace
@pytest.mark.parametrize("name", WORKS)
def test_failing_anywhere_it_harms_no_record(
    tmp_path: Path, sizes: Sizes, tell: Tell, name: str
) -> None:
    """A write, fsync, rename or unlink fails: it says so or goes on, and the next run finishes."""
    work = WORKS[name]
    imports, code = "from torture.works import WORKS", f"WORKS[{name!r}].do(logs)"
    for error in sizes.errors:
        start = work.start(tmp_path / error / "start")
        before = work.figures(start)
        failed = fail_everywhere(start, imports, code, error, sizes.error_steps)
        _check_all(start, failed, name, before)
        tell(f"{name}: {error} at {len(failed) - 4:,} system calls, 0 lost, 0 twice")


def _check_all(start: Path, struck: list[Path], name: str, before: object) -> None:
    """Make sure that no figure is another one, neither now nor after the next run.

    Where only temporary files differ, one next run tells for all.
    """
    work = WORKS[name]
    assert work.do(start)
    finished: set[frozenset[tuple[str, int]]] = set()
    for logs in struck:
        assert work.figures(logs) == before, f"after {logs.name}"
        state = frozenset(
            ("", 0) if path.suffix == ".tmp" else (path.name, path.stat().st_size)
            for path in logs.iterdir()
        )
        if state not in finished:
            finished.add(state)
            assert work.do(logs)
            assert work.figures(logs) == before, f"after the run after {logs.name}"
            assert names(logs) == names(start), logs.name
        shutil.rmtree(logs)


DAMAGED = """
    import os, sys
    from pathlib import Path
    from keeping import names
    from torture.works import WORKS
    logs, work = Path(sys.argv[1]), WORKS[sys.argv[2]]
    before = work.figures(logs)
    damaged = set()
    def damage(event, arguments):
        if event != "open" or not str(arguments[0]).endswith(".tmp") or arguments[0] in damaged:
            return
        # When it is opened for reading it has been written.
        if arguments[2] & os.O_ACCMODE == os.O_RDONLY and (size := os.stat(arguments[0]).st_size):
            damaged.add(arguments[0])
            with open(arguments[0], "r+b") as file:
                byte = os.pread(file.fileno(), 1, size // 2)[0]
                os.pwrite(file.fileno(), bytes([byte ^ 0x55]), size // 2)
    sys.addaudithook(damage)
    stood = names(logs)
    assert not work.do(logs)
    assert work.figures(logs) == before
    # Details are removed before anything is forgotten: they are made anew.
    assert {n for n in stood ^ names(logs) if not n.startswith("details_")} == set()
    print(len(damaged))
"""


@pytest.mark.parametrize("name", ["rotate", "forget", "delete"])
def test_a_damaged_new_file_replaces_nothing(tmp_path: Path, tell: Tell, name: str) -> None:
    """A byte of each is changed between writing and reading back: it says so, and all stays."""
    work = WORKS[name]
    logs = work.start(tmp_path / "logs")
    before = work.figures(logs)
    damaged = int(finish(python(DAMAGED, logs, name)))
    assert damaged > 1
    assert work.do(logs)
    assert work.figures(logs) == before
    tell(f"{name}: {damaged} new files damaged on the disk, 0 put in place")


FILLED = """
    import shutil, sys
    from pathlib import Path
    from keeping import names
    from tokenusage.errors import TokenUsageError
    from torture.works import WORKS
    disk, work, step = Path(sys.argv[1]), WORKS[sys.argv[2]], int(sys.argv[3])
    logs, ballast = disk / "logs", disk / "ballast"
    def is_done():
        try:
            return work.do(logs)
        except (OSError, TokenUsageError):
            return False
    free, failures, done = 0, 0, False
    while not done:
        work.start(logs)
        before = work.figures(logs)
        with ballast.open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                file.truncate(max(file.tell() // 4096 * 4096 - free, 0))
        done = is_done()
        assert work.figures(logs) == before, free
        ballast.unlink()
        assert is_done()
        assert work.figures(logs) == before, free
        assert not [name for name in names(logs) if name.endswith(".tmp")]
        shutil.rmtree(logs)
        failures += not done
        free += step * 4096
    print(failures)
"""
MOUNTED = 'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"'


def _small_disk(path: Path) -> tuple[str, ...]:
    """Return what a command begins with that has a disk of 1 MB of its own at `path`."""
    path.mkdir()
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here")
    return ("unshare", "-rm", "sh", "-c", MOUNTED, str(path))


@pytest.mark.parametrize("name", WORKS)
def test_a_full_disk_harms_no_record(tmp_path: Path, sizes: Sizes, tell: Tell, name: str) -> None:
    """With ever more room, until there is enough; freed again, the next run finishes."""
    disk = tmp_path / "disk"
    prefix = _small_disk(disk)
    process = python(FILLED, disk, name, sizes.pages, prefix=prefix)
    failures = int(finish(process, timeout=300))
    assert failures > 0
    tell(f"{name}: {failures:,} times on a full disk, 0 lost, 0 twice")


def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path) -> None:
    """By rotate, with exit code 1; nothing half is left."""
    disk = tmp_path / "disk"
    prefix = _small_disk(disk)
    day = datetime.now(UTC).date() - timedelta(days=3)
    path = write_day(tmp_path, str(day), [record(f"{day}T12:00:00+00:00", id=str(n)) for n in "ab"])
    code = """
        import shutil, sys
        from pathlib import Path
        from support import run
        disk = Path(sys.argv[1])
        (disk / "logs").mkdir()
        shutil.copy(sys.argv[2], disk / "logs")
        (disk / "logs" / ".tokenusage.lock").touch()
        try:
            (disk / "ballast").write_bytes(b"x" * (1 << 20))
        except OSError:
            pass
        done = run("rotate", "--seal-after", "0", "--keep-days", "1", cwd=disk)
        assert done.returncode == 1, done
        assert done.stderr.startswith("tokenusage: 1 day failed"), done
        assert done.stderr.count("\\n") == 1, done
        print(*sorted(path.name for path in (disk / "logs").iterdir()))
    """
    found = finish(python(code, disk, path, prefix=prefix)).split()
    assert found == [".tokenusage.lock", path.name]
