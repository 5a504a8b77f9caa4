"""The rows of a report as they are exported: those of its CSV, in its order."""

from typing import Any

import orjson

from tokenusage.analyse.report import Figures, Report, Row
from tokenusage.show.columns import COLUMNS, row_values
from tokenusage.show.inert import inert, inert_json


def key_names(report: Report) -> tuple[str, ...]:
    """Return the names of the columns of keys; the overview tells its sections apart by one."""
    return tuple(map(inert, report.query.by)) or ("section", "key")


def rows_of(report: Report) -> list[dict[str, Any]]:
    """Return each row by column name; the overview begins with the row of its totals."""
    if report.query.by:
        return [_row(key_names(report), row.keys, row.figures) for row in report.rows]
    total = Row(("total", None), report.totals)
    rows = [
        Row((section, *row.keys), row.figures)
        for section, of_section in report.sections.items()
        for row in of_section
    ]
    return [_row(key_names(report), row.keys, row.figures) for row in (total, *rows)]


def render_jsonl(report: Report) -> str:
    """Return a JSON object a row, in a line each, that does no harm to a terminal."""
    lines = (orjson.dumps(row).decode() for row in rows_of(report))
    return "".join(f"{inert_json(line)}\n" for line in lines)


def _row(names: tuple[str, ...], keys: tuple[str | None, ...], figures: Figures) -> dict[str, Any]:
    return dict(zip(names, keys, strict=True)) | row_values(figures, COLUMNS)
