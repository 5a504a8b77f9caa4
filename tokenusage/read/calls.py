"""From day files to the frame of calls that every question is asked of.

The frame has a row for each record that counts, in order of file name and line:

| column | dtype | |
|---|---|---|
| time | int64 | microseconds since the epoch, UTC |
| user, operation, model | category of str | user is null where the record has none |
| prompt_tokens, completion_tokens, total_tokens | int | |
| cost_pico, priced | int, bool | picodollars; 0 and False where unknown |
| response_micro, timed | int, bool | microseconds; 0 and False where unknown |
| failed, hit, estimated | bool | not `success`; `cache` is set; tokens were estimated |

and one more for each other field that is asked for: int with 0 for null for the
counts in `columns.COUNTS`, else category of str; under its short name (`session`)
where it has one. Where the table says int, it is the narrowest type that holds the
column.
"""

import pandas as pd
import pyarrow as pa


def frame_of(table: pa.Table, fields: tuple[str, ...]) -> pd.DataFrame:
    """Return records that `shape.columns_of` has shaped as the frame of calls.

    Args:
        table: the records, some of them or all; it is of no use afterwards.
        fields: those that were asked for, as in `Plan.fields`.
    """
    if "dropped" not in fields:
        table = table.drop_columns("dropped")
    ids = table["id"]
    table = table.drop_columns("id")
    if "id" in fields:
        table = table.append_column("id", ids.dictionary_encode())
    del ids
    frame: pd.DataFrame = table.unify_dictionaries().to_pandas(
        split_blocks=True, self_destruct=True
    )
    return frame
