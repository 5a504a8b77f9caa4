"""What is found of a person, and what became of it, as text."""

from collections.abc import Sequence

from tokenusage.keep.forget.outcome import Found, Outcome
from tokenusage.show.inert import inert
from tokenusage.show.numbers import count, counted


def render_forgetting(
    outcome: Outcome, user: str, logs: str, *, delete: bool, dry_run: bool
) -> str:
    """Return what was forgotten, or would be: how much of it in which form, and in one sentence.

    Args:
        outcome: what was found.
        user: the person's id.
        logs: the directory, as it is called.
        delete: whether their records are dropped.
        dry_run: whether nothing was changed.
    """
    where = f"user {inert(user)} in {inert(logs.rstrip('/') + '/')}"
    if not outcome.found and not outcome.stale:
        return f"Nothing of {where}.\n"
    rows = [("WHERE", "DAYS", "RECORDS", "OTHER LINES")]
    rows += [(form, *_figures(some)) for form, some in outcome.forms.items()]
    lines = [
        f"{name:<22}{days:>6}{records:>13}{others:>13}" for name, days, records, others in rows
    ]
    became = _became(delete=delete, dry_run=dry_run)
    sentences = [f"{counted(outcome.records, 'record')} of {where} {became}."]
    if outcome.rejected:
        others = counted(outcome.rejected, "line")
        verb = "would be" if dry_run else "are"
        sentences.append(f"{others} that are no records and name them {verb} gone.")
    if outcome.stale:
        days = counted(len(outcome.stale), "day")
        verb = "would be" if dry_run else "are"
        sentences.append(f"The sums of {days} {verb} made anew by the next rotate.")
    table = [*lines, ""] if outcome.found else []
    return "\n".join([*table, *sentences]) + "\n"


def _figures(some: Sequence[Found]) -> tuple[str, str, str]:
    days = len({found.day for found in some})
    records = sum(found.records for found in some)
    return count(days), count(records), count(sum(found.rejected for found in some))


def _became(*, delete: bool, dry_run: bool) -> str:
    if dry_run:
        return "would be dropped" if delete else "would get a pseudonym and nothing that tells who"
    return "are dropped" if delete else "have a pseudonym now and nothing that tells who"
