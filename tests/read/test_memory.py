import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.read.memory import Ids, recall, remember

ABOUT = ["1", "logs"]


def test_what_is_remembered_is_recalled(tmp_path: Path) -> None:
    """Also the ids; nobody else may read it."""
    path, ids = tmp_path / "cache" / "state", Ids()
    assert ids.add(1, "a")
    remember(path, ABOUT, {"sum": 7}, ids)
    recalled = recall(path, ABOUT)
    assert recalled is not None
    document, known = recalled
    assert (document, known.add(1, "a"), known.add(2, "a")) == ({"sum": 7}, False, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["state"]


@given(place=st.integers(0, 400), byte=st.integers(0, 255))
def test_damage_anywhere_is_forgotten(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    """A byte that is another one: there is nothing to recall."""
    path, ids = tmp_path_factory.mktemp("cache") / "state", Ids()
    for number in range(20):
        ids.add(1, str(number))
    remember(path, ABOUT, {"sum": 7}, ids)
    content = bytearray(path.read_bytes())
    place %= len(content)
    before = bytes(content)
    content[place] = byte
    path.write_bytes(content)
    assert (recall(path, ABOUT) is None) == (bytes(content) != before)


def test_what_is_about_something_else_is_not_recalled(tmp_path: Path) -> None:
    """Another day, say, or another version."""
    remember(tmp_path / "state", ABOUT, {}, Ids())
    assert recall(tmp_path / "state", ["2", "logs"]) is None


def test_place_that_takes_no_file_is_no_error(tmp_path: Path) -> None:
    """A cache that can't be written is one that is empty."""
    (tmp_path / "file").touch()
    remember(tmp_path / "file" / "state", ABOUT, {}, Ids())
    assert recall(tmp_path / "file" / "state", ABOUT) is None


def test_many_ids_are_kept_in_order() -> None:
    """More than are kept unsorted; each is known again."""
    ids = Ids()
    assert all(ids.add(1, str(number)) for number in range(9000))
    known = Ids(*ids.packed())
    assert not any(known.add(1, str(number)) for number in range(9000))
