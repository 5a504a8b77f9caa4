"""Comparisons of two periods for programs: JSON with a versioned schema, and CSV."""

import csv
from io import StringIO
from typing import Any, Final

from tokenusage.analyse.compare import Comparison, Keys, Pair
from tokenusage.analyse.query import TIME_DIMENSIONS
from tokenusage.analyse.report import Figures
from tokenusage.show.columns import Column, row_model, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.inert import inert_csv
from tokenusage.show.numbers import plain
from tokenusage.show.report.arrange import Order
from tokenusage.show.report.pairs import PairBlock, machine_blocks

SCHEMA: Final = "tokenusage.comparison/1"

_DECIMALS: Final = 9
"""Of differences and changes; beyond them is what binary fractions leave over."""


def render_comparison_json(comparison: Comparison, order: Order) -> str:
    """Return a comparison as JSON.

    A row is one of the report, with ``before``: that of the other period, null where it has
    none; ``difference`` and ``change``, a fraction of what was before.
    """
    report, before = comparison.report, comparison.before
    columns = _columns(comparison)
    shown = machine_blocks(comparison, order)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        **question(report.query),
        "before_period": question(before.query)["period"],
        "by": report.query.by,
    }
    if report.query.by:
        document["rows"] = [_object(shown[0], pair, columns) for pair in shown[0].rows]
    else:
        document["sections"] = {
            block.dimensions[0]: [_object(block, pair, columns) for pair in block.rows]
            for block in shown
        }
    totals = comparison.totals
    document["totals"] = {
        **row_values(report.totals, columns),
        "users": report.users,
        "before": row_values(before.totals, columns) | {"users": before.users},
        **_changes(totals, columns),
    }
    document["ledger"] = report.ledger.as_dict()
    document["before_ledger"] = before.ledger.as_dict()
    return to_json(document)


def render_comparison_csv(comparison: Comparison, order: Order) -> str:
    """Return a comparison as CSV: of each figure both sides, their difference and the change.

    The columns of the cost are ``cost``, ``cost_before``, ``cost_difference`` and
    ``cost_change``, a fraction; those of the other figures are named alike. A
    dimension of time has two, ``day`` and ``day_before``. The overview has its sections below
    each other, with ``section``, ``key`` and ``key_before`` in front. What is unknown, or was
    not there, is an empty cell.
    """
    by = comparison.report.query.by
    columns = _columns(comparison)
    names = [
        inert_csv(f"{column.name}{side}")
        for column in columns
        for side in ("", "_before", "_difference", "_change")
    ]
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    if by:
        write([*(inert_csv(head) for name in by for head in _heads(name)), *names])
    else:
        write(["section", "key", "key_before", *names])
        write(["total", "", "", *_numbers(comparison.totals, columns)])
    for block in machine_blocks(comparison, order):
        for pair in block.rows:
            if by:
                both = zip(by, pair.keys, pair.before_keys, strict=True)
                keys = [key for name, *keys in both for key in keys[: len(_heads(name))]]
            else:
                keys = [*block.dimensions, pair.keys[0], pair.before_keys[0]]
            cells = ("" if key is None else inert_csv(key) for key in keys)
            write([*cells, *_numbers(pair, columns)])
    return text.getvalue()


def _columns(comparison: Comparison) -> tuple[Column, ...]:
    query = comparison.report.query
    return row_model(percentiles=query.percentiles, means=query.means)


def _heads(dimension: str) -> list[str]:
    is_time = dimension in TIME_DIMENSIONS
    return [dimension, f"{dimension}_before"] if is_time else [dimension]


def _object(block: PairBlock, pair: Pair, columns: tuple[Column, ...]) -> dict[str, Any]:
    def side(keys: Keys, figures: Figures) -> dict[str, Any]:
        return dict(zip(block.dimensions, keys, strict=True)) | row_values(figures, columns)

    before = None if pair.before is None else side(pair.before_keys, pair.before)
    now = side(pair.keys, pair.now or Figures())
    return {**now, "before": before, **_changes(pair, columns)}


def _changes(pair: Pair, columns: tuple[Column, ...]) -> dict[str, dict[str, float | None]]:
    sums = [_change(pair, column) for column in columns]
    return {
        "difference": {column.name: d for column, (d, _) in zip(columns, sums, strict=True)},
        "change": {column.name: c for column, (_, c) in zip(columns, sums, strict=True)},
    }


def _change(pair: Pair, column: Column) -> tuple[float | None, float | None]:
    """Return the difference, and it as a fraction; None is unknown."""
    if pair.is_alone:
        return None, None
    now = column.value(pair.now or Figures())
    before = column.value(pair.before or Figures())
    if now is None or before is None:
        return None, None
    difference = now - before
    fraction = round(difference / abs(before), _DECIMALS) if before else None
    return round(difference, _DECIMALS), fraction


def _numbers(pair: Pair, columns: tuple[Column, ...]) -> list[str]:
    numbers: list[str] = []
    for column in columns:
        sides = (pair.now or Figures(), pair.before)
        values = [None if side is None else column.value(side) for side in sides]
        numbers += map(plain, (*values, *_change(pair, column)))
    return numbers
