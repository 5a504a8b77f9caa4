"""A ranking as a table, as Markdown, and for programs as JSON and CSV."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.ranking import Ranked, Ranking, share_of
from tokenusage.analyse.report import Figures
from tokenusage.show import markdown
from tokenusage.show.bars import bar
from tokenusage.show.columns import COLUMNS, Column, row_values
from tokenusage.show.document import question, to_json
from tokenusage.show.fit import GAP, Key, flow, key_column
from tokenusage.show.grid import TOTAL, UNKNOWN, Grid, figure
from tokenusage.show.inert import escape_markdown, inert_csv
from tokenusage.show.numbers import money_places, percent, plain
from tokenusage.show.page import account, hint, lines, page, title
from tokenusage.show.report.cells import Cells, heading, key_text
from tokenusage.show.words import caption, empty_answer, headline, ledger_notes, ledger_parts

SCHEMA: Final = "tokenusage.top/1"

_SHOWN: Final = ("calls", "failed", "total_tokens", "cost", "avg_response_time")
"""Columns of a table; machine formats have the whole row model."""

_COLUMN_OF: Final = {
    "cost": "cost",
    "tokens": "total_tokens",
    "calls": "calls",
    "failures": "failed",
    "response_time": "avg_response_time",
}
"""The column that holds what is ranked by."""

_SHARE_OF: Final = {"failures": "% of failed", "response_time": "% of time"}
"""Headers that are not ``% of`` the measure's name."""

_STAYS: Final = "ranked_by"
"""Stands for the column that is ranked by: under this name it never leaves a table."""

_SHARE: Final = "ranked_share"
"""What a share leaves by: here it stays longer than in a report."""

_FIGURES: Final = frozenset({"calls", "total_tokens"})
"""The columns for which that of the e-mails leaves."""

