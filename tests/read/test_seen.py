import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.read.duplicates import DAY
from tokenusage.read.seen import Seen

SECOND = 1_000_000


@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([None, "a", "b", "c"]), st.integers(0, 2)), max_size=8),
        max_size=6,
    )
)
def test_each_id_is_new_once_a_day(batches: list[list[tuple[str | None, int]]]) -> None:
    """As a set would have it; records without an id are all new."""
    seen, known = Seen(3600 * SECOND), set[tuple[str, int]]()
    for batch in batches:
        times = np.array([day * DAY + 5 for _, day in batch], np.int64)
        fresh = seen.first_of_each([name for name, _ in batch], times, now=0)
        for (name, day), is_new in zip(batch, fresh.tolist(), strict=True):
            assert is_new == (name is None or (name, day) not in known)
            known |= {(name, day)} if name is not None else set()


def test_ids_are_forgotten_when_their_time_is_over() -> None:
    """So that memory is bounded."""
    seen, at = Seen(60 * SECOND), np.zeros(1, np.int64)
    assert seen.first_of_each(["a"], at, now=0)[0]
    assert not seen.first_of_each(["a"], at, now=60 * SECOND)[0]
    assert seen.first_of_each(["a"], at, now=140 * SECOND)[0]
