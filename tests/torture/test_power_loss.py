"""Power loss while a directory is kept; fault 9."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from killing import has_strace
from torture.disk import Disk, Tree, trace, write_tree
from torture.sizes import Sizes
from torture.works import WORKS

pytestmark = pytest.mark.slow

CODE = """
    import os, sys
    from pathlib import Path
    from torture.works import WORKS
    os.cpu_count = lambda: 1
    assert WORKS[sys.argv[2]].do(Path(sys.argv[1]))
"""


@has_strace
@pytest.mark.parametrize("name", ["rotate", "forget", "delete"])
def test_whatever_was_not_synced_is_not_needed(
    tmp_path: Path, sizes: Sizes, tell: Callable[[str], None], name: str
) -> None:
    """At every moment the disk alone holds every record, in the old form or the new one."""
    work = WORKS[name]
    logs = work.start(tmp_path / "logs")
    originals = tmp_path / "originals"
    shutil.copytree(logs, originals, copy_function=lambda old, new: Path(new).hardlink_to(old))
    before = work.figures(logs)
    disk = Disk.of(logs)
    trees: dict[tuple[tuple[str, str | bytes], ...], Tree] = {}
    for call in trace(CODE, logs, name):
        disk.apply(call)
        if call.name != "write":
            trees |= {tuple(tree.items()): tree for tree in disk.after_power_loss()}
    shutil.rmtree(logs)
    found = list(trees.values())[:: sizes.power_losses_every]
    for tree in found:
        write_tree(tree, originals, logs)
        assert work.figures(logs) == before, sorted(tree)
        assert work.do(logs)
        assert work.figures(logs) == before, sorted(tree)
        shutil.rmtree(logs)
    tell(f"{name}: power lost in {len(found):,} of {len(trees):,} states of the disk, 0 lost")