_LEAST_BAR: Final = 8
_LONGEST_BAR: Final = 24


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table for people."""

    rank: str
    names: tuple[str, str]
    """The name, and the e-mail."""
    figures: Figures
    share: str
    cumulative: str
    of_largest: float = 0.0
    style: str = ""


def render_table(
    ranking: Ranking, *, width: int, terminal: bool, blocks: bool, command: str
) -> str:
    """Return a ranking as a table, or as some sentences where there are no calls.

    Args:
        ranking: the answer.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        blocks: bars of block characters, else of ``#``.
        command: how the person started it, for a hint that can be typed.
    """
    report = ranking.report
    head = caption(report.query, report.logs, _title(ranking))
    parts: list[RenderableType] = [title(head, width)]
    if ranking.rows:
        parts += [lines(flow(headline(report), width)), Text()]
        if _has_names(ranking):
            parts += _table(ranking, width, terminal=terminal, blocks=blocks)
        else:
            parts += [Text(_no_names(ranking)), Text()]
    else:
        answer = empty_answer(report.ledger, report.newest_day, report.logs, command)
        parts += [Text(), hint(answer), Text()]
    parts += account(
        ledger_parts(report.ledger, report.totals.unpriced), ledger_notes(report.ledger), width
    )
    return page(parts, width, terminal=terminal)


def render_markdown(ranking: Ranking, *, command: str) -> str:
    """Return a ranking as a Markdown section; `command` is as for `render_table`."""
    report = ranking.report
    parts = markdown.title(caption(report.query, report.logs, _title(ranking)))
    if ranking.rows:
        parts.append(f"**{markdown.prose(headline(report))}**")
        parts.append(_markdown_table(ranking) if _has_names(ranking) else _no_names(ranking))
    else:
        answer = empty_answer(report.ledger, report.newest_day, report.logs, command)
        parts += markdown.hint(answer)
    account_parts = ledger_parts(report.ledger, report.totals.unpriced)
    return markdown.section([*parts, *markdown.account(account_parts, ledger_notes(report.ledger))])


def render_json(ranking: Ranking) -> str:
    """Return a ranking as JSON; totals are of all rows, also of those that a limit leaves out."""
    report = ranking.report
    document: dict[str, Any] = {
        "schema": SCHEMA,
        **question(report.query),
        "ranked": ranking.what,
        "by": ranking.measure,
        "rows": [_values(ranking, row) for row in ranking.rows],
        "more": ranking.hidden,
        "rest": row_values(ranking.rest, COLUMNS) if ranking.rest else None,
        "totals": row_values(report.totals, COLUMNS) | {"users": report.users},
        "ledger": report.ledger.as_dict(),
    }
    return to_json(document)


def render_csv(ranking: Ranking) -> str:
    """Return a ranking as CSV: a line of column names, then a line a row.

    An unknown figure or name is an empty cell; what the limit leaves out is not there.
    """
    names = ["rank", *ranking.dimensions, *(column.name for column in COLUMNS)]
    text = StringIO()
    write = csv.writer(text, lineterminator="\n").writerow
    write([*names, "share", "cumulative_share"])
    for row in ranking.rows:
        values = _values(ranking, row).values()
        write([inert_csv(v) if isinstance(v, str) else plain(v) for v in values])
    return text.getvalue()


def _values(ranking: Ranking, row: Ranked) -> dict[str, Any]:
    """Return a row as machine formats show it, in order."""
    return {
        "rank": row.rank,
        **dict(zip(ranking.dimensions, (row.name, row.email), strict=False)),
        **row_values(row.figures, COLUMNS),
        "share": row.share,
        "cumulative_share": row.cumulative_share,
    }


def _title(ranking: Ranking) -> str:
    """Return what is ranked by what: ``Top users by response time``."""
    by = ranking.measure.replace("_", " ")
    return f"Top {ranking.what} by {'average ' * (by == 'response time')}{by}"


def _has_names(ranking: Ranking) -> bool:
    return ranking.rows[0].rank is not None


def _no_names(ranking: Ranking) -> str:
    return f"No call has a {ranking.dimensions[0]} in this period."


def _dimensions(ranking: Ranking) -> tuple[str, ...]:
    """Return the columns of names; that of e-mails only where there is one to show."""
    has_emails = any(row.email and row.email != row.name for row in ranking.rows)
    return ranking.dimensions if has_emails else ranking.dimensions[:1]


def _email(row: Ranked) -> str:
    """Return the e-mail of a user as it prints: not where it is the user's name again."""
    return "" if row.email == row.name else key_text("email", row.email)


def _lines(ranking: Ranking) -> list[_Line]:
    """Return the ranked rows, one for those that the limit left out, and one without a name."""
    ranked = [row for row in ranking.rows if row.rank]
    found = []
    for row in ranked:
        names = (key_text(ranking.dimensions[0], row.name), _email(row))
        share, cumulative = map(_percent, (row.share, row.cumulative_share))
        found.append(_Line(str(row.rank), names, row.figures, share, cumulative, row.of_largest))
    if ranking.rest:
        found.append(_apart(ranking, f"{ranking.hidden:,} more", ranking.rest, "dim"))
    for row in ranking.rows[len(ranked) :]:
        label = f"without a {ranking.dimensions[0]}"
        found.append(_apart(ranking, label, row.figures, "dim"))
    return found


def _total(ranking: Ranking) -> _Line:
    return _apart(ranking, TOTAL, ranking.report.totals, "bold")


def _apart(ranking: Ranking, label: str, group: Figures, style: str) -> _Line:
    """Return a row without a rank."""
    share = _percent(share_of(group, ranking.report.totals, ranking.measure))
    return _Line("", (label, ""), group, share, "", style=style)


def _percent(fraction: float | None) -> str:
    return UNKNOWN if fraction is None else percent(fraction, 0)


def _cells(totals: Figures) -> Cells:
    columns = tuple(column for column in COLUMNS if column.name in _SHOWN)
    return Cells(columns, totals, {"cost": money_places(totals.cost or 0)})


