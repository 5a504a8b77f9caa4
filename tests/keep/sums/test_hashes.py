"""Numbers for ids."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.keep.sums.hashes import hashes_of


@given(st.lists(st.one_of(st.none(), st.text(max_size=40)), max_size=50), st.integers(0, 3))
def test_the_same_text_has_the_same_number(texts: list[str | None], start: int) -> None:
    """Whatever stands beside it, however long it is, and wherever the array begins."""
    alone = {
        text: hashes_of(pa.array([text], pa.string()))[0] for text in texts if text is not None
    }
    found = hashes_of(pa.array(texts, pa.string())[start:])
    assert found.tolist() == [alone[text] for text in texts[start:] if text is not None]


def test_ids_of_a_counter_all_differ() -> None:
    """What the logger mints, and uuids, give as many numbers as there are ids."""
    ids = [f"{0x1F2E3D4C5B6A7988:016x}{n:08x}" for n in range(100_000)]
    assert len(set(hashes_of(pa.array(ids)).tolist())) == len(ids)
