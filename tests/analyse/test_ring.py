import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tokenusage.analyse.ring import CALLS, MOST_KEYS, OTHERS, Integers, Ring, figures_of

SECOND = 1_000_000


def add(ring: Ring, calls: list[tuple[int, str | None]]) -> None:
    """Add one call for each time, in seconds, and key."""
    width = len(ring.by_bucket()[0])
    sums: Integers = np.zeros((len(calls), width), np.int64)
    sums[:, CALLS] = 1
    times = np.array([second * SECOND for second, _ in calls], np.int64)
    keys = pa.chunked_array([pa.array([key for _, key in calls], pa.string()).dictionary_encode()])
    ring.add(times, sums, keys)


def held(ring: Ring) -> dict[str | None, int]:
    """Return the calls by key."""
    names, sums = ring.by_key()
    return {name: figures_of(row).calls for name, row in zip(names, sums, strict=True)}


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "c", None]))),
        ),
        max_size=8,
    )
)
def test_keys_and_buckets_add_up_to_what_is_inside(
    steps: list[tuple[int, list[tuple[int, str | None]]]],
) -> None:
    """However far the present moves on, what is too old has left both."""
    ring, now, calls = Ring(SECOND, 5), 100, list[tuple[int, str | None]]()
    for step, added in steps:
        now += step
        ring.advance(now * SECOND)
        new = [(now - age, key) for age, key in added]
        add(ring, new)
        calls = [(time, key) for time, key in [*calls, *new] if time > now - 5]
        keys = [key for _, key in calls]
        assert held(ring) == {key: keys.count(key) for key in keys}
        assert int(ring.by_bucket()[:, CALLS].sum()) == len(calls)


def test_keys_beyond_the_most_are_one_until_there_is_room() -> None:
    """Memory is bounded; keys that have left make room for others."""
    ring = Ring(SECOND, 5)
    ring.advance(100 * SECOND)
    add(ring, [(100, str(number)) for number in range(MOST_KEYS + 7)])
    assert len(held(ring)) == MOST_KEYS + 1
    assert held(ring)[OTHERS] == 7
    ring.advance(105 * SECOND)
    add(ring, [(105, f"new {number}") for number in range(MOST_KEYS)])
    assert held(ring) == {f"new {number}": 1 for number in range(MOST_KEYS)}
