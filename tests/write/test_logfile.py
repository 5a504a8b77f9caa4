import errno
import logging
import os
from pathlib import Path

import pytest
from writing import DAY, run_python

from tokenusage.write.logfile import LogFile


def test_a_line_that_went_into_another_file_is_not_acknowledged(tmp_path: Path) -> None:
    """Where an application closed our descriptor and got it for another file, we notice."""
    file = LogFile.open(tmp_path / "log", DAY, 0o600)
    os.close(file._descriptor)
    with (tmp_path / "database").open("w+b") as database:
        assert database.fileno() == file._descriptor
        assert file.append(b"{}\n", None) is False
        del file
        database.write(b"still open")

    assert (tmp_path / "database").read_bytes().endswith(b"still open")
    assert (tmp_path / "log").read_bytes() == b""


def test_a_closed_descriptor_costs_no_record(logs: Path) -> None:
    """The file is opened anew, and the record is in it."""
    printed = run_python(
        """
        import os, sys
        from tokenusage.write.tracker import Tracker
        from writing import LinearPricer
        tracker = Tracker(sys.argv[1], pricer=LinearPricer())
        for _ in range(3):
            record = tracker.record(model_name="m", operation_type="x")
            os.close(tracker._appender._shared._descriptor)
            print(record is not None)
        """,
        logs,
    )

    assert printed.split() == ["True"] * 3


def test_a_refused_mode_is_warned_of_once_and_leaks_nothing(logs: Path) -> None:
    """File systems like vfat know no modes: that is no reason to log nothing."""
    printed = run_python(
        f"""
        import logging, os, sys
        logging.basicConfig(stream=sys.stdout, format="%(message)s")
        def refuse(*_):
            raise OSError({errno.EPERM}, "refused")
        os.fchmod = refuse
        os.umask(0o077)
        from datetime import timedelta
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        appender = Appender(Path(sys.argv[1]), file_mode=0o660)
        before = len(os.listdir("/proc/self/fd"))
        for n in range(5):
            appender.append(DAY + timedelta(n), b"{{}}\\n")
        print(len(os.listdir("/proc/self/fd")) - before)
        """,
        logs,
    )

    warning, leaked = printed.splitlines()
    assert warning.endswith("can't have the mode 660 (refused)")
    assert leaked == "1"  # the file of the last day


def test_without_pread_a_torn_tail_is_still_seen(logs: Path) -> None:
    """Windows has no pread."""
    run_python(
        """
        import os, sys
        del os.pread
        from pathlib import Path
        from tokenusage.write.appender import Appender
        from writing import DAY
        path = Path(sys.argv[1])
        path.mkdir()
        (path / "token_usage_2026-11-20.jsonl").write_bytes(b"torn")
        Appender(path).append(DAY, b"1\\n")
        """,
        logs,
    )

    assert (logs / "token_usage_2026-11-20.jsonl").read_bytes() == b"torn\n1\n"


def test_a_close_that_fails_is_nobodys_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A descriptor that is gone already can't be closed again."""
    file = LogFile.open(tmp_path / "log", DAY, 0o600)
    os.close(file._descriptor)
    with caplog.at_level(logging.WARNING):
        file.renew()

    assert file.append(b"{}\n", None) is False
    assert not caplog.records
