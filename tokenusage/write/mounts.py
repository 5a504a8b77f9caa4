"""Where flock and O_APPEND can be trusted: on local file systems.

On a network file system they may hold for one host alone or not at all
(open(2): "O_APPEND may lead to corrupted files on NFS file systems").
"""

import os
from pathlib import Path
from typing import Final

_UNTRUSTED: Final = ("nfs", "cifs", "smb", "fuse", "9p", "virtiofs")
"""How the types of such file systems begin: nfs4, smb3, fuse.sshfs, fuseblk ..."""

_MOUNTS: Final = Path("/proc/self/mountinfo")


def locks_work(directory: Path) -> bool:
    """Say whether `directory` is on a file system whose locks hold between processes.

    What is unknown, such as every file system outside Linux, is trusted.

    Raises:
        OSError: the directory can't be looked at.
    """
    device = directory.stat().st_dev
    try:
        mounts = _MOUNTS.read_text(errors="replace")
    except OSError:
        return True
    return not mount_type(device, mounts).startswith(_UNTRUSTED)


def mount_type(device: int, mounts: str) -> str:
    """Return the type of the file system on `device`, "" if `mounts` doesn't know it.

    `mounts` has the format of ``/proc/self/mountinfo`` (proc(5)): the third word
    is the device, the first one behind the " - " the type.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, file_system = line.partition(" - ")
        if mount.split(" ")[2:3] == [number]:
            return file_system.partition(" ")[0]
    return ""
