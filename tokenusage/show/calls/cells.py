"""What is said of single calls, on a terminal and in Markdown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from tokenusage.analyse.calls import Call, Calls
from tokenusage.show.inert import inert, inert_name
from tokenusage.show.numbers import count, counted, decimal, money_places
from tokenusage.show.words import ledger_parts

UNKNOWN: Final = "—"

KEYS: Final = ("TIME", "USER", "OPERATION", "MODEL")

HEADERS: Final = {
    "prompt_tokens": "Prompt",
    "completion_tokens": "Compl.",
    "total_tokens": "Total",
    "cost": "Cost $",
    "response_time": "s",
    "status": "STATUS",
}
"""Of the columns behind the keys, in order; the query stands behind them."""

QUERY: Final = "QUERY"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ORDERS: Final = {
    "date": "newest first",
    "cost": "dearest first",
    "tokens": "most tokens first",
    "response_time": "slowest first",
}


def local_time(time: int, zone: tzinfo) -> datetime:
    """Return microseconds since the epoch as a time in a zone."""
    moment = _EPOCH + timedelta(microseconds=time)
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment  # the calendar's first or last day has no other zones


def key_texts(call: Call, zone: tzinfo, *, with_year: bool = True) -> list[str]:
    """Return what stands under `KEYS`."""
    time = local_time(call.time, zone).replace(tzinfo=None).isoformat(" ", "seconds")
    return [
        time if with_year else time[len("2026-") :],
        UNKNOWN if call.user is None else inert_name(call.user),
        inert_name(call.operation),
        inert_name(call.model),
    ]


def figure_texts(call: Call, places: int) -> dict[str, str]:
    """Return what stands under `HEADERS`; money has so many decimals."""
    return {
        "prompt_tokens": count(call.prompt_tokens),
        "completion_tokens": count(call.completion_tokens),
        "total_tokens": count(call.total_tokens),
        "cost": UNKNOWN if call.cost is None else decimal(call.cost, places),
        "response_time": UNKNOWN if call.response_time is None else decimal(call.response_time, 2),
        "status": status_text(call),
    }


def status_text(call: Call) -> str:
    """Return what became of a call: ok, failed and why, or where its tokens are from."""
    if not call.success:
        return f"failed: {inert(call.error_message)}" if call.error_message else "failed"
    source = call.usage_source
    return inert(source) if source and source != "provider" else "ok"


def places_of(rows: Sequence[Call]) -> int:
    """Return how many decimals the costs of some calls need, the same for each.

    They are not summed: a dear call leaves the cheap ones their six decimals.
    """
    costs = [call.cost for call in rows if call.cost]
    if not costs:
        return money_places(0)
    return max(money_places(max(costs)), min(6, money_places(min(costs))))


def headline(calls: Calls) -> list[str]:
    """Return how many calls and pages there are, and how they are ordered."""
    about = "" if calls.is_exact else "about "
    number = calls.calls if calls.is_exact else _rough(calls.calls)
    pages = calls.pages if calls.is_exact else _rough(calls.pages)
    parts = [
        about + counted(number, "call"),
        f"page {count(calls.page.number)} of {about}{count(pages)}",
        _ORDERS[calls.page.order],
    ]
    if calls.cache_hits:
        parts.append(f"{counted(calls.cache_hits, 'cache hit')} not listed")
    return parts


def account(calls: Calls) -> list[str]:
    """Return the account of what was read, and whether that is not all."""
    parts = ledger_parts(calls.ledger, calls.unpriced)
    return parts if calls.is_exact else ["read from the end", *parts]


def beyond(calls: Calls) -> str:
    """Return what stands in the place of a page that there is not."""
    return f"There is no page {count(calls.page.number)}: the last one is {count(calls.pages)}."


def _rough(number: int) -> int:
    """Return an estimate with the two digits that may be trusted."""
    return round(number, 2 - len(str(number)))
