"""What stands above and under the tables of every page, and the page as text."""

from collections.abc import Iterable, Sequence
from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.text import Text

from tokenusage.show.fit import flow


def lines(texts: Sequence[str], style: str = "") -> Text:
    """Return lines of text below each other."""
    return Text("\n".join(texts), style=style)


def title(parts: Sequence[str], width: int) -> Text:
    """Return what a page is of, from `words.caption`."""
    return lines(flow(parts, width), "bold")


def hint(sentences: Sequence[str]) -> Text:
    """Return what stands in the place of tables, from `words.empty_answer`.

    It is whole, however narrow the terminal is: a hint is there to be copied.
    """
    return Text("\n".join(sentences), no_wrap=True, overflow="ignore")


def account(parts: Sequence[str], notes: Iterable[str], width: int) -> list[RenderableType]:
    """Return the last lines of a page: the ledger, and what makes the figures short."""
    return [lines(flow(parts, width), "dim"), *(Text(note, style="red") for note in notes)]


def page(parts: Sequence[RenderableType], width: int, *, terminal: bool) -> str:
    """Return what a console of this width would print; a table that is wider is whole.

    Args:
        parts: what stands below each other.
        width: columns to fill.
        terminal: with colour (unless NO_COLOR).
    """
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=terminal,
        color_system="auto" if terminal else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    with console.capture() as capture:
        console.print(Group(*parts), crop=False)
    text = capture.get()
    # Cells without a figure end in blanks, which a diff or an editor would show.
    return text if terminal else "".join(f"{line.rstrip()}\n" for line in text.splitlines())
