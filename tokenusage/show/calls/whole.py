"""One call whole, as a table of its fields."""

from typing import Final

from rich.table import Table
from rich.text import Text

from tokenusage.keep.lookup import Found
from tokenusage.show.calls.single import members, title
from tokenusage.show.fit import GAP, shrink
from tokenusage.show.inert import inert
from tokenusage.show.page import page

_MOST_NAME: Final = 32

_PIECE: Final = 1 << 14
"""Characters in a row: rich takes the square of their number to break them into lines."""


def render_table(found: Found, logs: str, *, width: int, terminal: bool) -> str:
    """Return every field of a call, a line each; long values go on below themselves.

    Args:
        found: the call.
        logs: the directory as the user named it.
        width: columns of the terminal.
        terminal: with colour (unless NO_COLOR).
    """
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for name, value, unit in members(found.record):
        is_bad = (name, value) in {("success", "false"), ("cost_estimate", "null")}
        is_error = name == "error_message" and value != "null"
        style = "red" if is_bad or is_error else "dim" if value == "null" else ""
        first, *rest = _pieces(inert(value))
        shown = Text(first, style=style)
        if unit:
            shown.append(f" {unit}", style="dim")
        table.add_row(Text(shrink(inert(name), _MOST_NAME)), shown)
        for piece in rest:
            table.add_row("", Text(piece, style=style))
    return page([Text(title(found, logs), style="bold"), Text(), table], width, terminal=terminal)


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)] or [""]
