"""From the fields that are known of a call to its record."""

from datetime import datetime
from typing import Any

from tokenusage.record import BASE_FIELDS, MAX_TOKENS, OPTIONAL_FIELDS, Record
from tokenusage.write.cost import PriceSource
from tokenusage.write.redact import mask_secrets


def build(fields: dict[str, Any], pricer: PriceSource, query_chars: int) -> Record:
    """Return a whole record, its fields in order.

    A call that says nothing else succeeded, unless it has an error message, on
    an unknown model, in an operation called "import". Of prompt, completion and
    total tokens two give the third; a lone prompt is all there is. A failed
    call and a cache hit may be without tokens. A cost that is not there is 0
    for a cache hit, else what `pricer` says.

    Args:
        fields: those that are known, as `tokenusage.ingest.values.convert`
            returns them; the timestamp is a datetime in UTC.
        pricer: asked for the cost where `fields` has none.
        query_chars: how many characters of the query are kept.

    Raises:
        ValueError: time or tokens are missing, or tokens contradict each other.
    """
    at = fields.get("timestamp")
    if at is None:
        raise ValueError("has no timestamp")
    error = fields.get("error_message")
    success = fields.get("success", not error)
    prompt, completion, total = _tokens(fields, required=success and "cache" not in fields)
    known = fields | {
        "timestamp": at.isoformat(timespec="microseconds"),
        "operation_type": fields.get("operation_type") or "import",
        "query": _cut(fields.get("query"), query_chars),
        "model_name": fields.get("model_name") or "unknown",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
        "success": success,
        "error_message": error and mask_secrets(error),
    }
    record = {name: known.get(name) for name in BASE_FIELDS}
    record |= {name: known[name] for name in OPTIONAL_FIELDS if name in known}
    if record["cost_estimate"] is None:
        _price(record, at, pricer)
    return record


def _cut(query: str | None, chars: int) -> str | None:
    return query[:chars] if query is not None and chars else None


def _price(record: Record, at: datetime, pricer: PriceSource) -> None:
    # It spoke of a cost that isn't there.
    record.pop("cost_source", None)
    if "cache" in record:
        record["cost_estimate"] = 0.0
        return
    cost, source = pricer.price(record, at)
    record["cost_estimate"] = cost
    if source is not None:
        record["cost_source"] = source


def _tokens(fields: dict[str, Any], *, required: bool) -> tuple[int, int, int]:
    """Return prompt, completion and total tokens from those that are known."""
    prompt: int | None = fields.get("prompt_tokens")
    completion: int | None = fields.get("completion_tokens")
    total: int | None = fields.get("total_tokens")
    if prompt is None and required and (completion is None or total is None):
        raise ValueError("has no prompt_tokens")
    if prompt is None:
        prompt = 0 if total is None else total - (completion or 0)
    if completion is None:
        completion = 0 if total is None else total - prompt
    if total is None:
        total = prompt + completion
    if min(prompt, completion) < 0:
        raise ValueError(f"total_tokens is {total}, which is less than its parts")
    if total > MAX_TOKENS:
        raise ValueError(f"total_tokens is {total}, not a whole number from 0 to {MAX_TOKENS}")
    return prompt, completion, total
