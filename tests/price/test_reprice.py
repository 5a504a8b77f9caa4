from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
import orjson
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenusage.price.pricer import Pricer
from tokenusage.price.reprice import reprice
from tokenusage.price.table import parse_prices
from tokenusage.record import PICO

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = (
    "model",
    "provider",
    "service_tier",
    "price_context",
    "usage",
    "usage_source",
    "cost_source",
)
COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)

CALL: dict[str, Any] = {
    "at": NOW,
    "model": "gpt-4o-mini",
    "prompt_tokens": 1250,
    "completion_tokens": 150,
    "cost_pico": 7,
    "priced": True,
    "hit": False,
}


def frame(*calls: dict[str, Any]) -> pd.DataFrame:
    """Return calls as the frame that reprice() takes."""
    whole = [CALL | call for call in calls]
    columns: dict[str, Any] = {
        "time": np.array([micro(call["at"]) for call in whole], np.int64),
        "cost_pico": np.array([call["cost_pico"] for call in whole], np.int64),
        "priced": np.array([call["priced"] for call in whole], np.bool_),
        "hit": np.array([call["hit"] for call in whole], np.bool_),
    }
    columns |= {name: pd.Categorical([text(call.get(name)) for call in whole]) for name in TEXTS}
    columns |= {name: np.array([call.get(name, 0) for call in whole], np.int64) for name in COUNTS}
    return pd.DataFrame(columns)


