"""Reports along time as bars beside their figures, in plain characters or blocks.

Series are told apart by what their segments are filled with; a terminal adds colours.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from tokenusage.analyse.chart import Chart, chart_of
from tokenusage.analyse.report import Figures, Report
from tokenusage.show import markdown
from tokenusage.show.bars import bar
from tokenusage.show.columns import COLUMNS, Column
from tokenusage.show.fit import GAP, Key, fit, flow, shrink
from tokenusage.show.grid import BAR, TOTAL, UNKNOWN, Grid, figure
from tokenusage.show.numbers import count, percent
from tokenusage.show.page import account, lines, page, title
from tokenusage.show.report.arrange import TABLE_ROWS
from tokenusage.show.report.cells import Cells, cells_of, heading, key_text
from tokenusage.show.words import caption, headline, ledger_notes, ledger_parts

LEAST_BAR: Final = 24
"""Characters that the longest bar has before a column of figures has to leave."""

FILLS: Final = "█▒#░=+·"
PLAIN_FILLS: Final = "#=+o:x."
"""The same for terminals without block characters; one for each of `chart.MOST_SERIES`."""

_COLOURS: Final = ("cyan", "magenta", "green", "blue", "yellow", "cyan", "bright_black")
_SHOWN: Final = ("calls", "total_tokens", "cost")
"""The figures beside the bars."""
_NAME: Final = 32
"""Characters of a name in the legend."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What bars are of, and what they are made of."""

    column: Column
    """A figure that adds up."""
    blocks: bool = True
    """With block characters."""
    limit: int | None = None
    """How many bars, the last ones; None is as many as a table has rows."""

    def measure(self, figures: Figures) -> int:
        """Return how long a bar is, in units that add up."""
        return int(getattr(figures, str(self.column.sum_name)))


def measured(column: Column | None, totals: Figures) -> Column:
    """Return what a chart is of: what was asked for, else the cost, else the calls."""
    model = {one.name: one for one in COLUMNS}
    return column or model["cost" if totals.cost_pico else "calls"]


def render_chart(
    report: Report, drawing: Drawing, *, width: int, terminal: bool, now: datetime
) -> str:
    """Return a report, which is not empty, as a page with a chart.

    Args:
        report: the answer, by a time or by a time and another dimension.
        drawing: what is drawn, and how.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR) and rules.
        now: the present.
    """
    parts: list[RenderableType] = [
        title(caption(report.query, report.logs), width),
        lines(flow(headline(report), width)),
        Text(),
        *chart_parts(report, drawing, width=width, terminal=terminal, now=now),
        *account(
            ledger_parts(report.ledger, report.totals.unpriced), ledger_notes(report.ledger), width
        ),
    ]
    return page(parts, width, terminal=terminal)


def render_chart_markdown(report: Report, drawing: Drawing, *, width: int, now: datetime) -> str:
    """Return a report, which is not empty, as a Markdown section with its chart as code."""
    drawn = chart_parts(report, drawing, width=width, terminal=False, now=now)
    ledger = ledger_parts(report.ledger, report.totals.unpriced)
    return markdown.section(
        [
            *markdown.title(caption(report.query, report.logs)),
            f"**{markdown.prose(headline(report))}**",
            f"```text\n{page(drawn, width, terminal=False).rstrip()}\n```",
            *markdown.account(ledger, ledger_notes(report.ledger)),
        ]
    )


def chart_parts(
    report: Report, drawing: Drawing, *, width: int, terminal: bool, now: datetime
) -> list[RenderableType]:
    """Return the legend, the bars and the total; for the arguments see `render_chart`."""
    chart = chart_of(report, drawing.measure, now, drawing.limit or TABLE_ROWS)
    cells = cells_of(report, ())
    shown = chart.buckets
    label = f"{count(chart.earlier)} earlier"
    dimension = report.query.by[0]
    names = [key_text(dimension, bucket.key) for bucket in shown]
    # What is left out, and the total, have figures but no bar.
    groups = [report.totals, *(bucket.figures for bucket in shown)]
    groups += [chart.before] if chart.earlier else []
    labels = [heading(dimension), TOTAL, *names, *([label] if chart.earlier else [])]
    title = " by ".join([f"Bars: {drawing.column.header}", *map(heading, report.query.by[1:])])
    grid, room = _grid(cells, drawing, labels, groups, title=title, width=width, terminal=terminal)
    table = grid.table([heading(dimension)])
    if chart.earlier:
        grid.add(table, [label], _figures(cells, grid, chart.before), "dim")
    most = max(drawing.measure(bucket.figures) for bucket in shown)
    for name, bucket in zip(names, shown, strict=True):
        measures = list(map(drawing.measure, bucket.parts))
        drawn = _bar(measures, most, room, drawing)
        style = "" if bucket.figures.calls else "dim"
        grid.add(table, [name], _figures(cells, grid, bucket.figures) | {BAR: drawn}, style)
    total = grid.table()
    grid.add(total, [TOTAL], _figures(cells, grid, report.totals), "bold")
    apart = grid.rule() if terminal else Text()
    return [*_legend(report, chart, drawing, width), table, apart, total, Text()]


