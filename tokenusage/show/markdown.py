"""What the Markdown of all views has in common: prose, and tables of GitHub's form."""

from collections.abc import Iterable, Sequence

from tokenusage.show.inert import escape_markdown


def prose(parts: Sequence[str]) -> str:
    """Return parts of a sentence in a row, as text without markup."""
    return escape_markdown(" · ".join(parts))


def title(parts: Sequence[str]) -> list[str]:
    """Return what a section is of, from `words.caption`: a heading, and the rest as prose."""
    return [f"## {escape_markdown(parts[0])}", prose(parts[1:])]


def hint(sentences: Sequence[str]) -> list[str]:
    """Return what stands in the place of tables, from `words.empty_answer`."""
    *said, command = sentences
    return [escape_markdown(" ".join(said)), f"    {command.strip()}"]


def account(parts: Sequence[str], notes: Iterable[str]) -> list[str]:
    """Return the end of a section: the ledger, and what makes the figures short."""
    return [prose(parts), "\n".join(f"- {escape_markdown(note)}" for note in notes)]


def section(parts: Iterable[str]) -> str:
    """Return paragraphs and tables as a whole; empty ones are left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def head(heading: str) -> str:
    """Return the heading of a column of names: not in capitals; a tag keeps its spelling."""
    return escape_markdown(heading.capitalize() if heading.isupper() else heading)


def aligned(names: Sequence[str], figures: Sequence[str]) -> list[str]:
    """Return the first two lines of a table: headings of names, then those of figures."""
    return [
        table_line([*names, *figures]),
        table_line(["---"] * len(names) + ["---:"] * len(figures)),
    ]


def table_line(cells: Iterable[str]) -> str:
    """Return a row of a table."""
    return f"| {' | '.join(cells)} |"
