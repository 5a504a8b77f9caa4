from datetime import UTC, datetime
from typing import Any

import pytest

from tokenusage.ingest.build import build
from tokenusage.record import BASE_FIELDS, Record

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


class CentPerCall:
    """Prices every call at a cent, but for one model that it does not know."""

    def price(self, record: Record, at: datetime) -> tuple[float | None, str | None]:
        """Return a cost and its source."""
        known = record["model_name"] == "gpt-4o" and at == AT
        return (0.01, "test") if known else (None, None)


def made(**fields: Any) -> Record:
    return build({"timestamp": AT, "prompt_tokens": 5, **fields}, CentPerCall(), 10)


def test_a_bare_row_is_a_whole_record() -> None:
    """Time and prompt tokens are enough; the rest has a value that claims nothing."""
    record = made()
    assert list(record) == list(BASE_FIELDS)
    assert record["timestamp"] == "2026-11-20T12:00:00.000000+00:00"
    assert (record["model_name"], record["operation_type"]) == ("unknown", "import")
    assert (record["total_tokens"], record["success"], record["cost_estimate"]) == (5, True, None)


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2}, (3, 2, 5)),
        ({"prompt_tokens": 3, "total_tokens": 5}, (3, 2, 5)),
        ({"completion_tokens": 2, "total_tokens": 5}, (3, 2, 5)),
        ({"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 9}, (3, 2, 9)),
        ({"success": False}, (0, 0, 0)),
        ({"cache": "session"}, (0, 0, 0)),
    ],
)
def test_two_counts_give_the_third(fields: dict[str, Any], tokens: tuple[int, int, int]) -> None:
    """Two of the token counts give the third; failures and cache hits may have none."""
    record = build({"timestamp": AT, **fields}, CentPerCall(), 10)
    counts = record["prompt_tokens"], record["completion_tokens"], record["total_tokens"]
    assert counts == tokens


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"prompt_tokens": 1}, "has no timestamp"),
        ({"timestamp": AT}, "has no prompt_tokens"),
        ({"timestamp": AT, "total_tokens": 5}, "has no prompt_tokens"),
        ({"timestamp": AT, "prompt_tokens": 5, "total_tokens": 4}, "less than its parts"),
        ({"timestamp": AT, "prompt_tokens": 10**12, "completion_tokens": 1}, "total_tokens is"),
    ],
)
def test_what_is_no_record(fields: dict[str, Any], reason: str) -> None:
    """Missing or contradicting fields are a reason, and never a guess."""
    with pytest.raises(ValueError, match=reason):
        build(fields, CentPerCall(), 10)


def test_costs() -> None:
    """A given cost stays, a missing one is priced at the call's time, a cache hit costs 0."""
    assert made(cost_estimate=0.5)["cost_estimate"] == 0.5
    priced = made(model_name="gpt-4o", cost_source="old list")
    assert (priced["cost_estimate"], priced["cost_source"]) == (0.01, "test")
    assert made(model_name="gpt-4o", cache="session")["cost_estimate"] == 0.0


def test_an_error_message_is_a_failure_without_its_secrets() -> None:
    """A row with an error and no success failed; keys in the message are masked."""
    record = made(error_message="401: api_key=sk-abcdef123456")
    assert record["success"] is False
    assert "abcdef" not in record["error_message"]
    assert made(error_message="", success=True)["success"] is True


def test_the_query_is_cut() -> None:
    """Of a query as much is kept as the configuration says, none for 0."""
    assert made(query="x" * 50)["query"] == "x" * 10
    assert (
        build({"timestamp": AT, "prompt_tokens": 1, "query": "x"}, CentPerCall(), 0)["query"]
        is None
    )
