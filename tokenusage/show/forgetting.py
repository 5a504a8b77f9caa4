"""What is found of a person, and what became of it, as text."""

import textwrap
from collections.abc import Sequence

from tokenusage.keep.forget.outcome import Found, Left, Outcome
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted


def render_forgetting(
    outcome: Outcome, user: str, logs: str, *, delete: bool, dry_run: bool, width: int
) -> str:
    """Return what was forgotten, or would be, in which form, and what stays in which file.

    Args:
        outcome: what was found.
        user: the person's id.
        logs: the directory, as it is called.
        delete: whether their records are dropped.
        dry_run: whether nothing was changed.
        width: columns of the terminal.
    """
    where = inert(logs.rstrip("/") + "/")
    who = f"user {inert(user)}"
    blocks = [_table(outcome)] if outcome.found else []
    sentences = _forgotten(outcome, f"{who} in {where}", delete=delete, dry_run=dry_run)
    holding = [left for left in outcome.left if left.holds_them]
    if not sentences and not holding:
        read = f"the files of {where} that could be read" if outcome.left else where
        sentences = [f"Nothing of {who} in {read}."]
    if outcome.addressed:
        others, verb = ("record", "carries") if outcome.addressed == 1 else ("records", "carry")
        stay = "stays" if outcome.addressed == 1 else "stay"
        sentences.append(
            f"{count(outcome.addressed)} {others} of other users {verb} their address and {stay}."
        )
    blocks += ["\n".join(_wrapped(sentence, width) for sentence in sentences)] if sentences else []
    if holding:
        would = "would stay" if dry_run else "stay"
        files = counted(len(holding), "file")
        staying = f"{_staying(holding, who)} {would} in {files} that could not be changed:"
        blocks.append(_listed(staying, holding, width))
    if unread := [left for left in outcome.left if not left.holds_them]:
        files = counted(len(unread), "file")
        blocks.append(_listed(f"{files} had to be left alone, and may name them:", unread, width))
    return "\n\n".join(blocks) + "\n"


def _table(outcome: Outcome) -> str:
    rows = [("WHERE", "DAYS", "RECORDS", "OTHER LINES")]
    rows += [(form, *_figures(some)) for form, some in outcome.forms.items()]
    return "\n".join(
        f"{name:<22}{days:>6}{records:>13}{others:>13}" for name, days, records, others in rows
    )


def _figures(some: Sequence[Found]) -> tuple[str, str, str]:
    days = len({found.day for found in some})
    records = sum(found.records for found in some)
    return count(days), count(records), count(sum(found.rejected for found in some))


def _forgotten(outcome: Outcome, where: str, *, delete: bool, dry_run: bool) -> list[str]:
    """Return what became of all that was not left, in sentences; none where nothing was."""
    sentences = []
    are = "would be" if dry_run else "are"
    if outcome.found:
        became = _became(delete=delete, dry_run=dry_run)
        sentences.append(f"{counted(outcome.records, 'record')} of {where} {became}.")
    if outcome.rejected:
        others = counted(outcome.rejected, "line")
        sentences.append(f"{others} that are no records and name them {are} gone.")
    if outcome.stale:
        days = counted(len(outcome.stale), "day")
        sentences.append(f"The sums of {days} {are} made anew by the next rotate.")
    return sentences


def _became(*, delete: bool, dry_run: bool) -> str:
    if dry_run:
        return "would be dropped" if delete else "would get a pseudonym and nothing that tells who"
    return "are dropped" if delete else "have a pseudonym now and nothing that tells who"


def _staying(holding: Sequence[Left], who: str) -> str:
    """Return what is in files that could not be changed."""
    records = sum(left.records for left in holding)
    lines = sum(left.rejected for left in holding)
    days = sum(left.sums for left in holding)
    parts = [f"{counted(records, 'record')} of {who}"]
    parts += [f"{counted(lines, 'line')} that name them"] if lines else []
    parts += [f"the sums of {counted(days, 'day')}"] if days else []
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _listed(headline: str, some: Sequence[Left], width: int) -> str:
    return "\n".join(
        [_wrapped(headline, width), *(_wrapped(inert(left.why), width, "  ") for left in some)]
    )


def _wrapped(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )
