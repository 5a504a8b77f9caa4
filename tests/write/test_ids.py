import re
from concurrent.futures import ThreadPoolExecutor

from writing import run_python

from tokenusage.write.ids import Ids


def test_ids_have_one_width_and_are_unique_among_threads() -> None:
    """24 lowercase hexadecimal characters, whoever asks at the same moment."""
    ids = Ids()
    with ThreadPoolExecutor(8) as pool:
        minted = list(pool.map(lambda _: ids.mint(), range(4000)))

    assert len(set(minted)) == 4000
    assert all(re.fullmatch("[0-9a-f]{24}", one) for one in minted)


def test_ids_of_one_writer_sort_in_their_order() -> None:
    """The order of a writer's records can be told from their ids."""
    ids = Ids()
    minted = [ids.mint() for _ in range(300)]

    assert minted == sorted(minted)
    assert minted[0][:16] != Ids().mint()[:16]


def test_a_forked_child_mints_other_ids_than_its_parent() -> None:
    """A preloaded worker must not repeat what its parent and siblings count."""
    printed = run_python("""
        import os
        from tokenusage.write.ids import Ids
        ids = Ids()
        for _ in range(3):
            if os.fork() == 0:
                os.write(1, ids.mint().encode() + b"\\n")
                os._exit(0)
            os.wait()
        os.write(1, ids.mint().encode() + b"\\n")
    """).split()

    assert len({one[:16] for one in printed}) == 4