def _grid(
    cells: Cells,
    drawing: Drawing,
    labels: Sequence[str],
    groups: Sequence[Figures],
    *,
    title: str,
    width: int,
    terminal: bool,
) -> tuple[Grid, int]:
    """Return the columns, and how many characters are left for the longest bar."""
    columns = {
        column.name: column
        for column in COLUMNS
        if column.name in _SHOWN or column == drawing.column
    }
    wide = {
        name: max(len(column.header), *(len(cells.text(column, group)) for group in groups))
        for name, column in columns.items()
    }
    natural = max(map(len, labels))
    key = Key(natural, natural)
    _, staying = fit(width - LEAST_BAR - GAP, [key], wide)
    room = width - natural - sum(GAP + wide[name] for name in staying) - GAP
    headers = {name: columns[name].header for name in staying} | {BAR: title}
    widths = {name: wide[name] for name in staying} | {BAR: max(room, 1)}
    return Grid(width, [key], headers, widths, terminal=terminal), max(room, 1)


def _figures(cells: Cells, grid: Grid, figures: Figures) -> dict[str, Text]:
    columns = [column for column in COLUMNS if column.name in grid.staying]
    texts = {column.name: figure(cells.text(column, figures)) for column in columns}
    return texts | {BAR: Text()}


def _bar(parts: Sequence[int], most: int, width: int, drawing: Drawing) -> Text:
    """Return the bar of a bucket; what isn't nothing has at least the thinnest mark."""
    total = sum(parts)
    if len(parts) == 1 or not total:
        fraction = total / most if most else 0
        return Text(bar(fraction, width, blocks=drawing.blocks), style=_COLOURS[0])
    drawn = Text()
    length = max(1, round(total * width / most))
    fills = FILLS if drawing.blocks else PLAIN_FILLS
    for cells, fill, colour in zip(divided(parts, length), fills, _COLOURS, strict=False):
        drawn.append(fill * cells, style=colour)
    return drawn


def divided(parts: Sequence[int], length: int) -> list[int]:
    """Return how many of `length` characters each part of a bar gets.

    Each part that isn't 0 gets one where there are enough, else the largest ones do; the
    others are shared out by size.

    Args:
        parts: numbers from 0 on, one of them more than 0.
        length: 1 or more.
    """
    total = sum(parts)
    by_size = sorted(range(len(parts)), key=lambda place: -parts[place])
    positive = [place for place in by_size if parts[place]]
    if length <= len(positive):
        return [int(place in positive[:length]) for place in range(len(parts))]
    cells = [max(part * length // total, int(part > 0)) for part in parts]
    while sum(cells) < length:
        short = max(positive, key=lambda place: parts[place] * length - cells[place] * total)
        cells[short] += 1
    while sum(cells) > length:
        long = max(range(len(cells)), key=lambda place: cells[place])
        cells[long] -= 1
    return cells


def _legend(report: Report, chart: Chart, drawing: Drawing, width: int) -> list[RenderableType]:
    """Return which fill stands for what, with each one's share of what the bars are of."""
    if len(report.query.by) == 1:
        return []
    fills = FILLS if drawing.blocks else PLAIN_FILLS
    whole = drawing.measure(report.totals)
    names = [shrink(key_text(report.query.by[1], key), _NAME) for key, _ in chart.series]
    series = [figures for _, figures in chart.series]
    if chart.others:
        names.append(f"{count(chart.others)} others")
        series.append(chart.rest)
    entries = [
        f"{fill} {name} ({_share(drawing, figures, whole)})"
        for fill, name, figures in zip(fills, names, series, strict=False)
    ]
    colours = dict(zip(fills, _COLOURS, strict=True))
    shown = Text("\n").join(map(_coloured(colours), _rows(entries, width)))
    return [shown, Text()]


def _share(drawing: Drawing, figures: Figures, whole: int) -> str:
    """Return a share of what the bars are of; of a cost that nobody knows there is none."""
    if not whole or drawing.column.value(figures) is None:
        return UNKNOWN
    return percent(drawing.measure(figures) / whole, 0)


def _rows(entries: Sequence[str], width: int) -> list[list[str]]:
    """Return the entries of a legend in as many lines as the width asks for."""
    rows: list[list[str]] = []
    for entry in entries:
        if rows and sum(cell_len(one) + GAP for one in rows[-1]) + cell_len(entry) <= width:
            rows[-1].append(entry)
        else:
            rows.append([entry])
    return rows


def _coloured(colours: Mapping[str, str]) -> Callable[[Sequence[str]], Text]:
    def line(entries: Sequence[str]) -> Text:
        marked = [Text.assemble((one[0], colours[one[0]]), one[1:]) for one in entries]
        return Text(" " * GAP).join(marked)

    return line
