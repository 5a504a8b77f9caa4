"""The same group-by in polars: no duplicates checked, no ledger."""

import sys

import polars as pl

print(
    pl.scan_ndjson(f"{sys.argv[1]}/*.jsonl")
    .group_by("user_id", "operation_type", "model_name")
    .agg(
        pl.len().alias("calls"),
        pl.sum("prompt_tokens"),
        pl.sum("completion_tokens"),
        pl.sum("total_tokens"),
        pl.sum("cost_estimate"),
        pl.mean("response_time"),
    )
    .sort("cost_estimate", descending=True)
    .head(20)
    .collect()
)
