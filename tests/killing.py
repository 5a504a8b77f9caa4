"""Killing work on a log directory before each system call that changes something, or failing it."""

import errno
import re
import shutil
from pathlib import Path
from typing import Final

import pytest
from writing import finish, python

_CALLS: Final = ("write", "fsync", "rename", "unlink")
_DUMMIES: Final = 1000
"""More calls than the work makes of one kind."""

has_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

_STRUCK: Final = """
    import os, shutil, signal, sys
    from pathlib import Path
    from tokenusage.errors import TokenUsageError
    {imports}
    root = Path(sys.argv[1])
    dummies, error, step_of_writes, step_of_others = map(int, sys.argv[2:])
    null = os.open(os.devnull, os.O_WRONLY)
    LAST = 99
    def nothing(call):
        try:
            match call:
                case "write": os.write(null, b"x")
                case "fsync": os.fsync(null)
                case "rename": os.rename("/nowhere", "/nowhere either")
                case "unlink": os.unlink("/nowhere")
        except OSError as failure:
            return failure.errno
    def was_hit(call, number):
        return error and error not in [nothing(call) for _ in range(number)]
    for call in ("write", "fsync", "rename", "unlink"):
        number = 1
        while True:
            logs = root / f"{{call}}-{{number}}"
            shutil.copytree(root / "start", logs)
            child = os.fork()
            if not child:
                os.cpu_count = lambda: 1  # strace counts the calls of each thread apart
                # The call that is struck is the same in all of them, counted in each thread.
                for _ in range(dummies - number):
                    nothing(call)
                try:
                    {work}
                except (OSError, TokenUsageError):
                    if not error:
                        raise
                os._exit(0 if was_hit(call, number) else LAST)
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            assert code in (0, LAST, -signal.SIGKILL)
            if code == LAST:
                break
            number += step_of_writes if call == "write" else step_of_others
"""


def kill_everywhere(
    start: Path, imports: str, work: str, steps: tuple[int, int] = (61, 1)
) -> list[Path]:
    """Do `work` on copies of `start`, each killed before another call; return the copies.

    Each kind of call has a last run, in which nothing is killed.

    Args:
        start: a directory called "start".
        imports: a line of code for what `work` needs.
        work: a line of code that does it in the directory `logs`.
        steps: one in so many writes is struck, and one in so many of the other calls.
    """
    return _strike(start, imports, work, None, steps)


def fail_everywhere(
    start: Path, imports: str, work: str, error: str, steps: tuple[int, int]
) -> list[Path]:
    """Do `work` as `kill_everywhere` does, but another call fails each time, as `error` says."""
    return _strike(start, imports, work, error, steps)


def _strike(
    start: Path, imports: str, work: str, error: str | None, steps: tuple[int, int]
) -> list[Path]:
    fault = f"error={error}" if error else "signal=KILL"
    number = getattr(errno, error) if error else 0
    injected = [
        option for call in _CALLS for option in ("-e", f"inject={call}:{fault}:when={_DUMMIES}")
    ]
    prefix = ("strace", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", *injected)
    code = _STRUCK.format(imports=imports, work=work)
    process = python(code, start.parent, _DUMMIES, number, *steps, prefix=prefix)
    finish(process, timeout=600)
    return sorted(path for path in start.parent.iterdir() if re.search("-[0-9]+$", path.name))
