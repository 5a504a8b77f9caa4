"""The same group-by with pandas.read_json: no duplicates checked, no ledger."""

import sys
from pathlib import Path

import pandas as pd

frames = [pd.read_json(path, lines=True) for path in sorted(Path(sys.argv[1]).glob("*.jsonl"))]
print(
    pd.concat(frames)
    .groupby(["user_id", "operation_type", "model_name"])
    .agg(
        calls=("success", "size"),
        prompt_tokens=("prompt_tokens", "sum"),
        completion_tokens=("completion_tokens", "sum"),
        total_tokens=("total_tokens", "sum"),
        cost=("cost_estimate", "sum"),
        response_time=("response_time", "mean"),
    )
    .sort_values("cost", ascending=False)
    .head(20)
)