def micro(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def text(value: Any) -> str | None:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


def repriced(
    *calls: dict[str, Any],
    mode: Literal["effective", "current"] = "effective",
    pricer: Pricer | None = None,
) -> list[int | None]:
    """Return the new cost of each call in picodollars, None where it has none."""
    cost, priced = reprice(frame(*calls), pricer or Pricer(), mode=mode, now=NOW)
    assert (cost[~priced] == 0).all()
    return [int(c) if known else None for c, known in zip(cost, priced, strict=True)]


def test_a_call_costs_its_list_price() -> None:
    """The field's call is 0.0002775 dollars, whatever was logged."""
    assert repriced({}) == [277_500_000]


def test_no_calls_are_no_costs() -> None:
    """An empty frame is an empty answer."""
    assert repriced() == []


def test_cache_hits_stay_as_logged() -> None:
    """What its own cache answered is never charged, in either mode."""
    hit = {"hit": True, "cost_pico": 0}
    assert repriced(hit, mode="effective") == repriced(hit, mode="current") == [0]


def test_what_the_provider_reported_is_effective() -> None:
    """The provider's own figure stays, but today's price replaces it."""
    call = {"cost_source": "provider"}
    assert repriced(call) == [7]
    assert repriced(call, mode="current") == [277_500_000]


def test_unknown_models_are_unpriced() -> None:
    """A cost that was logged for a model without a price is not kept."""
    assert repriced({"model": "ours"}, {"model": None}, {}) == [None, None, 277_500_000]


def test_a_call_that_nobody_counted_is_unpriced() -> None:
    """A timeout's 0 tokens are no free call; a free call and known searches keep their price."""
    nothing = {"model": "claude-sonnet-4-5", "prompt_tokens": 0, "completion_tokens": 0}
    calls = [
        nothing | {"usage_source": "partial"},
        nothing | {"usage_source": "estimated"},
        nothing | {"usage_source": "provider"},
        nothing | {"usage_source": "partial", "usage": {"web_searches": 1}},
    ]
    expected = [None, None, 0, 10**10]
    assert repriced(*calls) == repriced(*calls, mode="current") == expected


def test_effective_prices_change_on_their_day() -> None:
    """Calls on both sides of a change have different prices; today's is one for both."""
    rules = [
        {"model": "m", "prompt": 1, "completion": 0},
        {"model": "m", "prompt": 2, "completion": 0, "from": "2026-11-01"},
    ]
    pricer = Pricer(parse_prices({"prices": rules}, "x"))
    change = datetime(2026, 11, 1, tzinfo=UTC)
    calls = [
        {"model": "m", "prompt_tokens": 1, "at": at}
        for at in (change, change - timedelta(microseconds=1), NOW)
    ]
    million = 10**6
    assert repriced(*calls, pricer=pricer) == [2 * million, million, 2 * million]
    assert repriced(*calls, pricer=pricer, mode="current") == [2 * million] * 3


def test_absurd_counts_are_unpriced_and_harm_no_other_call() -> None:
    """A sum beyond an int64 or a record's limit is unknown; its neighbours keep their cost."""
    calls = [{"model": "gpt-4", "prompt_tokens": tokens} for tokens in (10**12, 1000)]
    assert repriced(*calls) == [None, 1000 * 30 * 10**6 + 150 * 60 * 10**6]


def test_other_units_go_through_the_list() -> None:
    """Web searches are charged, row by row, beside calls of tokens alone."""
    call = {"model": "claude-sonnet-4-5", "prompt_tokens": 1000, "completion_tokens": 0}
    searched = call | {"usage": {"web_searches": 1}}
    assert repriced(call, searched) == [3 * 10**9, 13 * 10**9]


def test_broken_cells_are_calls_of_tokens_alone() -> None:
    """Text that is no JSON object in usage or price_context decides nothing."""
    assert repriced({"usage": "{", "price_context": "[1]"}) == [277_500_000]


def test_a_price_finer_than_a_picodollar_rounds_half_to_even() -> None:
    """The vectorised division rounds as the single one does."""
    entry = {"model": "m", "prompt": 0.0000005, "completion": 0}
    pricer = Pricer(parse_prices({"prices": [entry]}, "x"))
    calls = [{"model": "m", "prompt_tokens": tokens} for tokens in (1, 2, 3, 5)]
    assert repriced(*calls, pricer=pricer) == [0, 1, 2, 2]


def test_the_frame_stays_as_it_was() -> None:
    """Repricing gives new columns and leaves the calls alone."""
    calls = frame({}, {"hit": True})
    before = calls.copy(deep=True)
    reprice(calls, Pricer(), mode="current", now=NOW)
    pd.testing.assert_frame_equal(calls, before)


tokens = st.sampled_from([0, 1, 7, 150, 199_999, 200_000, 200_001, 272_001, 10**12])
some_calls = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(
                lambda at: at.replace(tzinfo=UTC)
            ),
            "model": st.sampled_from(
                ["gpt-4o", "gpt-5.4", "claude-sonnet-4-5", "deepseek-chat", "whisper-1", "ours"]
            ),
            "provider": st.sampled_from([None, "openai", "vllm"]),
            "service_tier": st.sampled_from([None, "flex"]),
            "price_context": st.sampled_from([None, {"processing": "batch"}]),
            "usage": st.sampled_from(
                [
                    None,
                    {"cache_write_1h_tokens": 1},
                    {"cache_write_1h_tokens": -1},
                    {"cache_write_1h_tokens": 2**64 - 1},
                    {"web_searches": 1, "cache_write_1h_tokens": 1},
                    {"audio_seconds": 90.5},
                ]
            ),
            "usage_source": st.sampled_from([None, "provider", "estimated", "partial"]),
            "prompt_tokens": tokens,
            "completion_tokens": tokens,
            "cache_read_tokens": tokens,
            "cache_write_tokens": tokens,
            "reasoning_tokens": tokens,
        }
    ),
    max_size=12,
)


@settings(deadline=None)
@given(some_calls)
def test_many_at_once_cost_what_each_costs_alone(calls: list[dict[str, Any]]) -> None:
    """The columns' arithmetic gives every call the figure that the logger gives it."""
    rules = [{"model": "ours", "provider": "vllm", "prompt": 1, "completion": 0.0000005}]
    pricer = Pricer(parse_prices({"prices": rules}, "x"))
    alone = [pricer.price(call | {"model_name": call["model"]}, call["at"])[0] for call in calls]
    together = repriced(*calls, pricer=pricer)
    assert [None if cost is None else cost / PICO for cost in together] == alone


def test_a_time_outside_the_calendar_has_the_price_of_its_edge() -> None:
    """A moment that no datetime can hold, as the year 10000 in UTC, stops nothing."""
    late, early = micro(datetime.max.replace(tzinfo=UTC)), micro(datetime.min.replace(tzinfo=UTC))
    calls = frame({}, {"usage": {"web_searches": 1}}, {})
    calls["time"] = np.array([late + 1, late + 10**12, early - 1], np.int64)
    _, priced = reprice(calls, Pricer(), mode="effective", now=NOW)
    assert priced[[0, 2]].all()
