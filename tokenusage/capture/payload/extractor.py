"""genai-prices' extractors, compiled: where each API's payload has which unit.

The list describes every API as paths into the payload, each with the unit that its
figure adds to. Its own `Provider.extract_usage` walks them one by one, takes 40 µs
for it, and raises at the first figure that is missing or no number. Here the paths
become a tree that is walked once, and what is no count is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from genai_prices.data_snapshot import get_snapshot
from genai_prices.data_units import unit_data
from genai_prices.types import ArrayMatch, MatchLogic, ModelPrice, UsageExtractor

from tokenusage.record import MAX_TOKENS

Path = tuple[str | ArrayMatch, ...]
"""Steps into a payload: keys, and items of a list."""

Units = dict[str, int | float]
"""Counts by genai-prices' names of units."""

TOKEN_UNITS: Final = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "output_reasoning_tokens",
    }
)
"""The units that are fields of the record."""


def _priced_units() -> frozenset[str]:
    prices: set[str] = set()
    for provider in get_snapshot().providers:
        for model in provider.models:
            listed = model.prices
            all_prices = [listed] if isinstance(listed, ModelPrice) else [x.prices for x in listed]
            all_prices += [variant.prices for variant in model.price_variants or ()]
            for price in all_prices:
                prices.update(key for key, value in vars(price).items() if value is not None)
    return frozenset(unit for unit, about in unit_data.items() if about["price_key"] in prices)


PRICED_UNITS: Final = _priced_units() | TOKEN_UNITS
"""The units that a model in the list has a price for, and those that are the record's own.

All others break one of these down (`input_text_tokens`), and never change a price.
"""


@dataclass(slots=True)
class _Node:
    """What to do with a mapping: one key of it, and everything that lies behind."""

    units: tuple[str, ...] = ()
    """What the figure under the key adds to."""
    keys: tuple[tuple[str, "_Node"], ...] = ()
    """Where the key holds a mapping: its keys."""
    items: tuple[tuple[str, MatchLogic, "_Node"], ...] = ()
    """Where it holds a list: the first item whose field matches, and what is in that item."""


class Extractor:
    """Reads the units out of the usage payload of one API.

    Args:
        paths: Paths into the payload, each with the unit that its figure adds to.
        fallbacks: Further paths, in order but for those of one key, which come last, for
            units that `paths` finds nothing for: the first count above 0 is the unit's.
    """

    __slots__ = ("_keys", "_nested", "_plain")

    def __init__(
        self,
        paths: Sequence[tuple[Path, str]],
        fallbacks: Sequence[tuple[tuple[str, ...], str]] = (),
    ) -> None:
        self._keys = _tree(paths).keys
        others = [fallback for fallback in fallbacks if fallback not in paths]
        self._plain = tuple((path[0], unit) for path, unit in others if len(path) == 1)
        nested: dict[str, list[tuple[str, tuple[str, ...], str]]] = {}
        for (key, *steps), unit in others:
            if steps:
                nested.setdefault(key, []).append((steps[0], tuple(steps[1:]), unit))
        self._nested = tuple(nested.items())

    def read(self, payload: Mapping[str, Any]) -> Units:
        """Return the counts in a payload; what is missing or no count is left out."""
        units: Units = {}
        _walk(self._keys, payload, units)
        for key, paths in self._nested:
            inner = payload.get(key)
            if not isinstance(inner, dict):
                continue
            for step, rest, unit in paths:
                value = inner.get(step)
                if value and not units.get(unit) and (count := as_count(_at(rest, value))):
                    units[unit] = count
        for key, unit in self._plain:
            value = payload.get(key)
            if value and not units.get(unit) and (count := as_count(value)):
                units[unit] = count
        return units


def paths_of(extractor: UsageExtractor) -> list[tuple[Path, str]]:
    """Return the paths of one of the list's extractors to units that have a price."""
    return [
        ((m.path,) if isinstance(m.path, str) else tuple(m.path), m.dest)
        for m in extractor.mappings
        if m.dest in PRICED_UNITS
    ]


def as_count(value: Any) -> int | float | None:
    """Return a number of units as it can stand in a record, None for what is none."""
    if value.__class__ is int:
        return value if 0 <= value <= MAX_TOKENS else None
    if value.__class__ is float and isfinite(value) and 0 <= value <= MAX_TOKENS:
        return int(value) if value.is_integer() else value
    return None


def _walk(keys: tuple[tuple[str, _Node], ...], data: Mapping[str, Any], units: Units) -> None:
    for key, node in keys:
        value = data.get(key)
        if value is None:
            continue
        if node.units:
            count = as_count(value)
            if count is not None:
                for unit in node.units:
                    units[unit] = units.get(unit, 0) + count
        elif node.keys:
            if isinstance(value, dict):
                _walk(node.keys, value, units)
        elif isinstance(value, list):
            for field, match, inner in node.items:
                item = _first(value, field, match)
                if item is not None:
                    _walk(inner.keys, item, units)


def _at(path: tuple[str, ...], data: Any) -> Any:
    for key in path:
        if not isinstance(data, dict):
            return None
        data = data.get(key)
    return data


def _first(items: list[Any], field: str, match: MatchLogic) -> Mapping[str, Any] | None:
    for item in items:
        if isinstance(item, dict):
            label = item.get(field)
            if isinstance(label, str) and label and match.is_match(label):
                return item
    return None


def _tree(paths: Iterable[tuple[Path, str]]) -> _Node:
    """Return the node of a mapping from which all `paths` start."""
    by_step: dict[str, list[tuple[Path, str]]] = {}
    matches: list[tuple[ArrayMatch, list[tuple[Path, str]]]] = []
    units: list[str] = []
    for path, unit in paths:
        if not path:
            units.append(unit)
            continue
        step, rest = path[0], (path[1:], unit)
        if isinstance(step, str):
            by_step.setdefault(step, []).append(rest)
            continue
        for known, behind in matches:
            if known == step:
                behind.append(rest)
                break
        else:
            matches.append((step, [rest]))
    return _Node(
        units=tuple(units),
        keys=tuple((step, _tree(behind)) for step, behind in by_step.items()),
        items=tuple((step.field, step.match, _tree(behind)) for step, behind in matches),
    )
