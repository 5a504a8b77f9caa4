"""The options that say which calls a command is about, once for all commands that have them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, get_type_hints

from tokenusage.analyse.period import make_period
from tokenusage.analyse.query import Filters, Period
from tokenusage.cli import options


@dataclass(frozen=True, slots=True)
class Selection:
    """The log directory, the period and the filters, as typed."""

    logs: options.Logs = None
    days: options.Days = None
    hours: options.Hours = None
    month: options.Month = None
    everything: options.Everything = False
    since: options.Since = None
    until: options.Until = None
    tz: options.Tz = "UTC"
    user: options.User = None
    operation: options.Operation = None
    model: options.Model = None
    where: options.Where = None

    def period(self, now: datetime) -> Period:
        """Return the period; without any option the last 7 days.

        Raises:
            WrongUseError: two periods at once, or a value that can't be one.
        """
        return make_period(
            now=now,
            days=self.days,
            hours=self.hours,
            month=self.month,
            everything=self.everything,
            since=self.since,
            until=self.until,
            tz=self.tz,
        )

    @property
    def names_period(self) -> bool:
        """Whether an option names a period."""
        given = (self.days, self.hours, self.month, self.since, self.until)
        return self.everything or any(option is not None for option in given)

    def filters(self) -> Filters:
        """Return the filters.

        Raises:
            WrongUseError: a ``--where`` has no field or no ``=``.
        """
        return options.filters(self.user, self.operation, self.model, self.where)

    def directory(self, configured: Path) -> Path:
        """Return the log directory: the one that was typed, else the `configured` one."""
        return self.logs or configured


def selecting(command: Callable[..., None], **others: Any) -> Callable[..., None]:
    """Give a command the options of `Selection` in the place of its parameter `selection`.

    Typer makes a command's options from the parameters of its function, one by one. This
    shows it those of `Selection` instead, and calls the function with one.

    Args:
        command: the function.
        others: options by field name that the command describes in other words.
    """
    hints = get_type_hints(Selection, include_extras=True) | others
    fields = [
        inspect.Parameter(
            parameter.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=parameter.default,
            annotation=hints[parameter.name],
        )
        for parameter in inspect.signature(Selection).parameters.values()
    ]
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command).parameters.values():
        parameters += fields if parameter.name == "selection" else [parameter]

    @wraps(command)
    def with_selection(**given: Any) -> None:
        typed = {field.name: given.pop(field.name) for field in fields}
        command(selection=Selection(**typed), **given)

    with_selection.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return with_selection
