import pytest
from reports import figures

from tokenusage.analyse.mean import Mean
from tokenusage.analyse.report import Figures
from tokenusage.errors import WrongUseError
from tokenusage.show.columns import drawable, find_column, row_model, row_values
from tokenusage.show.fit import LEAVING

NAMES = [
    "calls", "failed", "success_rate", "prompt_tokens", "completion_tokens", "total_tokens",
    "avg_tokens", "cost", "avg_cost", "unpriced", "avg_response_time", "cache_hits",
]  # fmt: skip


def test_the_row_model_has_its_columns_in_order() -> None:
    """Percentiles come last, and only when asked for."""
    percentiles = [f"p{n}_response_time" for n in (50, 95, 99)]
    assert [column.name for column in row_model(percentiles=False)] == NAMES
    assert [column.name for column in row_model(percentiles=True)] == NAMES + percentiles


def test_a_mean_has_a_column_of_its_own() -> None:
    """Named after its tag, inert in its header, and sorted by only where it is asked for."""
    (column,) = row_model(percentiles=False, means=["tag.a\x1b"])[-1:]
    assert (column.name, column.header) == ("mean_tag.a\x1b", "Mean a\\x1b")
    assert column.value(Figures(means=(Mean(5 * 10**323, 1),))) == 0.5
    assert column.value(Figures()) is None
    assert find_column("mean_tag.x", percentiles=False, means=["tag.x"]).name == "mean_tag.x"
    with pytest.raises(WrongUseError, match=r"Add --mean tag\.x"):
        find_column("mean_tag.x", percentiles=False)


def test_only_what_adds_up_is_drawn() -> None:
    """An average has no bar; the sentence names what has one."""
    assert drawable(find_column("cost", percentiles=False)).sum_name == "cost_pico"
    with pytest.raises(WrongUseError, match="sort by calls, failed"):
        drawable(find_column("avg_cost", percentiles=False))


def test_every_column_but_the_cost_can_leave() -> None:
    """The order of leaving names every column of a table once, and more than a report has."""
    names = {column.name for column in row_model(percentiles=True)} | {"share"}
    assert names - {"cost"} <= set(LEAVING)
    assert "cost" not in LEAVING
    assert len(LEAVING) == len(set(LEAVING))


def test_no_calls_have_no_averages() -> None:
    """Nothing costs 0, and has no rate."""
    values = row_values(Figures(), row_model(percentiles=True))
    assert values == dict.fromkeys(NAMES, 0) | dict.fromkeys(
        ["success_rate", "avg_tokens", "avg_cost", "avg_response_time",
         "p50_response_time", "p95_response_time", "p99_response_time"]
    )  # fmt: skip


def test_percentiles_are_read_by_name() -> None:
    """Each column has its own of the three."""
    values = row_values(figures(3, percentiles=(1.0, 2.0, 3.0)), row_model(percentiles=True))
    assert [values[f"p{n}_response_time"] for n in (50, 95, 99)] == [1.0, 2.0, 3.0]


def test_an_unknown_column_gets_the_nearest_name() -> None:
    """A slip of the finger is answered with the right word."""
    with pytest.raises(WrongUseError, match=r"Did you mean total_tokens\?"):
        find_column("total_token", percentiles=False)
    with pytest.raises(WrongUseError, match="Add --percentiles"):
        find_column("p95_response_time", percentiles=False)
