"""A rotation as text: what would be done, or what was done, day by day."""

import textwrap
from collections.abc import Sequence
from typing import Final

from tokenusage.keep.outcome import Outcome, Result
from tokenusage.keep.plan import Action, Plan, Step
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted

_GAP: Final = "  "

_DONE: Final = {
    Action.SUMMARISE: "summarised",
    Action.SEAL: "sealed",
    Action.REMOVE: "removed",
    Action.LEAVE: "left alone",
}
_UNITS: Final = ("kB", "MB", "GB", "TB", "PB")


def render_plan(plan: Plan, logs: str, *, width: int, quiet: bool = False) -> str:
    """Return what a rotation would do: a table, or one line if `quiet`.

    Args:
        plan: what would be done.
        logs: the directory, as it is called.
        width: columns of the terminal.
        quiet: whether one line is wanted.
    """
    steps = plan.steps
    planned = _counts([step.action for step in steps])
    of_size = size(sum(step.size for step in steps if _is_done(step)))
    headline = f"Would be done in {_name(logs)}: {planned}, of {of_size}."
    if not planned:
        headline = f"Nothing would be done in {_name(logs)}."
    if quiet:
        return _one_line([headline, plan.doubt])
    rows = [["DAY", "WHAT", "FILES", "SIZE"]]
    rows += [
        [str(step.day), _planned(step), count(len(step.files)), size(step.size)] for step in steps
    ]
    notes = [(str(step.day), step.why) for step in steps if step.why]
    notes += [
        (str(day), "it is not over for an hour yet, so it is left alone") for day in plan.open_days
    ]
    return _page(rows, notes, [headline, plan.doubt], width)


def render_outcome(outcome: Outcome, logs: str, *, width: int, quiet: bool = False) -> str:
    """Return what a rotation did: a table, or one line if `quiet`.

    Args:
        outcome: what it did.
        logs: the directory, as it is called.
        width: columns of the terminal.
        quiet: whether one line is wanted.
    """
    results = outcome.results
    done = _counts([result.done for result in results if not result.failed])
    before = sum(result.before for result in results if _is_done(result))
    after = sum(result.after for result in results if _is_done(result))
    headline = f"{_name(logs)}: {done}, {size(before)} → {size(after)}."
    if not done:
        headline = f"Nothing {'was done' if results else 'to do'} in {_name(logs)}."
    if quiet:
        left = sum(not result.failed and not _is_done(result) for result in results)
        alone = f"{counted(left, 'day')} left alone." if left and not outcome.doubt else ""
        return _one_line([headline, alone, outcome.doubt])
    rows = [["DAY", "WHAT", "RECORDS", "BEFORE", "AFTER"]]
    rows += [_row(result) for result in results]
    notes = [(str(result.day), result.why) for result in results if result.why]
    return _page(rows, notes, [headline, outcome.doubt], width)


def size(count_: int) -> str:
    """Return a number of bytes in the unit that suits it: ``812 B``, ``4.3 MB``."""
    if count_ < 1000:
        return f"{count_} B"
    amount, unit = float(count_), "B"
    units = iter(_UNITS)
    while amount >= 999.95 and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    return f"{amount:,.1f} {unit}"


def _name(logs: str) -> str:
    return inert(logs.rstrip("/") + "/")


def _is_done(item: Step | Result) -> bool:
    action = item.action if isinstance(item, Step) else item.done
    return action is not Action.LEAVE


def _counts(actions: Sequence[Action]) -> str:
    """Return how many days there are of each action, but for those left alone."""
    numbers = {action: actions.count(action) for action in _DONE if action is not Action.LEAVE}
    return ", ".join(
        f"{counted(number, 'day')} {_DONE[action]}" for action, number in numbers.items() if number
    )


def _planned(step: Step) -> str:
    return f"would {step.action}" if _is_done(step) else _DONE[step.action]


def _row(result: Result) -> list[str]:
    what = "failed" if result.failed else _DONE[result.done]
    records = "" if result.records is None else count(result.records)
    return [str(result.day), what, records, size(result.before), size(result.after)]


def _one_line(sentences: Sequence[str]) -> str:
    return " ".join(filter(None, sentences)) + "\n"


def _page(
    rows: list[list[str]], notes: Sequence[tuple[str, str]], sentences: Sequence[str], width: int
) -> str:
    """Return table, notes and sentences, below each other; an empty table is left out."""
    blocks = [_aligned(rows)] if len(rows) > 1 else []
    if notes:
        blocks.append("\n".join(_wrapped(f"{day}{_GAP}{inert(why)}", width) for day, why in notes))
    blocks.append("\n".join(_wrapped(inert(sentence), width) for sentence in sentences if sentence))
    return "\n\n".join(blocks) + "\n"


def _wrapped(text: str, width: int) -> str:
    """Return a sentence in lines; what follows a date is indented behind it."""
    indent = " " * 12 if text[4:5] == "-" and text[7:8] == "-" else ""
    return textwrap.fill(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _aligned(rows: list[list[str]]) -> str:
    """Return rows of equal length as lines: words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            text.rjust(width) if place > 1 else text.ljust(width)
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(_GAP.join(cells).rstrip())
    return "\n".join(lines)
