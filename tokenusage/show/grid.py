"""Tables that share their columns, fitted to a width once: figures whole, names shrunk.

Without a terminal a table has no rules and no colour.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from tokenusage.show.fit import GAP, Key, fit, shrink

UNKNOWN: Final = "—"
"""Stands for a figure or a key that isn't known."""

TOTAL: Final = "TOTAL"

BAR: Final = "bar"

_LEFT: Final = frozenset({BAR, "status", "query"})
"""The columns behind the names that are no figures, and begin on the left."""


class Grid:
    """The columns of one or more tables.

    Args:
        width: of the terminal.
        keys: the columns of names, on the left.
        headers: of the columns of figures, by the names by which they leave (`fit.LEAVING`).
        widths: of the widest text in each column of figures; its header counts by itself.
        terminal: whether rules and colours are drawn.
    """

    def __init__(
        self,
        width: int,
        keys: Sequence[Key],
        headers: Mapping[str, str],
        widths: Mapping[str, int],
        *,
        terminal: bool,
    ) -> None:
        wide = {name: max(len(header), widths[name]) for name, header in headers.items()}
        self.keys, staying = fit(width, keys, wide)
        """Widths of the columns of names."""
        self.staying = {name: headers[name] for name in staying}
        """Headers of the columns of figures that have room, in order."""
        self._wide = wide
        self.terminal = terminal

    @property
    def width(self) -> int:
        """Terminal columns of the whole table."""
        figures = sum(GAP + self._wide[name] for name in self.staying)
        return sum(self.keys) + GAP * (len(self.keys) - 1) + figures

    def room(self, name: str) -> int:
        """Return how wide a column of figures is."""
        return self._wide[name]

    def table(self, headings: Sequence[str] | None = None) -> Table:
        """Return an empty table of these columns; without `headings` it has no head."""
        box = SIMPLE_HEAD if self.terminal else None
        # A box sets one blank of its own between columns.
        padding = (0, GAP - 1 if box else GAP, 0, 0)
        table = Table(
            box=box,
            show_edge=False,
            pad_edge=False,
            padding=padding,
            width=self.width,
            show_header=headings is not None,
            header_style="bold cyan",
            border_style="dim",
        )
        for place, width in enumerate(self.keys):
            label = shrink(headings[place], width) if headings else ""
            table.add_column(Text(label), width=width, no_wrap=True)
        for name, header in self.staying.items():
            side: JustifyMethod = "left" if name in _LEFT else "right"
            table.add_column(Text(header), width=self._wide[name], no_wrap=True, justify=side)
        return table

    def add(
        self, table: Table, keys: Sequence[str], figures: Mapping[str, Text], style: str = ""
    ) -> None:
        """Append a row; names shrink to their column, figures are those of the columns."""
        names = [Text(shrink(key, width)) for key, width in zip(keys, self.keys, strict=True)]
        table.add_row(*names, *(figures[name] for name in self.staying), style=style)

    def first(self, label: str) -> list[str]:
        """Return the keys of a row that has but a label in the first column."""
        return [label, *[""] * (len(self.keys) - 1)]

    def rule(self) -> Text:
        """Return a line as wide as the table."""
        return Text("─" * self.width, style="dim", no_wrap=True, overflow="ignore")


def figure(text: str, style: str = "") -> Text:
    """Return a figure for a cell; what is nothing or unknown steps back."""
    return Text(text, style=style or ("dim" if text in {"0", UNKNOWN} else ""))
