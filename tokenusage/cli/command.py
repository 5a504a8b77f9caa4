"""Typer's commands with plain help, and with options that convert without pydantic.

Help is text without boxes, the same on a terminal and in a pipe, and imports no
rich. Typer 0.29 imports pydantic for the first option of any kind; that takes
longer than everything else that a command on a few records does before pandas.
"""

import inspect
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.models import ParameterInfo

from tokenusage.errors import WrongUseError

_WORDS: Final[dict[Any, str]] = {int: "a whole number", float: "a number"}


_NUMBER: Final = re.compile(r"[-+0-9.eE]+\Z")


class QuickValue:
    """Converts the words of one option or argument to text, numbers or paths."""

    def __init__(self, convert: Callable[[Any], Any]) -> None:
        self.convert = convert

    def coerce(self, value: Any, param: TyperOption | TyperArgument, **_context: Any) -> Any:
        """Return the value: each word converted, None and flags as they are.

        Raises:
            WrongUseError: a word is no number where there has to be one.
        """
        if value is None or isinstance(value, bool):
            return value
        try:
            if isinstance(value, list | tuple):
                return [self._converted(word) for word in value]
            return self._converted(value)
        except ValueError as error:
            wanted = _WORDS.get(self.convert, "another value")
            raise WrongUseError(f"{param.opts[0]} takes {wanted}, not {value!r}.") from error

    def _converted(self, word: Any) -> Any:
        # Python takes the digits of every script for a number, and 1_0 for 10.
        if self.convert in _WORDS and isinstance(word, str) and not _NUMBER.match(word):
            raise ValueError(word)
        return self.convert(word)


class Command(TyperCommand):
    """A command: its options by panel, its examples as they are written."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters, also those that Typer adds by itself."""
        return _convert_quickly(super().get_params(ctx))

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's own
        """Write the docstring; lines that are indented in it are kept as they are."""
        _write_help_text(self.help or "", formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options under the headings of their panels."""
        _write_parameters(self, ctx, formatter)


class Group(TyperGroup):
    """The program: its commands by panel, in the order in which they were added."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters, also those that Typer adds by itself."""
        return _convert_quickly(super().get_params(ctx))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands first, then the options."""
        panels: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            row = (name, command.get_short_help_str(limit=200))
            panels[command.rich_help_panel or "Commands"].append(row)
        # All names in one column, whatever their panel.
        longest = max((len(name) for name in self.commands), default=0)
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(longest), text) for name, text in rows])
        _write_parameters(self, ctx, formatter)


def _write_help_text(text: str, formatter: Any) -> None:
    with formatter.indentation():
        for paragraph in inspect.cleandoc(text).partition("\f")[0].split("\n\n"):
            formatter.write_paragraph()
            lines = paragraph.splitlines()
            if any(line.startswith(" ") for line in lines):
                margin = " " * formatter.current_indent
                formatter.write("".join(f"{margin}{line}\n" for line in lines))
            else:
                formatter.write_text(paragraph)


def _write_parameters(command: Any, ctx: Any, formatter: Any) -> None:
    panels: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for param in command.get_params(ctx):
        row = param.get_help_record(ctx)
        if isinstance(param, TyperArgument):
            panels["Arguments"].append((param.display_name_raw, row[1]))
        elif row is not None:
            panels[param.rich_help_panel or "Options"].append(row)
    for panel, rows in panels.items():
        with formatter.section(panel):
            formatter.write_dl(rows)


def _convert_quickly(params: list[Any]) -> list[Any]:
    """Give parameters of simple types a conversion of their own, and return all of them.

    Where Typer has no such place (another version), its own conversion is used.
    """
    for param in params:
        convert = _conversion(param)
        if convert is not None:
            # The place where Typer keeps what it makes with pydantic.
            param._runtime_param = QuickValue(convert)  # noqa: SLF001
    return params


def _conversion(param: TyperOption | TyperArgument) -> Callable[[Any], Any] | None:
    annotation: Any = param.type_descriptor.annotation
    if annotation is bool:
        return bool if getattr(param, "is_flag", False) else None
    kind: Callable[[Any], Any] = {list[str]: str, list[Path]: Path}.get(annotation, annotation)
    is_simple = kind in (str, int, float, Path)
    return kind if is_simple and _is_unconstrained(param.type_descriptor.parameter_info) else None


def _is_unconstrained(info: ParameterInfo) -> bool:
    bounds = (info.min, info.max, info.parser)
    checks = (
        info.exists,
        info.resolve_path,
        info.allow_dash,
        not info.file_okay,
        not info.dir_okay,
    )
    return all(bound is None for bound in bounds) and not any(checks)
