"""genai-prices' extractors, compiled, against the library itself."""

from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ArrayMatch, ClauseEquals, Usage, UsageExtractor
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenusage.capture.payload.extractor import (
    PRICED_UNITS,
    TOKEN_UNITS,
    Extractor,
    as_count,
    paths_of,
)
from tokenusage.record import MAX_TOKENS

EXTRACTORS = [
    (f"{provider.id}/{extractor.api_flavor}", extractor)
    for provider in get_snapshot().providers
    for extractor in provider.extractors or ()
]
COUNTS = st.integers(0, 10**6) | st.none() | st.just(0.0) | st.sampled_from([3.0, "7", {}, []])


def put(payload: dict[str, Any], path: list[Any], value: Any) -> None:
    """Put a value into a payload where an extractor's path leads."""
    step, *rest = path
    if not rest:
        payload[step] = value
    elif isinstance(rest[0], ArrayMatch):
        match = rest[0].match
        assert isinstance(match, ClauseEquals)
        items = payload.setdefault(step, [])
        item = next((x for x in items if x[rest[0].field] == match.equals), None)
        if item is None:
            item = {rest[0].field: match.equals}
            items.append(item)
        put(item, rest[1:], value)
    else:
        put(payload.setdefault(step, {}), rest, value)


@pytest.mark.parametrize(("name", "extractor"), EXTRACTORS, ids=[name for name, _ in EXTRACTORS])
def test_compiled_extractor_reads_what_the_library_reads(
    name: str, extractor: UsageExtractor
) -> None:
    """Where genai-prices does not raise, the units that have a price are the same."""
    root = [extractor.root] if isinstance(extractor.root, str) else list(extractor.root)
    compiled = Extractor(paths_of(extractor))
    paths = {
        str(m.path): [m.path] if isinstance(m.path, str) else list(m.path)
        for m in extractor.mappings
    }

    @settings(max_examples=25)
    @given(st.fixed_dictionaries(dict.fromkeys(paths, COUNTS)))
    def compare(drawn: dict[str, Any]) -> None:
        payload: dict[str, Any] = {}
        for path, value in drawn.items():
            if value is not None:
                put(payload, paths[path], value)
        body: dict[str, Any] = {}
        put(body, root, payload)
        ours = compiled.read(payload)
        try:
            _, usage = extractor.extract(body)
        except ValueError:
            return  # the library wants something here that may be missing
        assert ours == {u: n for u, n in vars(usage).items() if u in PRICED_UNITS}, name

    compare()


def test_units_that_only_break_others_down_change_no_price() -> None:
    """With or without the units that have no price, every model in the list costs the same."""
    media = {"audio": 200, "image": 200, "video": 200}
    kept = {
        "input_tokens": 9000,
        "output_tokens": 900,
        "cache_read_tokens": 300,
        "cache_write_tokens": 200,
        "output_reasoning_tokens": 100,
        **{f"input_{kind}_tokens": count for kind, count in media.items()},
        **{f"output_{kind}_tokens": count for kind, count in media.items()},
        "cache_audio_read_tokens": 20,
        "cache_image_read_tokens": 20,
    }
    read = {mapping.dest for _, extractor in EXTRACTORS for mapping in extractor.mappings}
    left_out = dict.fromkeys(read - PRICED_UNITS, 10)
    assert {"input_text_tokens", "output_text_tokens", "cache_write_5m_tokens"} <= left_out.keys()
    for provider in get_snapshot().providers:
        for model in provider.models:
            price = model.calc_price(Usage(**kept), provider).total_price
            assert model.calc_price(Usage(**kept, **left_out), provider).total_price == price


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (5, 5),
        (0, 0),
        (7.0, 7),
        (1.5, 1.5),
        (MAX_TOKENS, MAX_TOKENS),
        (MAX_TOKENS + 1, None),
        (-1, None),
        (True, None),
        ("5", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ([1], None),
        (Decimal(3), None),
    ],
)
def test_count_is_a_number_that_a_record_can_hold(value: Any, count: float | None) -> None:
    """What is no count is left out, and never raises."""
    assert as_count(value) == count


def test_fallback_is_read_where_the_path_finds_nothing() -> None:
    """The first count above 0 among the fallbacks is the unit's; a count of the path stays."""
    extractor = Extractor(
        [(("a",), "cache_read_tokens")],
        [(("b", "c"), "cache_read_tokens"), (("d",), "cache_read_tokens")],
    )
    assert extractor.read({"a": 0, "b": {"c": 4}, "d": 5}) == {"cache_read_tokens": 4}
    assert extractor.read({"a": 1, "b": {"c": 4}}) == {"cache_read_tokens": 1}
    assert extractor.read({"b": [4], "d": 5}) == {"cache_read_tokens": 5}


def test_tokens_of_the_record_are_read_though_they_have_no_price() -> None:
    """Every field of the record is among the units that are kept."""
    assert TOKEN_UNITS <= PRICED_UNITS
