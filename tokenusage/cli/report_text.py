"""The answers of ``tokenusage report`` in the format that was asked for."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tokenusage.analyse.compare import Comparison, compare
from tokenusage.analyse.report import Report
from tokenusage.cli.answering import MACHINE
from tokenusage.cli.output import draws_on_terminal, width, writes
from tokenusage.show.report.arrange import Order

MARKDOWN_WIDTH = 100
"""Columns of a chart in a block of code, which nobody's window is asked for."""


@dataclass(frozen=True, slots=True)
class Printing:
    """How an answer is printed."""

    format_: str
    order: Order
    now: datetime
    command: str
    """How the person started the report, for a hint that can be typed."""
    output: Path | None

    def text(self, report: Report, before: Report | None = None) -> str:
        """Return a report; with another one, what has changed since that."""
        if before is not None:
            return self._compared(compare(report, before, self.now))
        # Each format comes with its own libraries, and only one of them is wanted.
        if self.format_ in MACHINE:
            from tokenusage.show.report.machine import render_csv, render_json

            render = render_json if self.format_ == "json" else render_csv
            return render(report, self.order)
        today = self.now.astimezone(report.query.period.zone).date()
        if self.format_ == "markdown":
            from tokenusage.show.report.markdown import render_markdown

            return render_markdown(report, self.order, today=today, command=self.command)
        from tokenusage.show.report.table import render_table

        return render_table(
            report,
            self.order,
            width=width(),
            terminal=self._on_terminal(),
            today=today,
            command=self.command,
        )

    def _compared(self, comparison: Comparison) -> str:
        if self.format_ in MACHINE:
            from tokenusage.show.report.comparison_machine import (
                render_comparison_csv,
                render_comparison_json,
            )

            is_json = self.format_ == "json"
            render = render_comparison_json if is_json else render_comparison_csv
            return render(comparison, self.order)
        from tokenusage.show.report.comparison import (
            render_comparison,
            render_comparison_markdown,
        )

        if self.format_ == "markdown":
            return render_comparison_markdown(
                comparison, self.order, now=self.now, command=self.command
            )
        return render_comparison(
            comparison,
            self.order,
            width=width(),
            terminal=self._on_terminal(),
            now=self.now,
            command=self.command,
        )

    def charted(self, report: Report) -> str:
        """Return a report along time with its chart; an empty one without."""
        if not (report.totals.calls or report.totals.cache_hits):
            return self.text(report)
        from tokenusage.show.report.chart import (
            FILLS,
            Drawing,
            measured,
            render_chart,
            render_chart_markdown,
        )

        column = measured(self.order.column, report.totals)
        if self.format_ == "markdown":
            drawing = Drawing(column, limit=self.order.limit)
            return render_chart_markdown(report, drawing, width=MARKDOWN_WIDTH, now=self.now)
        drawing = Drawing(column, self.output is not None or writes(FILLS), self.order.limit)
        terminal = self._on_terminal()
        return render_chart(report, drawing, width=width(), terminal=terminal, now=self.now)

    def _on_terminal(self) -> bool:
        return self.output is None and draws_on_terminal()
