import os
from pathlib import Path

import pytest

from tokenusage.write.mounts import locks_work, mount_type

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:45 / /mnt/a\\040b rw,relatime shared:9 master:2 - nfs4 server:/x rw
garbage
"""


@pytest.mark.parametrize(
    ("major", "minor", "kind"), [(254, 0, "ext4"), (0, 45, "nfs4"), (0, 4, ""), (0, 450, "")]
)
def test_the_type_of_a_mount_is_found_by_its_device(major: int, minor: int, kind: str) -> None:
    """Names of mount points, escapes and optional words don't matter."""
    assert mount_type(os.makedev(major, minor), MOUNTS) == kind


def test_a_local_directory_is_trusted(tmp_path: Path) -> None:
    """The shared file is the rule, spilling the exception."""
    assert locks_work(tmp_path)
