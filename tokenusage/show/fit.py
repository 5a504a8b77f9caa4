"""What fits into a width: figures are never cut, columns leave and names shrink."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len

GAP: Final = 2
"""Blanks between two columns."""

NAME_WIDTH: Final = 20
"""Characters that a column of names keeps before a column of figures has to leave."""

NAMES_WIDTH: Final = 30
"""Characters that several columns of names keep together."""

LEAST_NAME: Final = 6
"""Characters that a column of names keeps where no column of figures is left to leave."""

LEAVING: Final = (
    "p99_response_time",
    "p50_response_time",
    "p95_response_time",
    "bar",
    "cost_per_minute",
    "calls_per_minute",
    "avg_response_time_difference",
    "avg_response_time_change",
    "avg_response_time_before",
    "total_tokens_difference",
    "calls_difference",
    "avg_cost",
    "success_rate",
    "cache_hits",
    "unpriced",
    "avg_tokens",
    "failed",
    "more_calls",
    "batches",
    "duration",
    "cost_per_10000",
    "cost_per_1000",
    "share",
    "avg_response_time",
    "response_time",
    "completion_tokens",
    "prompt_tokens",
    "mean_",
    "total_tokens_before",
    "total_tokens_change",
    "total_tokens",
    "calls_before",
    "calls_change",
    "calls",
    "cost_difference",
    "cumulative_share",
    "ranked_share",
)
"""The order in which columns leave a table that is too wide; the cost never does.

``mean_`` stands for the averages of all tags.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """A column of names: how wide it would like to be, and how narrow it can get."""

    natural: int
    least: int
    """Before a column of figures has to leave."""
    last: int | None = None
    """When no more can leave; None is `least`."""

    @property
    def narrowest(self) -> int:
        """The least of all."""
        return self.least if self.last is None else self.last


def key_column(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    rigid: bool,
    beside: int,
    together: int | None = None,
) -> Key:
    """Return the widths of a column of names.

    Args:
        texts: what can shrink.
        labels: what can't: numbers and dates.
        rigid: nothing in it may shrink, because it holds times.
        beside: how many columns of names that can shrink share the width.
        together: characters that they keep together before a column of figures has to leave.
    """
    natural = max(map(cell_len, [*texts, *labels]), default=0)
    least = max(map(cell_len, labels), default=0)
    if rigid:
        return Key(natural, natural)
    if together is not None:
        share = together // beside
    else:
        share = NAME_WIDTH if beside == 1 else max(LEAST_NAME, NAMES_WIDTH // beside)
    return Key(natural, *(max(least, min(natural, width)) for width in (share, LEAST_NAME)))


def fit(width: int, keys: Sequence[Key], figures: dict[str, int]) -> tuple[list[int], list[str]]:
    """Return the widths of the columns of names, and the columns of figures that stay.

    Where even the names at their narrowest and the cost are too wide, the table is wider than
    the terminal: a number that wraps can be read, a number that is cut can't.

    Args:
        width: of the terminal.
        keys: the columns of names.
        figures: width of each column of figures by its name.
    """
    staying = dict(figures)
    names = sum(key.least for key in keys) + GAP * (len(keys) - 1)
    for leaving in _leaving(tuple(figures)):
        if names + sum(GAP + size for size in staying.values()) <= width:
            break
        staying.pop(leaving, None)
    taken = sum(GAP + size for size in staying.values()) + GAP * (len(keys) - 1)
    return _share_out(width - taken, keys), list(staying)


def shrink(text: str, width: int) -> str:
    """Return `text` in at most `width` terminal cells, with an ellipsis in its middle."""
    if cell_len(text) <= width:
        return text
    right = (width - 1) // 2
    return f"{_start(text, width - 1 - right)}…{_start(text[::-1], right)[::-1]}"


def cut(text: str, width: int) -> str:
    """Return `text`, a sentence, in at most `width` terminal cells: its beginning."""
    return text if cell_len(text) <= width else f"{_start(text, width - 1)}…"


def flow(parts: Sequence[str], width: int) -> list[str]:
    """Return `parts` in a row with dots between them, in as many lines as the width asks for."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _leaving(names: Sequence[str]) -> Iterator[str]:
    """Yield columns in the order in which they leave; of averages of tags the last goes first."""
    for leaving in LEAVING:
        if leaving == "mean_":
            yield from (name for name in reversed(names) if name.startswith(leaving))
        else:
            yield leaving


def _share_out(room: int, keys: Sequence[Key]) -> list[int]:
    """Give every name what it would like; where that is too much, cut the longest ones."""
    ceiling = max((key.natural for key in keys), default=0)
    fits = sum(key.least for key in keys) <= room
    while True:
        widths = [
            max(key.least if fits else key.narrowest, min(key.natural, ceiling)) for key in keys
        ]
        if sum(widths) <= room or ceiling <= 0:
            return widths
        ceiling -= 1


def _start(text: str, width: int) -> str:
    """Return as much of the start of `text` as fits into `width` terminal cells."""
    used = 0
    for place, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:place]
    return text
