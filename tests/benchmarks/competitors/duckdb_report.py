"""The same group-by in duckdb: no duplicates checked, no ledger."""

import sys

import duckdb

result = duckdb.sql(
    f"""
    select user_id, operation_type, model_name, count(*) as calls,
        sum(prompt_tokens), sum(completion_tokens), sum(total_tokens),
        sum(cost_estimate) as cost, avg(response_time)
    from read_json('{sys.argv[1]}/*.jsonl', format = 'newline_delimited')
    group by all order by cost desc limit 20
    """
)
print(result)
