"""The append contract on disks that fill up, cut writes short or fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from writing import DAY, lines, records, run_python

has_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")


@pytest.mark.slow
def test_short_writes_glue_no_lines_and_are_announced(logs: Path) -> None:
    """A file size limit in steps of one byte: the last write is short, then EFBIG."""
    printed = run_python(
        """
        import resource, sys
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        write = lambda n: tracker.record(model_name="m", operation_type="x", tags={"n": n})
        write(-1)
        path = next(tracker.logs.iterdir())
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        length = path.stat().st_size
        for step in range(length + 2):
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + step, hard))
            # Of one width; the limit leaves room for the first one from `length` bytes on.
            first, refused = write(-2), write(-3)
            assert (first is None, refused) == (step < length, None), step
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
            assert write(step)["dropped"] == 1 + (step < length), step
        print(length)
        """,
        logs,
    )

    length = int(printed)
    found = records(logs)
    # All but its newline is a whole record to a reader, though nobody acknowledged it:
    # -2 stands there three times, for the steps of length - 1, length and length + 1.
    last = [-2, length - 1, -2, length, -2, length + 1]
    assert [record["tags"]["n"] for record in found] == [-1, *range(length - 1), *last]
    assert sum(record.get("dropped", 0) for record in found) == 2 * (length + 2) - 2
    # What was cut stands alone, on a line of its own: 1 to length - 2 bytes, and in
    # the last step one byte of the second.
    assert len(lines(logs)) - len(found) == length - 1
    assert all(line.count(b"timestamp") <= 1 for line in lines(logs))


def test_a_full_disk_costs_records_but_not_the_application(tmp_path: Path) -> None:
    """On a disk of 64 kB calls go on; when there is room again, the drops are announced."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here")
    code = """
        import sys
        from pathlib import Path
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer, lines, records
        disk = Path(sys.argv[1])
        (disk / "ballast").write_bytes(b"x" * 20_000)
        tracker = Tracker(disk / "logs", pricer=LinearPricer())
        write = lambda: tracker.record(model_name="m", operation_type="x", query="q" * 300)
        results = [write() for _ in range(200)]
        written = [record["id"] for record in results if record]
        assert 0 < len(written) < 150
        (disk / "ballast").unlink()
        again = write()
        assert again["dropped"] == 200 - len(written), again
        found = records(disk / "logs")
        assert [record["id"] for record in found] == [*written, again["id"]]
        assert len(lines(disk / "logs")) <= len(found) + 1
        print("dropped", again["dropped"])
    """
    mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"'
    prefix = ("unshare", "-rm", "sh", "-c", mount, str(tmp_path))
    assert "dropped" in run_python(code, tmp_path, prefix=prefix)


@has_strace
@pytest.mark.parametrize(
    ("fault", "returned", "found", "announced"),
    [
        ("write:error=EIO:when=2", 2, 3, 1),
        ("write:error=ENOSPC:when=2+2", 2, 2, 1),  # the last one has nobody to announce it
        ("write:error=EDQUOT:when=1..2", 1, 2, 2),
        ("write:error=EINTR:when=2", 3, 4, 0),
        ("flock:error=ENOLCK:when=1", 3, 4, 0),
        ("flock:error=EINTR:when=1", 3, 4, 0),
        ("flock:error=EIO:when=1", 2, 3, 1),
        ("flock:error=EIO:when=2", 3, 4, 0),  # the unlock: closing the file unlocks it too
        ("newfstatat:error=EACCES:when=1", 2, 3, 1),
    ],
)
def test_an_error_of_the_system_is_a_drop_and_no_duplicate(
    logs: Path, fault: str, returned: int, found: int, announced: int
) -> None:
    """Whatever the kernel says to a write, each call is in the log once or announced once."""
    code = """
        import sys
        from datetime import datetime, timedelta, UTC
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), clock=lambda: noon)
        write = lambda: tracker.record(model_name="m", operation_type="x")
        print(sum(write() is not None for _ in range(3)))
        write()
    """
    logs.mkdir()
    path = logs / f"token_usage_{DAY}.jsonl"
    path.touch()
    prefix = ("strace", "-f", "-o", os.devnull, "-P", str(path), "-e", f"inject={fault}")
    printed = run_python(code, logs, prefix=prefix)

    there = records(logs)
    assert int(printed) == returned
    assert (len(there), sum(record.get("dropped", 0) for record in there)) == (found, announced)
    assert len({record["id"] for record in there}) == found == len(lines(logs))


@has_strace
@pytest.mark.slow
@pytest.mark.parametrize("error", ["EIO", "EINTR", "EDQUOT"])
def test_whichever_write_fails_the_account_is_right(logs: Path, error: str) -> None:
    """The first write, the second and so on, until none fails: once in the log, or announced."""
    code = """
        import sys
        from datetime import datetime, UTC
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), clock=lambda: noon)
        print(sum(tracker.record(model_name="m", operation_type="x") is not None for _ in "1234"))
    """
    returned = []
    for number in range(1, 6):
        logs.mkdir()
        day = logs / f"token_usage_{DAY}.jsonl"
        day.touch()
        prefix = ("strace", "-f", "-o", os.devnull, "-P", str(day))
        inject = ("-e", f"inject=write:error={error}:when={number}")
        returned.append(int(run_python(code, logs, prefix=(*prefix, *inject))))
        there = records(logs)
        announced = sum(record.get("dropped", 0) for record in there)
        # Nobody is left to announce the last one.
        assert len(there) == returned[-1] == 4 - announced - (error != "EINTR" and number == 4)
        assert len({record["id"] for record in there}) == len(lines(logs)) == len(there)
        shutil.rmtree(logs)
    assert returned == ([4] * 5 if error == "EINTR" else [3] * 4 + [4])


@has_strace
def test_a_failed_sync_is_not_acknowledged(logs: Path) -> None:
    """What may not be on the disk is not said to be; asking again would not tell."""
    code = """
        import sys
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer(), sync="record")
        results = [tracker.record(model_name="m", operation_type="x") for _ in range(4)]
        print([record and record.get("dropped", 0) for record in results])
    """
    trace = logs.parent / "trace"
    prefix = ("strace", "-f", "-o", str(trace), "-e", "trace=fdatasync")
    printed = run_python(code, logs, prefix=(*prefix, "-e", "inject=fdatasync:error=EIO:when=2..3"))

    assert printed.strip() == "[0, None, None, 1]"
    assert trace.read_text().count("fdatasync(") == 4
    # Two were not acknowledged: the second announces the first, though it fails itself.
    assert [record.get("dropped", 0) for record in records(logs)] == [0, 0, 1, 1]
