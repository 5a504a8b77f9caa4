from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tokenusage.show.fit import GAP, LEAST_NAME, LEAVING, Key, fit, flow, key_column, shrink

WIDTHS = st.dictionaries(st.sampled_from(LEAVING), st.integers(4, 20))
KEYS = st.lists(st.tuples(st.integers(6, 20), st.integers(0, 60)), min_size=1, max_size=3)


@given(st.text(), st.integers(1, 40))
def test_a_name_shrinks_in_its_middle(text: str, width: int) -> None:
    """It takes at most its width; its start and its end stay."""
    short = shrink(text, width)
    assert cell_len(short) <= max(width, 1)
    if cell_len(text) > width:
        start, _, end = short.partition("…")
        assert text.startswith(start)
        assert text.endswith(end)


@given(KEYS, WIDTHS, st.integers(60, 200))
def test_columns_leave_in_their_order_and_the_cost_never(
    keys: list[tuple[int, int]], figures: dict[str, int], width: int
) -> None:
    """What stays fits, or there is nothing left that could leave."""
    columns = [Key(least + more, least) for least, more in keys]
    names, staying = fit(width, columns, figures | {"cost": 10})
    taken = sum(names) + GAP * (len(names) - 1)
    taken += sum(GAP + (figures | {"cost": 10})[name] for name in staying)
    assert taken <= width or staying == ["cost"]
    gone = [name for name in LEAVING if name in figures and name not in staying]
    assert gone == [name for name in LEAVING if name in figures][: len(gone)]


def test_names_give_way_when_no_column_is_left_to_leave() -> None:
    """Until then they keep what tells them apart; labels and times never shrink."""
    queries = key_column(["q" * 50], ["TOTAL"], rigid=False, beside=1)
    assert fit(60, [queries], {"cost": 20, "ranked_by": 22, "calls": 9}) == (
        [14],
        ["cost", "ranked_by"],
    )
    assert fit(40, [queries], {"cost": 20, "ranked_by": 22})[0] == [LEAST_NAME]
    labelled = key_column(["q" * 50], ["1,234 more"], rigid=False, beside=1)
    assert fit(20, [labelled], {"cost": 20})[0] == [len("1,234 more")]


def test_the_longest_name_gives_way_first() -> None:
    """A short name beside a long one keeps its letters."""
    names, _ = fit(40, [Key(10, 6), Key(60, 6)], {"cost": 8})
    assert names == [10, 18]


@given(st.lists(st.text("ab ,1", min_size=1, max_size=30), min_size=1), st.integers(60, 200))
def test_parts_flow_into_lines_that_fit(parts: list[str], width: int) -> None:
    """Lines break between parts and lose none."""
    lines = flow(parts, width)
    assert " · ".join(lines) == " · ".join(parts)
    assert all(len(line) <= width for line in lines)
