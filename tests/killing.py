"""Killing work on a log directory before each system call that changes something."""

import re
import shutil
from pathlib import Path
from typing import Final

import pytest
from writing import run_python

_CALLS: Final = ("write", "fsync", "rename", "unlink")
_DUMMIES: Final = 1000
"""More calls than the work makes of one kind."""

has_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")

_KILLED: Final = """
    import os, shutil, sys
    from pathlib import Path
    {imports}
    root, dummies = Path(sys.argv[1]), int(sys.argv[2])
    null = os.open(os.devnull, os.O_WRONLY)
    def nothing(call):
        try:
            match call:
                case "write": os.write(null, b"x")
                case "fsync": os.fsync(null)
                case "rename": os.rename("/nowhere", "/nowhere either")
                case "unlink": os.unlink("/nowhere")
        except OSError:
            pass
    for call, step in (("write", 61), ("fsync", 1), ("rename", 1), ("unlink", 1)):
        number = 1
        while True:
            logs = root / f"{{call}}-{{number}}"
            shutil.copytree(root / "start", logs)
            child = os.fork()
            if not child:
                os.cpu_count = lambda: 1  # strace counts the calls of each thread apart
                # The call that kills is the same in all of them, counted in each thread.
                for _ in range(dummies - number):
                    nothing(call)
                {work}
                os._exit(0)
            status = os.waitpid(child, 0)[1]
            if not os.WIFSIGNALED(status):
                assert status == 0
                break
            number += step
"""


def kill_everywhere(start: Path, imports: str, work: str) -> list[Path]:
    """Do `work` on copies of `start`, each killed before another call; return the copies.

    Each kind of call has a last run, in which nothing is killed.

    Args:
        start: a directory called "start".
        imports: a line of code for what `work` needs.
        work: a line of code that does it in the directory `logs`.
    """
    injected = [
        option for call in _CALLS for option in ("-e", f"inject={call}:signal=KILL:when={_DUMMIES}")
    ]
    prefix = ("strace", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null", *injected)
    code = _KILLED.format(imports=imports, work=work)
    run_python(code, start.parent, _DUMMIES, prefix=prefix)
    return sorted(path for path in start.parent.iterdir() if re.search("-[0-9]+$", path.name))
