"""Who comes first: the groups of a report in order of one of their figures."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import nsmallest
from itertools import accumulate
from typing import Final

from tokenusage.analyse.report import Figures, Report, Row, together

RANKED: Final[dict[str, tuple[str, ...]]] = {
    "users": ("user", "email"),
    "models": ("model",),
    "operations": ("operation",),
    "sessions": ("session",),
    "tasks": ("task",),
    "queries": ("query",),
}
"""What can be ranked, with the dimensions of the report that answers it."""

_AMOUNTS: Final[dict[str, Callable[[Figures], int]]] = {
    "cost": lambda group: group.cost_pico,
    "tokens": lambda group: group.total_tokens,
    "calls": lambda group: group.calls,
    "failures": lambda group: group.failed,
    "response_time": lambda group: group.response_micro,
}
"""What adds up to the total that shares are of."""

MEASURES: Final = tuple(_AMOUNTS)
"""By what it can be ranked."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One group and its place."""

    rank: int | None
    """From 1; groups that are equal have different ranks. None of the calls without a name."""
    name: str | None
    """Of the user, model, operation, session, task or query; None where calls have none."""
    email: str | None
    """Of a user: the one that most of the calls with an e-mail have."""
    figures: Figures
    share: float | None
    """Fraction of the total of what is ranked by; None where that is unknown or 0."""
    cumulative_share: float | None
    """The same of all groups down to this one; None without a rank."""
    of_largest: float
    """What is ranked by, as a fraction of the first group's; for a bar."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The first groups of a report, largest first, and the others together.

    Ranked by `response_time` the order is that of the average, and shares are of the
    summed time.
    """

    what: str
    """One of `RANKED`."""
    measure: str
    """One of `MEASURES`."""
    report: Report
    """What it was made from: query, totals and ledger."""
    rows: tuple[Ranked, ...]
    """The ranked ones, and behind them the calls without a name, if there are some."""
    hidden: int = 0
    """How many groups the limit left out."""
    rest: Figures | None = None
    """Their figures together."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns of names: what is ranked, and behind a user the e-mail."""
        return RANKED[self.what]


def rank(report: Report, what: str, measure: str, limit: int) -> Ranking:
    """Rank the rows of a report; calls without a name have no rank and no limit.

    Args:
        report: by the dimensions that `RANKED` has for `what`.
        what: one of `RANKED`.
        measure: one of `MEASURES`.
        limit: how many groups are named.
    """
    groups = _users(report.rows) if what == "users" else [(row, None) for row in report.rows]
    named = [group for group in groups if group[0].keys[0] is not None]
    shown = nsmallest(limit, named, key=lambda group: _order(group[0], measure))
    running = accumulate(_AMOUNTS[measure](row.figures) for row, _ in shown)
    total = _AMOUNTS[measure](report.totals)
    largest = _value(shown[0][0].figures, measure) if shown else None
    ranked = []
    for place, ((row, email), so_far) in enumerate(zip(shown, running, strict=True), start=1):
        value = _value(row.figures, measure)
        share = share_of(row.figures, report.totals, measure)
        ranked.append(
            Ranked(
                rank=place,
                name=row.keys[0],
                email=email,
                figures=row.figures,
                share=share,
                cumulative_share=None if share is None else so_far / total,
                of_largest=value / largest if value and largest else 0.0,
            )
        )
    for row, email in groups:
        if row.keys[0] is None:
            share = share_of(row.figures, report.totals, measure)
            ranked.append(Ranked(None, None, email, row.figures, share, None, 0.0))
    found = {row.keys for row, _ in shown}
    left_out = [row.figures for row, _ in named if row.keys not in found]
    hidden = len(left_out) + report.hidden
    if report.rest:
        left_out.append(report.rest)
    rest = together(left_out) if left_out else None
    return Ranking(what, measure, report, tuple(ranked), hidden, rest)


def share_of(group: Figures, totals: Figures, measure: str) -> float | None:
    """Return a group's fraction of the totals; None where it is unknown or there is nothing."""
    total = _AMOUNTS[measure](totals)
    if not total or _value(group, measure) is None:
        return None
    return _AMOUNTS[measure](group) / total


def _users(rows: Iterable[Row]) -> list[tuple[Row, str | None]]:
    """Return a row for each user, whatever the e-mails, with the one that most calls have."""
    of_user: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        of_user[row.keys[0]].append(row)
    users = []
    for user, same in of_user.items():
        figures = together(row.figures for row in same) if len(same) > 1 else same[0].figures
        users.append((Row((user,), figures), _usual_email(same)))
    return users


def _usual_email(rows: list[Row]) -> str | None:
    logged = {row.keys[1]: row.figures for row in rows if row.keys[1]}
    # Of two that are equal the first by name, so that the answer is always the same.
    return min(logged, key=lambda email: (-logged[email].calls, email or ""), default=None)


def _order(row: Row, measure: str) -> tuple[float, int, int, int, str]:
    """Return what sorts largest first, unknown last; where equal the dearest first."""
    group = row.figures
    value = _value(group, measure)
    first = 1.0 if value is None else -value
    return (first, -group.cost_pico, -group.total_tokens, -group.calls, row.keys[0] or "")


def _value(group: Figures, measure: str) -> float | None:
    """Return what is ranked by; None is unknown."""
    if measure == "response_time":
        return group.response_micro / group.timed if group.timed else None
    if measure == "cost" and group.cost is None:
        return None
    return _AMOUNTS[measure](group)
