"""A price and why it is that, as text or JSON."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from tokenusage.price.explain import UNITS, Band, CostLine, Explanation
from tokenusage.show.inert import inert, inert_json
from tokenusage.show.numbers import count

SCHEMA: Final = "tokenusage.price/1"

_GAP: Final = "   "
_TIMES: Final = "×"

_SIZES: Final = {"K": "1,000", "MTok": "1M tokens of", "M": "1M", "G": "1G", "Hour": "hour of"}
"""What the price list's labels of size mean."""

_CONTAINED_IN: Final = {
    "cache_read": "prompt",
    "cache_write": "prompt",
    "cache_write_1h": "cache_write",
    "reasoning": "completion",
}
"""Where a unit costs what the one around it costs, it needs no row of its own."""


def render_price(price: Explanation) -> str:
    """Return a price as text: what applies, why, the rates, and the arithmetic."""
    provider = f" of {price.provider}" if price.provider else ""
    source = price.source or "none, so calls are logged with cost null"
    head = [f"{price.model}{provider}, {_moment(price.at)}", f"Price: {source}", *price.reasons]
    if price.since or price.until:
        since = f"since {_moment(price.since)}" if price.since else ""
        until = f"until {_moment(price.until)}" if price.until else ""
        head.append(f"It holds {' '.join(filter(None, (since, until)))}.")
    blocks = [head]
    if price.bands:
        blocks.append(_rates(price.bands))
    blocks.append(_notes(price))
    if price.lines is not None:
        blocks.append(_arithmetic(price.lines, price.total or Decimal(0)))
    return "\n\n".join("\n".join(map(inert, block)) for block in blocks if block) + "\n"


def render_price_json(price: Explanation) -> str:
    """Return a price as one JSON object: dollars per 1 000 000 tokens, cost in dollars."""
    lines = None
    if price.lines is not None:
        lines = [
            {"unit": x.unit, "tokens": x.tokens, "rate": float(x.rate), "cost": float(x.cost)}
            for x in price.lines
        ]
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "model": price.model,
        "provider": price.provider,
        "at": price.at.isoformat(),
        "cost_source": price.source,
        "listed_as": price.listed_as,
        "reasons": price.reasons,
        "since": price.since.isoformat() if price.since else None,
        "until": price.until.isoformat() if price.until else None,
        "bands": [
            {"above": band.above, **{unit: float(rate) for unit, rate in band.rates.items()}}
            for band in price.bands
        ],
        "other_units": price.other_units,
        "variants": price.variants,
        "near": price.near,
        "lines": lines,
        "cost": None if price.total is None else float(price.total),
    }
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    return inert_json(text)


def _in_words(units: str) -> str:
    """Turn ``$10/web searches K`` into ``$10 per 1,000 web searches``."""
    return re.sub(
        r"/(?P<unit>[^,]+?) (?P<size>\w+)(?=,|$)",
        lambda found: f" per {_SIZES.get(found['size'], found['size'])} {found['unit']}",
        units,
    )


def _notes(price: Explanation) -> list[str]:
    notes = []
    if price.other_units:
        notes.append(f"Also charged: {_in_words(price.other_units)}")
    if price.variants:
        notes.append(f"Other prices for: {'; '.join(price.variants)}")
    if price.near:
        notes.append(f"Similar names: {', '.join(price.near)}")
    if price.source is None:
        notes.append(
            "To give it a price, add [[prices]] with model, prompt and completion "
            "(US dollars per 1 000 000 tokens) to tokenusage.toml."
        )
    return notes


def _rates(bands: tuple[Band, ...]) -> list[str]:
    """Return the table of rates, a column for each band."""
    above = [f"if prompt > {count(band.above)}" for band in bands[1:]]
    rows = [["", "$ per 1M", *above]]
    for unit in UNITS:
        around = _CONTAINED_IN.get(unit)
        prices = [band.rates[unit] for band in bands]
        if around and prices == [band.rates[around] for band in bands]:
            continue
        if unit == "request":
            if any(prices):
                rows.append(["request ($)", *map(_plain, prices)])
        else:
            rows.append([_name(unit), *map(_plain, prices)])
    return _aligned(rows)


def _arithmetic(lines: tuple[CostLine, ...], total: Decimal) -> list[str]:
    rows = []
    for line in lines:
        per = "" if line.unit == "request" else " / 1M"
        rate, cost = f"${_plain(line.rate)}{per}", f"${_plain(line.cost)}"
        rows.append([_name(line.unit), count(line.tokens), _TIMES, rate, "=", cost])
    return _aligned([*rows, ["total", "", "", "", "", f"${_plain(total)}"]])


def _aligned(rows: list[list[str]]) -> list[str]:
    """Return rows of equal length as lines: the first column to the left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(
            text.rjust(width) if place else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]


def _name(unit: str) -> str:
    return unit.replace("_", " ")


def _plain(number: Decimal) -> str:
    """Return all of a number's digits, and at least two decimals."""
    whole, _, decimals = f"{number:f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _moment(moment: datetime) -> str:
    """Return a moment of UTC, to the minute where it is one."""
    whole = moment.second == moment.microsecond == 0
    return f"{moment:%Y-%m-%d %H:%M} UTC" if whole else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
