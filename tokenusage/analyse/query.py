"""A question as plain values: which period, which calls, grouped by what.

Periods are half-open, ``[start, end)``, everywhere inside the program.
"""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Final, Literal, NamedTuple

from tokenusage.errors import WrongUseError, nearest

CostMode = Literal["logged", "effective", "current"]

DIMENSIONS: Final = (
    "hour",
    "day",
    "week",
    "month",
    "year",
    "user",
    "email",
    "operation",
    "model",
    "provider",
    "session",
    "task",
    "batch",
    "cache",
    "success",
)
"""What calls can be grouped by, besides ``tag.NAME``."""

TIME_DIMENSIONS: Final = frozenset({"hour", "day", "week", "month", "year"})

TAG: Final = "tag."
"""What the name of a tag begins with."""

OVERVIEW: Final = ("operation", "model", "day", "user")
"""The sections of a report without ``--by``."""


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open span of time and the zone in which its days are counted."""

    start: datetime | None
    """First moment, with its zone; None is since the first record."""
    end: datetime | None
    """First moment after it, with its zone; None is until the last record."""
    zone: tzinfo
    zone_name: str
    """As printed: ``UTC`` or an IANA name."""
    label: str
    """For people: ``last 30 days``, ``2026-10``, ``all time``."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which calls count: values of one field are ORed, fields are ANDed."""

    user: tuple[str, ...] = ()
    operation: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    """Names or globs, compared without regard to case."""
    where: tuple[tuple[str, str], ...] = ()
    """(field or ``tag.NAME``, value as text) pairs, ANDed."""


def filters_of(
    user_id: int | str | None, operation_type: str | None, model_name: str | None
) -> Filters:
    """Return the filters for one user, operation and model; None is every one."""
    return Filters(
        user=() if user_id is None else (str(user_id),),
        operation=() if operation_type is None else (operation_type,),
        model=() if model_name is None else (model_name,),
    )


class First(NamedTuple):
    """The groups that come first are wanted one by one, all others together."""

    measure: str
    """One of `ranking.MEASURES`."""
    limit: int


@dataclass(frozen=True, slots=True)
class Query:
    """Everything that decides a report's figures."""

    period: Period
    filters: Filters = field(default_factory=Filters)
    by: tuple[str, ...] = ()
    """Dimensions of one table; empty asks for the overview."""
    cost: CostMode = "logged"
    percentiles: bool = False
    means: tuple[str, ...] = ()
    """Tags, as ``tag.NAME``, whose numbers are averaged over the calls that carry one."""
    first: First | None = None
    """Where there are very many groups, only these are made rows of."""


def check_means(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return `names` unchanged.

    Raises:
        WrongUseError: a name is no tag's, or stands there twice.
    """
    for position, name in enumerate(names):
        if not _is_tag(name):
            raise WrongUseError(
                f"--mean averages a tag's numbers: write --mean tag.NAME, not {name!r}."
            )
        if name in names[:position]:
            raise WrongUseError(f"--mean {name} is named twice.")
    return names


def check_dimensions(names: tuple[str, ...], others: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return `names` unchanged.

    Args:
        names: what was asked for.
        others: words that could have stood there instead, for whoever mistypes one.

    Raises:
        WrongUseError: a name is no dimension, or stands there twice.
    """
    known = (*DIMENSIONS, *others)
    for position, name in enumerate(names):
        if name not in DIMENSIONS and not _is_tag(name):
            raise WrongUseError(
                f"There is no dimension {name!r}: use {', '.join(known)} or tag.NAME."
                + nearest(name, known)
            )
        if name in names[:position]:
            raise WrongUseError(f"The dimension {name!r} is named twice.")
    return names


def _is_tag(name: str) -> bool:
    return name.startswith(TAG) and len(name) > len(TAG)
