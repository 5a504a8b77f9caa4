from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tokenusage.errors import WrongUseError
from tokenusage.ingest.mapping import Mapping, find, parse_mapping
from tokenusage.ingest.source import Row, Source
from tokenusage.record import FIELDS


def mapping(*maps: str, sets: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> Mapping:
    return parse_mapping(maps, sets, only, UTC)


def row(**values: Any) -> Row:
    return Row(1, b"", values)


def test_constants_go_over_columns_of_the_same_name() -> None:
    """A field is what --set says, else its mapped column, else the column of its name."""
    chosen = mapping("model_name=model", sets=("provider=azure",))
    fields = chosen.fields(row(model="gpt-4o", model_name="x", provider="y", user_id=7, other=1))
    assert fields == {"model_name": "gpt-4o", "provider": "azure", "user_id": 7}


def test_an_empty_constant_leaves_the_field_unset() -> None:
    """--set FIELD= keeps a column of the field's name out."""
    assert mapping(sets=("id=",)).fields(row(id="5", user_id=1)) == {"user_id": 1}


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": {"b": 2}}, "a.b", 2),
        ({"a": {"b.c": {"d": 3}}}, "a.b.c.d", None),
        ({"a": {"b.c": 3}}, "a.b.c", 3),
        ({"a": {"b": None}}, "a.b.c", None),
        ({"a": [1]}, "a.0", None),
        ({"a": 1}, "a.", None),
    ],
)
def test_paths(values: dict[str, Any], path: str, expected: Any) -> None:
    """A path reaches into nested objects; a whole name with dots comes first."""
    assert find(values, path) == expected


def test_tags_are_fields() -> None:
    """tags.NAME is a target beside a tags object, and goes over it."""
    chosen = mapping("tags.team=org.team", sets=("tags.env=prod",))
    fields = chosen.fields(row(tags={"team": "old", "n": 1}, org={"team": "search"}))
    assert fields["tags"] == {"team": "search", "n": 1, "env": "prod"}


def test_a_mapped_cost_is_the_providers() -> None:
    """A mapped cost has the source "provider" unless it says another, a missing one has none."""
    assert mapping("cost_estimate=c").fields(row(c="0.5"))["cost_source"] == "provider"
    assert mapping("cost_estimate=c", sets=("cost_source=litellm",)).fields(row(c=1)) == {
        "cost_estimate": 1,
        "cost_source": "litellm",
    }
    assert "cost_source" not in mapping("cost_estimate=c").fields(row(c=None))
    assert "cost_source" not in mapping().fields(row(cost_estimate=0.5))


def test_only_compares_as_text() -> None:
    """--only compares numbers and truths as JSON writes them; all conditions must hold."""
    chosen = mapping(only=("event.kind=call", "n=5", "ok=true", "gone="))
    assert chosen.selects(row(event={"kind": "call"}, n=5, ok=True, gone=None))
    assert not chosen.selects(row(event={"kind": "call"}, n="6", ok="true"))
    assert not chosen.selects(row(event={"kind": "call"}, n=5, ok=True, gone={}))


def test_foreign_fields_are_kept_of_our_own_rows_only() -> None:
    """Without --map unknown fields of a row pass through, with one nothing else is taken."""
    assert mapping().extras(row(user_id=1, mine={"x": 1})) == {"mine": {"x": 1}}
    assert mapping("user_id=u").extras(row(u=1, prompt="secret")) == {}


def test_times_without_a_zone_are_in_that_of_the_mapping() -> None:
    """The zone is given to the fields' conversion."""
    chosen = parse_mapping(["timestamp=t"], [], [], ZoneInfo("Asia/Tokyo"))
    moment = chosen.fields(row(t="2026-11-20 09:00"))["timestamp"]
    assert moment == datetime(2026, 11, 20, tzinfo=UTC)


def test_the_digest_tells_mappings_apart() -> None:
    """Columns, constants, zone and header change it; the order of options and --only do not."""
    one = mapping("user_id=u", "query=q", sets=("items=1",))
    assert one.digest(b"") == mapping("query=q", "user_id=u", sets=("items=1",)).digest(b"")
    assert one.digest(b"") == mapping(
        "user_id=u", "query=q", sets=("items=1",), only=("a=b",)
    ).digest(b"")
    others = [
        mapping("user_id=q", "query=u", sets=("items=1",)),
        mapping("user_id=u", "query=q", sets=("items=2",)),
        parse_mapping(["user_id=u", "query=q"], ["items=1"], [], ZoneInfo("Asia/Tokyo")),
    ]
    digests = {chosen.digest(b"") for chosen in (one, *others)} | {one.digest(b"u,q")}
    assert len(digests) == 5


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_a_target(field: str) -> None:
    """Base fields and optional ones can be mapped, each from a column of any name."""
    assert mapping(f"{field}=column").columns == {field: "column"}


@pytest.mark.parametrize(
    ("maps", "sets", "only", "part"),
    [
        (["promt_tokens=x"], [], [], "Did you mean prompt_tokens?"),
        (["tag.team=x"], [], [], "Did you mean tags.NAME?"),
        (["tags.=x"], [], [], "tags."),
        (["tags.timestamp=x"], [], [], "timestamp"),
        (["query"], [], [], "is not FIELD=COLUMN"),
        (["query="], [], [], "is not FIELD=COLUMN"),
        ([], ["=x"], [], "is not FIELD=VALUE"),
        ([], [], ["event"], "is not COLUMN=VALUE"),
        (["query=a", "query=b"], [], [], "second time"),
        (["query=a"], ["query=b"], [], "second time"),
        ([], ["prompt_tokens=many"], [], "--set prompt_tokens"),
        ([], ["timestamp=soon"], [], "--set timestamp"),
        ([], ["id=1"], [], "one id"),
        ([], ["query=\udcff"], [], "not UTF-8"),
    ],
)
def test_wrong_options(maps: list[str], sets: list[str], only: list[str], part: str) -> None:
    """A wrong option is named in a sentence, with the nearest right word."""
    with pytest.raises(WrongUseError, match=part.replace("?", r"\?")):
        parse_mapping(maps, sets, only, UTC)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("calls.csv", b"ContextTokens,TIMESTAMP\n"),
        ("calls.jsonl", b'{"usage": {"ContextTokens": 1}}\n'),
    ],
)
def test_a_column_that_a_file_does_not_have(tmp_path: Path, name: str, data: bytes) -> None:
    """A column in no row at all is refused, and the nearest one named."""
    path = tmp_path / name
    path.write_bytes(data)
    nearest = "usage.ContextTokens" if name.endswith("jsonl") else "ContextTokens"
    with pytest.raises(WrongUseError, match=f"Did you mean {nearest}\\?"):
        mapping("prompt_tokens=ContextTokns").check_columns(Source(path))


def test_a_column_that_some_rows_have(tmp_path: Path) -> None:
    """In JSON lines one row with the column is enough, and an empty file is no reason to stop."""
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b'{"a": 1}\nbroken\n{"b": {"c": null}}\n')
    mapping("query=b.c", only=("a=1",)).check_columns(Source(path))
    path.write_bytes(b"\n")
    mapping("query=b.c").check_columns(Source(path))
