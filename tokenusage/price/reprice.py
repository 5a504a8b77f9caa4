"""The cost of many calls at once, at the price of their day or of today.

The work is done once per kind of call and span of time in which its price
holds; over the calls themselves it is numpy arithmetic on integers. Calls that
are charged for more than tokens go through their quote one by one.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd

from tokenusage.price.pricer import Pricer
from tokenusage.price.quote import GUESSED, MAX_PICO, Quote, split_usage
from tokenusage.price.rates import Rate
from tokenusage.price.table import BEGINNING, END

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_CALENDAR: Final = ((BEGINNING - _EPOCH) // _MICROSECOND, (END - _EPOCH) // _MICROSECOND)
"""First and last moment that a datetime can hold, as `time` counts."""

_KIND: Final = ["model", "provider", "service_tier", "price_context"]
_COUNTS: Final = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)
_MAX_INT64: Final = 2**63 - 1


def reprice(
    calls: pd.DataFrame,
    pricer: Pricer,
    *,
    mode: Literal["effective", "current"],
    now: datetime,
) -> tuple[Integers, Flags]:
    """Return each call's recomputed cost in picodollars, and whether it has one.

    Where it has none, the cost is 0. Cache hits stay as they were logged.

    Args:
        calls: time (int64 microseconds since 1970, UTC); model, provider, service_tier,
            price_context, usage, usage_source, cost_source (categories of str; price_context
            and usage are JSON objects); prompt_tokens, completion_tokens, cache_read_tokens,
            cache_write_tokens, reasoning_tokens, cost_pico (int64); priced, hit (bool).
        pricer: The prices to apply.
        mode: ``effective`` is the price at the time of the call, and what the provider
            itself reported stays; ``current`` is the price at `now`, for all.
        now: The present, with its zone.
    """
    cost = calls["cost_pico"].to_numpy(np.int64, copy=True)
    priced = calls["priced"].to_numpy(np.bool_, copy=True)
    stays = calls["hit"].to_numpy(np.bool_)
    if mode == "effective":
        stays = stays | (calls["cost_source"] == "provider").to_numpy(np.bool_)
    chosen = calls[~stays]
    times = chosen["time"].to_numpy(np.int64).clip(*_CALENDAR)
    if mode == "current":
        times = np.full_like(times, (now - _EPOCH) // _MICROSECOND)
    new_cost = np.zeros(len(chosen), np.int64)
    new_priced = np.zeros(len(chosen), np.bool_)
    counts = _Counts(chosen)
    for rows, quote in _quotes(pricer, chosen, times):
        new_cost[rows], new_priced[rows] = counts.cost(quote, rows, times)
    cost[~stays] = new_cost
    priced[~stays] = new_priced
    return cost, priced


def _quotes(
    pricer: Pricer, calls: pd.DataFrame, times: Integers
) -> Iterator[tuple[Integers, Quote]]:
    """Yield the positions of calls that share a quote, with it, until all have had one."""
    if not len(calls):
        return
    kinds = calls.groupby(_KIND, observed=True, sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(kinds, kind="stable")
    for kind in np.split(order, np.flatnonzero(np.diff(kinds[order])) + 1):
        model, provider, tier, context = (_value(calls[name], kind[0]) for name in _KIND)
        if model is None:
            continue
        # Within a kind the order of calls is free, so that spans of time are slices.
        rows = kind[np.argsort(times[kind], kind="stable")]
        ordered = times[rows]
        start = 0
        while start < len(rows):
            at = _EPOCH + timedelta(microseconds=int(ordered[start]))
            quote = pricer.quote(model, provider, tier, _parsed(context), at)
            until = (quote.until - _EPOCH) // _MICROSECOND
            end = max(start + 1, int(np.searchsorted(ordered, until)))
            yield rows[start:end], quote
            start = end


class _Counts:
    """The counts of calls as columns, and the arithmetic over them."""

    def __init__(self, calls: pd.DataFrame) -> None:
        self._calls = calls
        self._prompt, self._completion, self._read, self._write, self._reasoning = (
            calls[name].to_numpy(np.int64) for name in _COUNTS
        )
        usage = calls["usage"].cat
        # The code of a missing value is -1: what stands at the end.
        split = [split_usage(_parsed(text)) for text in usage.categories] + [(0, False)]
        hours = np.array([min(hour, _MAX_INT64) for hour, _ in split], np.int64)
        self._hour = hours[usage.codes]
        self._others = np.array([others for _, others in split], np.bool_)[usage.codes]
        # As Quote.cost has it: a guess of nothing is no price of nothing.
        self._unknown = calls["usage_source"].isin(GUESSED).to_numpy(np.bool_) & ~self._others
        self._unknown &= (self._prompt == 0) & (self._completion == 0)

    def cost(self, quote: Quote, rows: Integers, times: Integers) -> tuple[Integers, Flags]:
        """Return what the calls at these positions cost, and whether that is known."""
        if quote.source is None:
            return np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
        one_by_one = np.zeros(len(rows), np.bool_) if quote.is_own else self._others[rows]
        if quote.rate is None or not self._fits(quote.rate, rows):
            one_by_one[:] = True
        cost = np.zeros(len(rows), np.int64)
        priced = ~one_by_one
        if quote.rate and priced.any():
            cost[priced], priced[priced] = self._linear(quote.rate, rows[priced])
        for position in np.flatnonzero(one_by_one):
            row = rows[position]
            at = _EPOCH + timedelta(microseconds=int(times[row]))
            if (known := quote.cost(self._record(row), at)) is not None:
                cost[position], priced[position] = known, True
        unknown = self._unknown[rows]
        cost[unknown], priced[unknown] = 0, False
        return cost, priced

    def _fits(self, rate: Rate, rows: Integers) -> bool:
        """Say whether the cost of each of these calls, before division, is an int64."""
        largest = 0
        for rates in (rate.base, *(tier for _, tier in rate.tiers)):
            dearest_prompt = max(
                rates.prompt, rates.cache_read, rates.cache_write, rates.cache_write_1h
            )
            dearest_completion = max(rates.completion, rates.reasoning)
            prompt = int(self._prompt[rows].max()) * dearest_prompt
            completion = int(self._completion[rows].max()) * dearest_completion
            largest = max(largest, prompt + completion + rates.request)
        return largest <= _MAX_INT64

    def _linear(self, rate: Rate, rows: Integers) -> tuple[Integers, Flags]:
        prompt, completion, read, write, hour, reasoning = (
            column[rows]
            for column in (
                self._prompt,
                self._completion,
                self._read,
                self._write,
                self._hour,
                self._reasoning,
            )
        )
        consistent = (read + write <= prompt) & (reasoning <= completion)
        consistent &= (hour >= 0) & (hour <= write)
        total = np.zeros(len(rows), np.int64)
        starts = np.array([start for start, _ in rate.tiers], np.int64)
        tier_of = np.searchsorted(starts, prompt)  # how many starts are below the prompt
        for number, rates in enumerate((rate.base, *(tier for _, tier in rate.tiers))):
            here = consistent & (tier_of == number)
            # Each kind apart, so that no term is negative and no sum passes the largest cost.
            total[here] = (
                rates.request
                + (prompt - read - write)[here] * rates.prompt
                + read[here] * rates.cache_read
                + (write - hour)[here] * rates.cache_write
                + hour[here] * rates.cache_write_1h
                + (completion - reasoning)[here] * rates.completion
                + reasoning[here] * rates.reasoning
            )
        if rate.denominator != 1:
            total = _divide_half_even(total, rate.denominator)
        known = consistent & (total <= MAX_PICO)
        return np.where(known, total, 0), known

    def _record(self, row: int) -> dict[str, Any]:
        counts = (self._prompt, self._completion, self._read, self._write, self._reasoning)
        fields = {name: int(column[row]) for name, column in zip(_COUNTS, counts, strict=True)}
        return {**fields, "usage": _parsed(_value(self._calls["usage"], row))}


def _divide_half_even(numbers: Integers, divisor: int) -> Integers:
    quotients, rests = np.divmod(numbers, divisor)
    up = (rests > divisor - rests) | ((rests == divisor - rests) & (quotients % 2 == 1))
    rounded: Integers = quotients + up
    return rounded


def _value(column: "pd.Series[Any]", row: int) -> str | None:
    code = int(column.cat.codes.to_numpy()[row])
    return None if code < 0 else str(column.cat.categories[code])


def _parsed(text: str | None) -> dict[str, Any]:
    """Return the JSON object that a cell holds; a cell without one counts nothing."""
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