def _headers(ranking: Ranking, columns: Sequence[Column]) -> dict[str, str]:
    """Return the headers of the columns of figures, by the names by which they leave."""
    ranked_by = _COLUMN_OF[ranking.measure]
    headers = {_STAYS if c.name == ranked_by else c.name: c.header for c in columns}
    share = _SHARE_OF.get(ranking.measure, f"% of {ranking.measure}")
    return headers | {_SHARE: share, "cumulative_share": "Cum."}


def _texts(cells: Cells, ranking: Ranking, line: _Line) -> dict[str, Text]:
    """Return the figures of a row as they print, by the same names."""
    ranked_by = _COLUMN_OF[ranking.measure]
    texts = {}
    for column in cells.columns:
        is_bad = column.name == "failed" and line.figures.failed
        text = figure(cells.text(column, line.figures), "red" if is_bad else "")
        texts[_STAYS if column.name == ranked_by else column.name] = text
    return texts | {_SHARE: figure(line.share), "cumulative_share": figure(line.cumulative)}


def _table(ranking: Ranking, width: int, *, terminal: bool, blocks: bool) -> list[RenderableType]:
    cells = _cells(ranking.report.totals)
    shown, total = _lines(ranking), _total(ranking)
    headers = _headers(ranking, cells.columns)
    texts = [_texts(cells, ranking, line) for line in (*shown, total)]
    widths = {name: max(len(row[name].plain) for row in texts) for name in headers}
    # An e-mail is worth less than the figures that it would take the place of.
    for dimensions in (_dimensions(ranking), ranking.dimensions[:1]):
        keys = _keys(dimensions, shown)
        room = width - sum(GAP + max(len(headers[name]), widths[name]) for name in headers)
        room -= sum(key.natural + GAP for key in keys)
        long = max(_LEAST_BAR, min(room, _LONGEST_BAR))
        grid = Grid(width, keys, headers | {"bar": ""}, widths | {"bar": long}, terminal=terminal)
        if _FIGURES.intersection(headers) <= grid.staying.keys():
            break
    table = grid.table(["#".rjust(keys[0].natural), *map(heading, dimensions)])
    for line, row in zip(shown, texts, strict=False):
        drawn = bar(line.of_largest, long, blocks=blocks)
        _add(grid, table, line, row | {"bar": Text(drawn, style="cyan")})
    sums = grid.table()
    _add(grid, sums, total, texts[-1] | {"bar": Text()})
    return [table, grid.rule() if terminal else Text(), sums, Text()]


def _add(grid: Grid, table: Any, line: _Line, texts: Mapping[str, Text]) -> None:
    keys = [line.rank.rjust(grid.keys[0]), *line.names]
    grid.add(table, keys[: len(grid.keys)], texts, line.style)


def _keys(dimensions: Sequence[str], shown: Sequence[_Line]) -> list[Key]:
    """Return the widths of the columns of names; ranks are never cut."""
    ranks = max(cell_len(line.rank) for line in shown)
    keys = [Key(ranks, ranks)]
    for place, dimension in enumerate(dimensions):
        names = [heading(dimension), *(line.names[place] for line in shown if line.rank)]
        labels = [TOTAL, *(line.names[0] for line in shown if not line.rank)] if not place else []
        keys.append(key_column(names, labels, rigid=False, beside=len(dimensions)))
    return keys


def _markdown_table(ranking: Ranking) -> str:
    cells = _cells(ranking.report.totals)
    dimensions = _dimensions(ranking)
    heads = [heading(dimension).capitalize() for dimension in dimensions]
    headers = _headers(ranking, cells.columns)
    rows = [
        ["#", *heads, *headers.values()],
        ["---:", *["---"] * len(heads), *["---:"] * len(headers)],
    ]
    for line in (*_lines(ranking), _total(ranking)):
        texts = _texts(cells, ranking, line)
        names = list(map(escape_markdown, line.names[: len(dimensions)]))
        if line.style == "bold":
            names[0] = f"**{names[0].capitalize()}**"
        rows.append([line.rank, *names, *(escape_markdown(texts[n].plain) for n in headers)])
    return "\n".join(map(markdown.table_line, rows))
