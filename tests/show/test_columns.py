import pytest
from reports import figures

from tokenusage.analyse.report import Figures
from tokenusage.errors import WrongUseError
from tokenusage.show.columns import find_column, row_model, row_values
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


def test_every_column_but_the_cost_can_leave() -> None:
    """The order of leaving names every column of a table once."""
    names = {column.name for column in row_model(percentiles=True)} | {"share"}
    assert set(LEAVING) == names - {"cost"}
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
