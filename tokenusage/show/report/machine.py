"""Reports for programs: JSON with a versioned schema, and CSV that loads as it is."""

import csv
from io import StringIO
from typing import Any, Final

from tokenusage.analyse.report import Report, Row
from tokenusage.show.columns import Column, row_model, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.inert import inert_csv
from tokenusage.show.numbers import plain
from tokenusage.show.report.arrange import Block, Order, blocks

SCHEMA: Final = "tokenusage.report/1"


def render_json(report: Report, order: Order) -> str:
    """Return a report as JSON; totals are of all rows, also of those that a limit leaves out."""
    query = report.query
    columns = row_model(percentiles=query.percentiles, means=query.means)
    shown = blocks(report, order)
    document: dict[str, Any] = {"schema": SCHEMA, **question(query), "by": query.by}
    if query.by:
        document["rows"] = _objects(shown[0], columns)
    else:
        document["sections"] = {block.dimensions[0]: _objects(block, columns) for block in shown}
    document["totals"] = row_values(report.totals, columns) | {"users": report.users}
    document["ledger"] = report.ledger.as_dict()
    return to_json(document)


def render_csv(report: Report, order: Order) -> str:
    """Return a report as CSV: a line of column names, then one line a row.

    The overview has its sections below each other, with the columns ``section``
    and ``key`` in front; ``total`` is the first of them. An unknown figure or
    key is an empty cell.
    """
    query = report.query
    columns = row_model(percentiles=query.percentiles, means=query.means)
    names = [inert_csv(column.name) for column in columns]
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    if report.query.by:
        write([*map(inert_csv, report.query.by), *names])
    else:
        write(["section", "key", *names])
        write(["total", "", *_numbers(Row((), report.totals), columns)])
    for block in blocks(report, order):
        section = () if report.query.by else block.dimensions
        for row in block.rows:
            keys = ("" if key is None else inert_csv(key) for key in row.keys)
            write([*section, *keys, *_numbers(row, columns)])
    return text.getvalue()


def _objects(block: Block, columns: tuple[Column, ...]) -> list[dict[str, Any]]:
    return [
        dict(zip(block.dimensions, row.keys, strict=True)) | row_values(row.figures, columns)
        for row in block.rows
    ]


def _numbers(row: Row, columns: tuple[Column, ...]) -> list[str]:
    return [plain(column.value(row.figures)) for column in columns]
